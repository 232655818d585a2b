#include <chainrule/chainrule.hpp>
#include <cmath>

#include "support/catch.hpp"
#include "support/random_data.hpp"

namespace cr = chainrule;
using chainrule_test::Approx;
using chainrule_test::ContainsSubstring;
using chainrule_test::random_matrix;
using cr::Dense;
using cr::Dynamic;
using cr::GradientFlow;
using cr::Index;
using cr::Seed;

namespace {

/// So many samples of normal numbers, and targets for them.
template <class Scalar>
struct Samples {
  cr::Matrix<Scalar> x, y;
  Samples(Index inputs, Index outputs, Index samples) {
    cr::Random random{Seed{4}};
    x = random_matrix<Scalar>(inputs, samples, random);
    y = random_matrix<Scalar>(outputs, samples, random);
  }
};

/// Any activation in one type, or two, so that not every one is compiled with a network around it.
template <class F>
Dense<Dynamic, Dynamic, cr::AnyActivation<double, cr::DerivativeFromOutput<F>>> dense(Index inputs, Index outputs, const F& f) {
  return {inputs, outputs, cr::AnyActivation<double, cr::DerivativeFromOutput<F>>(f)};
}

/// inputs -> width -> ... -> width -> 1 of so many hidden layers.
template <class F>
cr::AnyNetwork<double> deep(Index hidden, const F& f = F{}, Index width = 12) {
  cr::AnyLayers<double> layers;
  for (Index l = 0; l < hidden; ++l) layers.add(dense(width, width, f));
  layers.add(dense(width, 1, cr::Identity{}));
  return {Seed{3}, cr::SquaredError{}, layers};
}

/// Of one layer Dense 1 -> units and f, the activity for these z of every unit: W = 1, b = 0.
template <class F>
cr::LayerFlow of_z(const F& f, std::vector<double> z) {
  cr::AnyNetwork<double> net{Seed{1}, cr::SquaredError{}, {dense(1, 1, f)}};
  net.tensor("0.weight").setOnes();
  const Eigen::Map<const Eigen::RowVectorXd> x(z.data(), std::ssize(z));
  return cr::gradient_flow(net, x, Eigen::RowVectorXd::Zero(x.size()).eval()).layers[0];
}

bool is_unknown(double share) { return std::isnan(share); }

}  // namespace

// ---- norms ----------------------------------------------------------------------------------------------------------------

// J = 1/2 (w x - y)^2 with w = (3, 4), x = (2, 0), y = 1: y_hat = 6, dJ/dw = 5 (2, 0), dJ/db = 5, which is no weight
TEST_CASE("gradient_flow's norms of a case by hand", "[gradient_flow]") {
  cr::Network<double, cr::SquaredError, Dense<2, 1>> net{Seed{1}};
  net.layer<0>().weight << 3, 4;
  const GradientFlow flow = cr::gradient_flow(net, Eigen::Vector2d(2, 0), Eigen::Vector<double, 1>(1));
  REQUIRE(flow.layers.size() == 1);
  CHECK(flow.samples == 1);
  CHECK(flow.layers[0].name == "Dense");
  CHECK(flow.layers[0].activation == "Identity");
  CHECK(flow.layers[0].weights == 2);
  CHECK(flow.layers[0].weight_norm == Approx(5));
  CHECK(flow.layers[0].gradient_norm == Approx(10));
  CHECK(flow.layers[0].gradient_per_weight() == Approx(10 / std::sqrt(2)));
  CHECK(is_unknown(flow.layers[0].update_norm));
  CHECK(is_unknown(flow.layers[0].saturated));
  CHECK(is_unknown(flow.layers[0].dead));
  CHECK(flow.warnings.empty());
}

TEST_CASE("gradient_flow's norms are Eigen's, of any optimizer's update too, and the network stays as it was", "[gradient_flow]") {
  using Net =
      cr::Network<float, cr::SquaredError, Dense<3, 8, cr::Tanh>, cr::BatchNorm<>, cr::Activate<cr::ReLU>, cr::Dropout<>, Dense<8, 2>>;
  Net net{Seed{2}};
  const Samples<float> data(3, 2, 40);
  const Net before = net;
  auto work = net.make_workspace(40);
  auto dJ = net.make_gradients();
  net.forward(data.x, work);
  net.backward(data.x, data.y, work, dJ);
  GradientFlow flow = cr::gradient_flow(net, work, dJ);
  const GradientFlow same = cr::gradient_flow(net, data.x, data.y);  // step 0 too, so the same mask of Dropout
  CHECK(same.to_string() == flow.to_string());
  CHECK(net.parameters() == before.parameters());
  CHECK(net.buffers() == before.buffers());

  REQUIRE(flow.layers.size() == 5);
  CHECK(flow.layers[0].weight_norm == Approx(net.layer<0>().weight.norm()));
  CHECK(flow.layers[0].gradient_norm == Approx(dJ.layer<0>().weight.norm()));
  CHECK(flow.layers[4].gradient_norm == Approx(dJ.layer<4>().weight.norm()));
  CHECK(flow.layers[1].weights == 16);  // gamma and beta, for it has no other
  CHECK(flow.layers[1].weight_norm == Approx(std::sqrt(8.0)));
  CHECK(flow.layers[1].gradient_norm == Approx(Eigen::Map<const Eigen::VectorXf>(dJ.slice(1), 16).norm()));
  CHECK(flow.layers[2].weights == 0);
  CHECK(flow.layers[2].dead == 0);
  CHECK(flow.layers[0].saturated == 0);
  CHECK(flow.warnings.empty());

  cr::Adam adam{};
  auto state = adam.make_state(net);
  adam.step(net.parameters(), dJ, state);
  flow.measure_update(net, before.parameters());
  CHECK(flow.layers[0].update_norm == Approx((net.layer<0>().weight - before.layer<0>().weight).norm()));
  CHECK(flow.layers[1].update_norm == Approx((net.parameters() - before.parameters()).segment(32, 16).norm()));
  CHECK(flow.layers[0].update_norm == Approx(0.001 * std::sqrt(24.0)).epsilon(1e-2));  // Adam's first step: every weight by its rate
  CHECK_THROWS_AS(flow.measure_update(net, Eigen::VectorXf::Zero(3)), cr::ShapeError);
}

// ---- units ----------------------------------------------------------------------------------------------------------------

TEST_CASE("gradient_flow finds dead ReLU units and counts them", "[gradient_flow]") {
  cr::AnyNetwork<double> net{Seed{2}, cr::SquaredError{}, {dense(3, 8, cr::ReLU{}), dense(8, 6, cr::ReLU{}), dense(6, 2, cr::Identity{})}};
  const Samples<double> data(3, 2, 40);
  CHECK(cr::gradient_flow(net, data.x, data.y).warnings.empty());

  net.tensor("1.bias").topRows(2).setConstant(-100);
  const GradientFlow two = cr::gradient_flow(net, data.x, data.y);
  CHECK(two.layers[1].dead == Approx(2 / 6.0));
  CHECK(two.warnings.empty());  // a net can bear that

  net.tensor("1.bias").setConstant(-100);
  const GradientFlow all = cr::gradient_flow(net, data.x, data.y);
  CHECK(all.layers[0].dead == 0);
  CHECK(all.layers[1].dead == 1);
  CHECK(is_unknown(all.layers[1].saturated));
  REQUIRE(all.warnings.size() == 2);
  CHECK_THAT(all.warnings[0],
             ContainsSubstring("layer 1 (Dense, ReLU): 100% of its units are dead, for they fire for none of the 40 samples"));
  CHECK_THAT(all.warnings[1], ContainsSubstring("layer 0, 1, 2: the gradient of the weights is 0"));
  CHECK(cr::gradient_flow(net, data.x.leftCols(15), data.y.leftCols(15)).warnings.size() == 1);  // too few to call a unit dead
}

TEST_CASE("gradient_flow finds saturated units", "[gradient_flow]") {
  cr::AnyNetwork<double> net{Seed{2}, cr::SquaredError{}, {dense(3, 8, cr::Tanh{}), dense(8, 2, cr::Identity{})}};
  const Samples<double> data(3, 2, 200);
  CHECK(cr::gradient_flow(net, data.x, data.y).layers[0].saturated == 0);
  net.tensor("0.weight").setConstant(50);
  const GradientFlow flow = cr::gradient_flow(net, data.x, data.y);
  CHECK(flow.layers[0].saturated == 1);
  CHECK(is_unknown(flow.layers[0].dead));
  REQUIRE(flow.warnings.size() >= 1);
  CHECK_THAT(flow.warnings[0], ContainsSubstring("layer 0 (Dense, Tanh): 100% of its units are saturated"));
}

// tanh'(2.99) = 0.0101, tanh'(3) = 0.0099, of at most 1; sigma'(5.97) = 0.00254, sigma'(6) = 0.00247, of at most 1/4
TEST_CASE("a unit is saturated from a hundredth of the largest slope on, in 9 samples of 10", "[gradient_flow]") {
  CHECK(of_z(cr::Tanh{}, {3.0, -3.0}).saturated == 1);
  CHECK(of_z(cr::Tanh{}, {2.98, -2.98}).saturated == 0);
  CHECK(of_z(cr::Sigmoid{}, {6.0, -6.0}).saturated == 1);
  CHECK(of_z(cr::Sigmoid{}, {5.97, -5.97}).saturated == 0);
  CHECK(of_z(cr::Tanh{}, {9, 9, 9, 9, 9, 9, 9, 9, 9, 0}).saturated == 1);
  CHECK(of_z(cr::Tanh{}, {9, 9, 9, 9, 9, 9, 9, 9, 0, 0}).saturated == 0);
  CHECK(of_z(cr::Softsign{}, {-9.1, 9.1}).saturated == 1);  // (1 + |z|)^-2
  CHECK(of_z(cr::Softsign{}, {-8.9, 8.9}).saturated == 0);
  CHECK(of_z(cr::HardTanh{100, 101}, {99, 102}).saturated == 1);
  CHECK(of_z(cr::HardTanh{100, 101}, {100.5, 102}).saturated == 0);
}

TEST_CASE("a unit is dead that rests in every sample, for all activations that are flat at one end", "[gradient_flow]") {
  const auto dies = [](const auto& f) {
    INFO(f.name);
    const cr::LayerFlow off = of_z(f, {-30, -40, -50});
    CHECK(off.dead == 1);
    CHECK(is_unknown(off.saturated));
    CHECK(of_z(f, {-30, -40, -50, -30, -40, -50, -30, -40, -50, 0.5}).dead == 0);  // it fires once, and so learns
    CHECK(of_z(f, {30, 40}).dead == 0);
  };
  dies(cr::ReLU{});
  dies(cr::ELU{});
  dies(cr::SELU{});
  dies(cr::GELU{});
  dies(cr::GELUTanh{});
  dies(cr::SiLU{});
  dies(cr::Mish{});
  dies(cr::Softplus{});
}

namespace {

/// max(0, z)^2, whose slope 2 max(0, z) has no largest value.
struct SquaredReLU {
  static constexpr std::string_view name = "SquaredReLU";
  cr::HeNormal default_initializer() const { return {}; }
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return z.max(0).square();
  }
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    return 2 * z.max(0);
  }
};

/// A user's layer with tanh inside that does not say so.
struct Reticent : Dense<3, 4, cr::Tanh> {
  Reticent() = default;
  using ActivationType = void;
  void activation() const = delete;
};
template <class L>
concept SaysItsActivation = requires(const L& layer) {
  layer.activation();
};
static_assert(!SaysItsActivation<Reticent>);

}  // namespace

TEST_CASE("gradient_flow says nothing where nothing can be said", "[gradient_flow]") {
  for (const cr::LayerFlow& layer : {of_z(cr::LeakyReLU{}, {-9, -8}), of_z(cr::Identity{}, {-9, -8}), of_z(SquaredReLU{}, {1, 2})}) {
    INFO(layer.activation);
    CHECK(is_unknown(layer.saturated));
    CHECK(is_unknown(layer.dead));
  }
  cr::AnyNetwork<double> net{Seed{1}, cr::SquaredError{}, {Reticent{}, dense(4, 2, cr::Identity{}), cr::PReLU<>{}}};
  net.tensor("0.weight").setConstant(50);
  const Samples<double> data(3, 2, 20);
  const GradientFlow flow = cr::gradient_flow(net, data.x, data.y);
  CHECK(is_unknown(flow.layers[0].saturated));
  CHECK(is_unknown(flow.layers[2].dead));
  CHECK(flow.layers[0].weight_norm == Approx(50 * std::sqrt(12.0)));
}

TEST_CASE("an activation that is a layer, and those inside a Residual", "[gradient_flow]") {
  cr::AnyNetwork<double> net{Seed{2},
                             cr::SquaredError{},
                             {dense(3, 4, cr::Identity{}), cr::Activate<cr::SiLU>{},
                              cr::Residual{cr::AnyLayers<double>{dense(4, 6, cr::Tanh{}), dense(6, 4, cr::Identity{}),
                                                                 cr::Activate<cr::ReLU>{}, dense(4, 4, cr::Identity{})}},
                              dense(4, 2, cr::Identity{})}};
  const Samples<double> data(3, 2, 50);
  net.tensor("0.bias").topRows(1).setConstant(-100);
  net.tensor("2.0.bias").topRows(3).setConstant(100);
  net.tensor("2.1.bias").setConstant(-100);
  const GradientFlow flow = cr::gradient_flow(net, data.x, data.y);
  REQUIRE(flow.layers.size() == 4);
  CHECK(flow.layers[1].dead == Approx(1 / 4.0));
  CHECK(flow.layers[2].name == "Residual");
  CHECK(flow.layers[2].weights == 24 + 24 + 16);
  CHECK(flow.layers[2].saturated == Approx(3 / 6.0));
  CHECK(flow.layers[2].dead == 1);
  CHECK(flow.layers[2].weight_norm == Approx(std::sqrt(net.tensor("2.0.weight").squaredNorm() + net.tensor("2.1.weight").squaredNorm() +
                                                       net.tensor("2.3.weight").squaredNorm())));

  cr::AnyNetwork<double> first{Seed{1}, cr::SquaredError{}, {cr::Activate<cr::GELU, 3>{}, dense(3, 2, cr::Identity{})}};
  auto work = first.make_workspace(50);
  auto dJ = first.make_gradients();
  const cr::Matrix<double> low = data.x.array() - 20;
  first.forward(low, work);
  first.backward(low, data.y, work, dJ);
  CHECK(cr::gradient_flow(first, low, data.y).layers[0].dead == 1);
  CHECK(is_unknown(cr::gradient_flow(first, work, dJ).layers[0].dead));  // x, which GELU' needs, is not there
}

// ---- one network, written in three ways -----------------------------------------------------------------------------------

TEST_CASE("gradient_flow of types, values and an AnyNetwork is the same", "[gradient_flow]") {
  using cr::Activate, cr::BatchNorm, cr::GELU, cr::Residual, cr::Tanh;
  cr::Network<double, cr::SquaredError, Dense<3, 8, GELU>, BatchNorm<>, Activate<GELU>, Residual<Dense<8, 8, Tanh>, Dense<8, 8>>,
              Dense<8, 2>>
      fixed{Seed{2}};
  auto dynamic = cr::make_network<double, cr::SquaredError>(Seed{2}, Dense<Dynamic, Dynamic, GELU>{3, 8}, BatchNorm<>{}, Activate<GELU>{},
                                                            Residual{Dense<Dynamic, Dynamic, Tanh>{8, 8}, Dense<Dynamic, Dynamic>{8, 8}},
                                                            Dense<Dynamic, Dynamic>{8, 2});
  cr::AnyNetwork<double> any{
      Seed{2},
      cr::SquaredError{},
      {dense(3, 8, GELU{}), BatchNorm<>{}, Activate<GELU>{},
       Residual{cr::AnyLayers<double>{dense(8, 8, Tanh{}), dense(8, 8, cr::Identity{})}}, dense(8, 2, cr::Identity{})}};
  const Samples<double> data(3, 2, 30);
  const auto bits = [&](auto& net) {
    net.parameters().segment(24, 3).setConstant(-50);  // biases of the first layer: three units die
    const GradientFlow flow = cr::gradient_flow(net, data.x, data.y);
    std::vector<double> numbers;
    for (const cr::LayerFlow& layer : flow.layers)
      for (const double number : {layer.weight_norm, layer.gradient_norm, layer.saturated, layer.dead})
        numbers.push_back(is_unknown(number) ? -1 : number);
    return std::pair(numbers, flow.to_string());
  };
  const auto expected = bits(fixed);
  INFO(expected.second);
  CHECK(expected.first[3] == Approx(3 / 8.0));  // of layer 0
  CHECK(expected.first[14] == 0);               // the units inside the Residual are known
  CHECK(bits(dynamic) == expected);
  CHECK(bits(any) == expected);
}

// ---- what is wrong, and what is not ---------------------------------------------------------------------------------------

TEST_CASE("twenty layers of sigmoid let the gradient vanish; two do not, nor ReLU, tanh or leaky ReLU", "[gradient_flow]") {
  const Samples<double> data(12, 1, 100);
  const GradientFlow flow = cr::gradient_flow(deep<cr::Sigmoid>(20), data.x, data.y);
  INFO(flow.to_string());
  REQUIRE(flow.warnings.size() == 1);
  CHECK_THAT(flow.warnings[0], ContainsSubstring("layer 0 (Dense, Sigmoid): its gradient is "));
  CHECK_THAT(flow.warnings[0], ContainsSubstring(" of the last layer's, per weight: it vanishes"));
  for (std::size_t l = 0; l + 3 < flow.layers.size(); ++l) CHECK(flow.layers[l].gradient_norm < flow.layers[l + 1].gradient_norm);
  CHECK(flow.layers[0].gradient_norm < 1e-8 * flow.layers[20].gradient_norm);

  const Samples<double> wide(64, 1, 100);
  CHECK(cr::gradient_flow(deep(20, cr::ReLU{}, 64), wide.x, wide.y).warnings.empty());
  CHECK(cr::gradient_flow(deep(20, cr::Tanh{}), data.x, data.y).warnings.empty());
  CHECK(cr::gradient_flow(deep(20, cr::LeakyReLU{}), data.x, data.y).warnings.empty());
  CHECK(cr::gradient_flow(deep(2, cr::Sigmoid{}), data.x, data.y).warnings.empty());
}

TEST_CASE("one sentence says what is wrong in several layers", "[gradient_flow]") {
  const Samples<double> data(12, 1, 100);
  cr::AnyNetwork<double> net = deep<cr::Tanh>(3);
  net.tensor("0.weight") *= 1000;
  net.tensor("2.weight") *= 1000;
  const GradientFlow flow = cr::gradient_flow(net, data.x, data.y);
  INFO(flow.to_string());
  REQUIRE(flow.warnings.size() >= 1);
  CHECK_THAT(flow.warnings[0],
             ContainsSubstring("of its units are saturated, where f' is next to 0 (and at least half of them in 1 more)"));
}

TEST_CASE("weights that are too large let the gradient explode", "[gradient_flow]") {
  const Samples<double> data(12, 1, 100);
  cr::AnyNetwork<double> net = deep<cr::LeakyReLU>(8);
  net.parameters() *= 4;
  const GradientFlow flow = cr::gradient_flow(net, data.x, data.y);
  INFO(flow.to_string());
  REQUIRE(flow.warnings.size() == 1);
  CHECK_THAT(flow.warnings[0], ContainsSubstring("times that of its weights: it explodes"));
}

TEST_CASE("numbers that are not finite are named", "[gradient_flow]") {
  const Samples<double> data(12, 1, 20);
  cr::AnyNetwork<double> net = deep<cr::ReLU>(1);
  net.tensor("1.weight")(0, 3) = std::numeric_limits<double>::infinity();
  const GradientFlow flow = cr::gradient_flow(net, data.x, data.y);
  REQUIRE(flow.warnings.size() >= 2);
  CHECK_THAT(flow.warnings.front() + flow.warnings[1], ContainsSubstring("layer 0 (Dense, ReLU): its gradient is not finite"));
  CHECK_THAT(flow.to_string(), ContainsSubstring("layer 1 (Dense, Identity): its weights are not finite"));
  CHECK(std::isinf(flow.layers[1].weight_norm));
  CHECK(flow.layers[1].weights == 12);
}

TEST_CASE("a step longer than the weights is told", "[gradient_flow]") {
  const Samples<double> data(12, 1, 20);
  cr::AnyNetwork<double> net = deep<cr::ReLU>(1);
  GradientFlow flow = cr::gradient_flow(net, data.x, data.y);
  const Eigen::VectorXd before = net.parameters();
  net.tensor("1.weight") *= -1;
  flow.measure_update(net, before);
  CHECK(flow.layers[0].update_norm == 0);
  CHECK(flow.layers[1].update_norm == Approx(2 * flow.layers[1].weight_norm));
  REQUIRE(flow.warnings.size() == 1);
  CHECK_THAT(flow.warnings[0], ContainsSubstring("layer 1 (Dense, Identity): one step moves its weights by 2 times their own norm"));
}

TEST_CASE("gradient_flow's table", "[gradient_flow]") {
  cr::Network<double, cr::SquaredError, Dense<2, 1, cr::ReLU>, cr::Dropout<>> net{Seed{1}, Dense<2, 1, cr::ReLU>{}, cr::Dropout<>{0}};
  net.layer<0>().weight << 3, -4;
  CHECK(cr::gradient_flow(net, Eigen::Vector2d(2, 0), Eigen::Vector<double, 1>(1)).to_string() ==
        "layer  kind        activation    |weights| |gradient|   |update|  saturated       dead\n"
        "0      Dense       ReLU                  5         10          -          -         0%\n"
        "1      Dropout                           -          -          -          -          -\n");
}

// ---- errors ---------------------------------------------------------------------------------------------------------------

TEST_CASE("gradient_flow's errors are those of the passes", "[gradient_flow]") {
  const Samples<double> data(12, 1, 20);
  const cr::AnyNetwork<double> net = deep<cr::ReLU>(2), other = deep<cr::ReLU>(3);
  CHECK_THROWS_AS(cr::gradient_flow(net, data.x.topRows(3), data.y), cr::ShapeError);
  CHECK_THROWS_AS(cr::gradient_flow(net, data.x, data.y.leftCols(3)), cr::ShapeError);
  CHECK_THROWS_AS(cr::gradient_flow(net, data.x.leftCols(0), data.y.leftCols(0)), cr::ShapeError);
  auto work = net.make_workspace(20);
  auto dJ = net.make_gradients();
  CHECK_THROWS_AS(cr::gradient_flow(net, work, dJ), cr::StateError);
  net.forward(data.x, work);
  net.backward(data.x, data.y, work, dJ);
  CHECK_NOTHROW(cr::gradient_flow(net, work, dJ));
  CHECK_THROWS_AS(cr::gradient_flow(other, work, dJ), cr::ShapeError);
  CHECK_THROWS_AS(cr::gradient_flow(net, work, other.make_gradients()), cr::ShapeError);
}
