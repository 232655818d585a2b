#include <cfenv>
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

/// Random samples and targets for them, uniform in [-1, 1).
template <class Scalar>
struct Samples {
  cr::Matrix<Scalar> x, y;
  Samples(Index inputs, Index outputs, Index samples) {
    cr::Random random{Seed{4}};
    x = random_matrix<Scalar>(inputs, samples, random);
    y = random_matrix<Scalar>(outputs, samples, random);
  }
};

/// A Dense layer with any activation. AnyActivation keeps the number of layer types at two, so that networks compile only once for all
/// activations.
template <class F>
Dense<Dynamic, Dynamic, cr::AnyActivation<double, cr::DerivativeFromOutput<F>>> dense(Index inputs, Index outputs, const F& f) {
  return {inputs, outputs, cr::AnyActivation<double, cr::DerivativeFromOutput<F>>(f)};
}

/// A network width -> ... -> width -> 1 with `hidden` hidden layers.
template <class F>
cr::AnyNetwork<double> deep(Index hidden, const F& f = F{}, Index width = 12) {
  cr::AnyLayers<double> layers;
  for (Index l = 0; l < hidden; ++l) layers.add(dense(width, width, f));
  layers.add(dense(width, 1, cr::Identity{}));
  return {Seed{3}, cr::SquaredError{}, layers};
}

/// The unit statistics of a unit with activation f for these z: a layer Dense 1 -> 1 with W = 1 and b = 0, whose inputs are z.
template <class F>
cr::LayerFlow flow_for_z(const F& f, std::vector<double> z) {
  cr::AnyNetwork<double> net{Seed{1}, cr::SquaredError{}, {dense(1, 1, f)}};
  net.tensor("0.weight").setOnes();
  const Eigen::Map<const Eigen::RowVectorXd> x(z.data(), std::ssize(z));
  return cr::gradient_flow(net, x, Eigen::RowVectorXd::Zero(x.size()).eval()).layers[0];
}

bool is_unknown(double share) { return std::isnan(share); }

}  // namespace

// ---- norms ----------------------------------------------------------------------------------------------------------------

// J = 1/2 (w x - y)^2 with w = (3, 4), x = (2, 0), y = 1: y_hat = 6, dJ/dw = 5 (2, 0). The norms leave out the bias.
TEST_CASE("gradient_flow measures the norms of a case calculated by hand", "[gradient_flow]") {
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

// For programs that trap them. A gradient of 0 everywhere, because all units are dead, must not be divided by itself.
TEST_CASE("gradient_flow raises no floating-point exception", "[gradient_flow]") {
  const Samples<double> samples(12, 1, 20);
  for (const double bias : {0.0, -100.0}) {
    cr::AnyNetwork<double> net = deep(2, cr::ReLU{});
    net.tensor("0.bias").setConstant(bias);
    net.tensor("1.bias").setConstant(bias);
    std::feclearexcept(FE_ALL_EXCEPT);
    const GradientFlow flow = cr::gradient_flow(net, samples.x, samples.y);
    CHECK(flow.to_string().find("nan") == std::string::npos);
    CHECK(std::fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW) == 0);
    CHECK((flow.layers[0].gradient_norm == 0) == (bias < 0));
  }
}

TEST_CASE("gradient_flow measures the same norms as Eigen, also of updates, and does not change the network", "[gradient_flow]") {
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
  const GradientFlow same = cr::gradient_flow(net, data.x, data.y);  // step 0 as above, so the dropout mask is the same
  CHECK(same.to_string() == flow.to_string());
  CHECK(net.parameters() == before.parameters());
  CHECK(net.buffers() == before.buffers());

  REQUIRE(flow.layers.size() == 5);
  CHECK(flow.layers[0].weight_norm == Approx(net.layer<0>().weight.norm()));
  CHECK(flow.layers[0].gradient_norm == Approx(dJ.layer<0>().weight.norm()));
  CHECK(flow.layers[4].gradient_norm == Approx(dJ.layer<4>().weight.norm()));
  CHECK(flow.layers[1].weights == 16);  // gamma and beta, because BatchNorm has no weights
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
  CHECK(flow.layers[0].update_norm == Approx(0.001 * std::sqrt(24.0)).epsilon(1e-2));  // Adam's first step moves every weight by the rate
  CHECK_THROWS_AS(flow.measure_update(net, Eigen::VectorXf::Zero(3)), cr::ShapeError);
}

// ---- units ----------------------------------------------------------------------------------------------------------------

TEST_CASE("gradient_flow counts dead ReLU units", "[gradient_flow]") {
  cr::AnyNetwork<double> net{Seed{2}, cr::SquaredError{}, {dense(3, 8, cr::ReLU{}), dense(8, 6, cr::ReLU{}), dense(6, 2, cr::Identity{})}};
  const Samples<double> data(3, 2, 40);
  CHECK(cr::gradient_flow(net, data.x, data.y).warnings.empty());

  net.tensor("1.bias").topRows(2).setConstant(-100);
  const GradientFlow two = cr::gradient_flow(net, data.x, data.y);
  CHECK(two.layers[1].dead == Approx(2 / 6.0));
  CHECK(two.warnings.empty());  // fewer than half of the units

  net.tensor("1.bias").setConstant(-100);
  const GradientFlow all = cr::gradient_flow(net, data.x, data.y);
  CHECK(all.layers[0].dead == 0);
  CHECK(all.layers[1].dead == 1);
  CHECK(is_unknown(all.layers[1].saturated));
  REQUIRE(all.warnings.size() == 2);
  CHECK_THAT(all.warnings[0],
             ContainsSubstring("layer 1 (Dense, ReLU): 100% of its units are dead: they are active for none of the 40 samples"));
  CHECK_THAT(all.warnings[1], ContainsSubstring("layer 0, 1, 2: the gradient of the weights is 0"));
  CHECK(cr::gradient_flow(net, data.x.leftCols(15), data.y.leftCols(15)).warnings.size() == 1);  // too few to call a unit dead
}

TEST_CASE("gradient_flow counts saturated units", "[gradient_flow]") {
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

// The largest slope of tanh is 1, and tanh'(2.99) = 0.0101, tanh'(3) = 0.0099. The largest of sigma is 1/4, and sigma'(5.97) = 0.00254,
// sigma'(6) = 0.00247.
TEST_CASE("a unit is saturated if its slope is below a hundredth of the largest in 9 of 10 samples", "[gradient_flow]") {
  CHECK(flow_for_z(cr::Tanh{}, {3.0, -3.0}).saturated == 1);
  CHECK(flow_for_z(cr::Tanh{}, {2.98, -2.98}).saturated == 0);
  CHECK(flow_for_z(cr::Sigmoid{}, {6.0, -6.0}).saturated == 1);
  CHECK(flow_for_z(cr::Sigmoid{}, {5.97, -5.97}).saturated == 0);
  CHECK(flow_for_z(cr::Tanh{}, {9, 9, 9, 9, 9, 9, 9, 9, 9, 0}).saturated == 1);
  CHECK(flow_for_z(cr::Tanh{}, {9, 9, 9, 9, 9, 9, 9, 9, 0, 0}).saturated == 0);
  CHECK(flow_for_z(cr::Softsign{}, {-9.1, 9.1}).saturated == 1);  // (1 + |z|)^-2
  CHECK(flow_for_z(cr::Softsign{}, {-8.9, 8.9}).saturated == 0);
  CHECK(flow_for_z(cr::HardTanh{100, 101}, {99, 102}).saturated == 1);
  CHECK(flow_for_z(cr::HardTanh{100, 101}, {100.5, 102}).saturated == 0);
}

TEST_CASE("a unit is dead if its slope is flat in every sample, for all activations that are flat at one end", "[gradient_flow]") {
  const auto check_dies = [](const auto& f) {
    INFO(f.name);
    const cr::LayerFlow off = flow_for_z(f, {-30, -40, -50});
    CHECK(off.dead == 1);
    CHECK(is_unknown(off.saturated));
    CHECK(flow_for_z(f, {-30, -40, -50, -30, -40, -50, -30, -40, -50, 0.5}).dead == 0);  // active in one sample
    CHECK(flow_for_z(f, {30, 40}).dead == 0);
  };
  check_dies(cr::ReLU{});
  check_dies(cr::ELU{});
  check_dies(cr::SELU{});
  check_dies(cr::GELU{});
  check_dies(cr::GELUTanh{});
  check_dies(cr::SiLU{});
  check_dies(cr::Mish{});
  check_dies(cr::Softplus{});
}

namespace {

/// f(z) = max(0, z)^2, whose slope 2 max(0, z) has no largest value.
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

/// A user's layer that does not tell which activation it has inside.
struct HidesActivation : Dense<3, 4, cr::Tanh> {
  HidesActivation() = default;
  using ActivationType = void;
  void activation() const = delete;
};
template <class L>
concept HasActivation = requires(const L& layer) {
  layer.activation();
};
static_assert(!HasActivation<HidesActivation>);

}  // namespace

TEST_CASE("gradient_flow reports unit statistics as unknown if f has no largest slope, is never flat or is not known", "[gradient_flow]") {
  for (const cr::LayerFlow& layer :
       {flow_for_z(cr::LeakyReLU{}, {-9, -8}), flow_for_z(cr::Identity{}, {-9, -8}), flow_for_z(SquaredReLU{}, {1, 2})}) {
    INFO(layer.activation);
    CHECK(is_unknown(layer.saturated));
    CHECK(is_unknown(layer.dead));
  }
  cr::AnyNetwork<double> net{Seed{1}, cr::SquaredError{}, {HidesActivation{}, dense(4, 2, cr::Identity{}), cr::PReLU<>{}}};
  net.tensor("0.weight").setConstant(50);
  const Samples<double> data(3, 2, 20);
  const GradientFlow flow = cr::gradient_flow(net, data.x, data.y);
  CHECK(is_unknown(flow.layers[0].saturated));
  CHECK(is_unknown(flow.layers[2].dead));
  CHECK(flow.layers[0].weight_norm == Approx(50 * std::sqrt(12.0)));
}

TEST_CASE("gradient_flow measures the units of Activate layers and of layers inside a Residual", "[gradient_flow]") {
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

TEST_CASE("gradient_flow is the same for fixed extents, dynamic extents and an AnyNetwork", "[gradient_flow]") {
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
    net.parameters().segment(24, 3).setConstant(-50);  // biases of the first layer, so that three units die
    const GradientFlow flow = cr::gradient_flow(net, data.x, data.y);
    std::vector<double> numbers;
    for (const cr::LayerFlow& layer : flow.layers)
      for (const double number : {layer.weight_norm, layer.gradient_norm, layer.saturated, layer.dead})
        numbers.push_back(is_unknown(number) ? -1 : number);
    return std::pair(numbers, flow.to_string());
  };
  const auto expected = bits(fixed);
  INFO(expected.second);
  CHECK(expected.first[3] == Approx(3 / 8.0));  // dead units of layer 0
  CHECK(expected.first[14] == 0);               // the statistics of units inside the Residual are known
  CHECK(bits(dynamic) == expected);
  CHECK(bits(any) == expected);
}

// ---- warnings -------------------------------------------------------------------------------------------------------------

TEST_CASE("the gradient vanishes in twenty layers of sigmoid, but not in two, nor with ReLU, tanh or leaky ReLU", "[gradient_flow]") {
  const Samples<double> data(12, 1, 100);
  const GradientFlow flow = cr::gradient_flow(deep<cr::Sigmoid>(20), data.x, data.y);
  INFO(flow.to_string());
  REQUIRE(flow.warnings.size() == 1);
  CHECK_THAT(flow.warnings[0], ContainsSubstring("layer 0 (Dense, Sigmoid): its gradient per weight is "));
  CHECK_THAT(flow.warnings[0], ContainsSubstring(" of the last layer's: it vanishes"));
  for (std::size_t l = 0; l + 3 < flow.layers.size(); ++l) CHECK(flow.layers[l].gradient_norm < flow.layers[l + 1].gradient_norm);
  CHECK(flow.layers[0].gradient_norm < 1e-8 * flow.layers[20].gradient_norm);

  const Samples<double> wide(64, 1, 100);
  CHECK(cr::gradient_flow(deep(20, cr::ReLU{}, 64), wide.x, wide.y).warnings.empty());
  CHECK(cr::gradient_flow(deep(20, cr::Tanh{}), data.x, data.y).warnings.empty());
  CHECK(cr::gradient_flow(deep(20, cr::LeakyReLU{}), data.x, data.y).warnings.empty());
  CHECK(cr::gradient_flow(deep(2, cr::Sigmoid{}), data.x, data.y).warnings.empty());
}

TEST_CASE("one warning covers several layers with the same problem", "[gradient_flow]") {
  const Samples<double> data(12, 1, 100);
  cr::AnyNetwork<double> net = deep<cr::Tanh>(3);
  net.tensor("0.weight") *= 1000;
  net.tensor("2.weight") *= 1000;
  const GradientFlow flow = cr::gradient_flow(net, data.x, data.y);
  INFO(flow.to_string());
  REQUIRE(flow.warnings.size() >= 1);
  CHECK_THAT(flow.warnings[0],
             ContainsSubstring("of its units are saturated, with f' almost 0 (so are at least half of the units in 1 other layer)"));
}

TEST_CASE("the gradient explodes if the weights are too large", "[gradient_flow]") {
  const Samples<double> data(12, 1, 100);
  cr::AnyNetwork<double> net = deep<cr::LeakyReLU>(8);
  net.parameters() *= 4;
  const GradientFlow flow = cr::gradient_flow(net, data.x, data.y);
  INFO(flow.to_string());
  REQUIRE(flow.warnings.size() == 1);
  CHECK_THAT(flow.warnings[0], ContainsSubstring("times that of its weights: it explodes"));
}

TEST_CASE("gradient_flow warns about numbers that are not finite", "[gradient_flow]") {
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

TEST_CASE("gradient_flow warns about a step longer than the weights", "[gradient_flow]") {
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

TEST_CASE("gradient_flow prints a table", "[gradient_flow]") {
  cr::Network<double, cr::SquaredError, Dense<2, 1, cr::ReLU>, cr::Dropout<>> net{Seed{1}, Dense<2, 1, cr::ReLU>{}, cr::Dropout<>{0}};
  net.layer<0>().weight << 3, -4;
  CHECK(cr::gradient_flow(net, Eigen::Vector2d(2, 0), Eigen::Vector<double, 1>(1)).to_string() ==
        "layer  kind        activation    |weights| |gradient|   |update|  saturated       dead\n"
        "0      Dense       ReLU                  5         10          -          -         0%\n"
        "1      Dropout                           -          -          -          -          -\n");
}

// ---- errors ---------------------------------------------------------------------------------------------------------------

TEST_CASE("gradient_flow throws the errors of the passes", "[gradient_flow]") {
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
