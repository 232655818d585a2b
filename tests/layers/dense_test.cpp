#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/descend.hpp>
#include <chainrule/testing/layer_contract.hpp>

#include <cmath>

#include "support/catch.hpp"
#include "support/square.hpp"

#include <chainrule/activations/leaky_relu.hpp>
#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/activations/silu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/initializers/zeros.hpp>

using namespace chainrule;
using chainrule_test::Approx;
using chainrule_test::Square;

namespace {

/// A user's activation, which a small layer applies in registers like one of the library's.
struct MinusTanh : ElementwiseActivation<MinusTanh> {
  static constexpr std::string_view name{"MinusTanh"};
  XavierUniform default_initializer() const { return {}; }
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return -tanh(z);
  }
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V a) const {
    return (a - 1) * (a + 1);
  }
};

/// Trains nets of one layer, with a bias that is 0 before each step and without one, and compares all that they compute.
template <class With, class Without>
void check_bits_of_zero_bias(const With& with, const Without& without, Index samples) {
  INFO(with.inputs() << " -> " << with.outputs() << ", " << samples << " samples");
  auto net = make_network<float, SquaredError>(Seed{1}, with);
  auto bare = make_network<float, SquaredError>(Seed{1}, without);
  const Index weights = bare.parameters().size();
  REQUIRE(weights == with.inputs() * with.outputs());
  auto work = net.make_workspace(samples);
  auto bare_work = bare.make_workspace(samples);
  auto dJ = net.make_gradients();
  auto bare_dJ = bare.make_gradients();
  OptimizerState<float> state(net.parameters(), 0), bare_state(bare.parameters(), 0);
  Random random{Seed{2}};
  Matrix<float> x(with.inputs(), samples), y(with.outputs(), samples), dJ_dx = x, bare_dJ_dx = x;
  for (float& entry : x.reshaped()) entry = static_cast<float>(random.uniform() - 0.5);
  for (float& entry : y.reshaped()) entry = static_cast<float>(random.uniform() - 0.5);
  for (int step = 0; step < 2; ++step) {
    net.parameters().tail(with.outputs()).setZero();
    CHECK(bare.parameters() == net.parameters().head(weights));
    CHECK(bare.forward(x, bare_work) == net.forward(x, work));
    net.backward(x, y, work, dJ, dJ_dx);
    bare.backward(x, y, bare_work, bare_dJ, bare_dJ_dx);
    CHECK(bare_dJ.flat() == dJ.flat().head(weights));
    CHECK(bare_dJ_dx == dJ_dx);
    descend(net, x, y, work, dJ, SGD{0.5}, state);
    descend(bare, x, y, bare_work, bare_dJ, SGD{0.5}, bare_state);
  }
}

}  // namespace

TEST_CASE("Dense without bias computes the bits of one whose bias is 0, and trains W alone") {
  STATIC_REQUIRE(DenseWithoutBias<3, 2>::parameters_at_compile_time == 6);
  STATIC_REQUIRE(DenseWithoutBias<3, 2>::name == "DenseWithoutBias");
  CHECK(DenseWithoutBias<Dynamic, Dynamic>{3, 2}.tensors().size() == 1);
  for (const Index samples : {1, 3, 40}) {
    check_bits_of_zero_bias(Dense<5, 4, Tanh>{}, DenseWithoutBias<5, 4, Tanh>{}, samples);
    check_bits_of_zero_bias(Dense<7, 1>{}, DenseWithoutBias<7, 1>{}, samples);
    for (const auto& [inputs, outputs] : {std::pair<Index, Index>{5, 4}, {3, 1}, {40, 1}, {2, 90}, {33, 160}})
      check_bits_of_zero_bias(Dense<Dynamic, Dynamic, Tanh>{inputs, outputs}, DenseWithoutBias<Dynamic, Dynamic, Tanh>{inputs, outputs},
                              samples);
  }
  CHECK_THROWS_SAYING((DenseWithoutBias<Dynamic, Dynamic>{0, 3}), ShapeError, "DenseWithoutBias: inputs and outputs must be at least 1");
}

TEST_CASE("Dense without bias satisfies the contract of a layer, its derivatives included") {
  const ContractReport report = testing::check_layer(DenseWithoutBias<Dynamic, Dynamic, Tanh>{5, 4});
  INFO(report.to_string());
  CHECK(report.passed);
}

TEST_CASE("Dense applies the formula of an activation of the user") {
  STATIC_REQUIRE(kernels::CanBeFused<Tanh, float>);
  STATIC_REQUIRE(kernels::CanBeFused<MinusTanh, float>);
  STATIC_REQUIRE(!kernels::CanBeFused<SiLU, float>);  // SiLU'(z) needs z
  const Dense<1, 2, MinusTanh> layer;
  const float theta[] = {1, -2, 0, 0.5f}, x[] = {0.75f, -1};
  Dense<1, 2, MinusTanh>::Cache<float, 2> cache(layer, 2);
  layer.forward(theta, detail::matrix_view(static_cast<const float*>(x), 1, 2), cache, ForwardContext<float>{});
  const auto a = cache.output.first(2);
  CHECK(a(0, 0) == Approx(-std::tanh(0.75)));
  CHECK(a(1, 1) == Approx(-std::tanh(2.5)));
}

TEST_CASE("Dense by hand: z = W x + b, a = f(z), and every gradient") {
  //     W = (1 2)   b = ( 0.5)   x = (3)   z = W x + b = (1*3 + 2*4 + 0.5) = (11.5)   a = ReLU(z) = (11.5)
  //         (3 -4)      (-1  )       (4)                 (3*3 - 4*4 - 1  )   (-8  )                 ( 0  )
  const Dense<2, 2, ReLU> layer;
  float theta[6] = {1, 3, 2, -4, 0.5f, -1};  // W by columns, then b
  const auto [weight, bias] = layer.parameters(static_cast<const float*>(theta));
  CHECK(weight(0, 1) == 2);
  CHECK(weight(1, 0) == 3);
  CHECK(bias[1] == -1);

  float x[2] = {3, 4};
  Dense<2, 2, ReLU>::Cache<float, 1> cache(layer, 1);
  layer.forward(theta, detail::matrix_view(static_cast<const float*>(x), 2, 1), cache, ForwardContext<float>{});
  CHECK(cache.output.first(1)(0, 0) == 11.5f);
  CHECK(cache.output.first(1)(1, 0) == 0);

  // with dJ/da = (10, 100): delta = dJ/da * f'(z) = (10, 0), dJ/dW = delta x^T, dJ/db = delta, dJ/dx = W^T delta
  float delta[2] = {10, 100};
  float gradient[6];
  float input_gradient[2];
  MatrixView<float> dJ_dx = detail::matrix_view(input_gradient, 2, 1);
  layer.backward(theta, detail::matrix_view(static_cast<const float*>(x), 2, 1), cache, detail::matrix_view(delta, 2, 1), gradient, &dJ_dx);
  const auto dJ = layer.parameters(static_cast<const float*>(gradient));
  CHECK(dJ.weight == (Eigen::Matrix2f() << 30, 40, 0, 0).finished());
  CHECK(dJ.bias == Eigen::Vector2f(10, 0));
  CHECK(dJ_dx == Eigen::Vector2f(10, 20));
}

TEST_CASE("Dense caches z beside a if the activation's derivative needs z") {
  const Dense<1, 1, Square> layer;
  double theta[2] = {3, 1};  // z = 3 x + 1
  double x[1] = {2};
  Dense<1, 1, Square>::Cache<double, 1> cache(layer, 1);
  layer.forward(theta, detail::matrix_view(static_cast<const double*>(x), 1, 1), cache, ForwardContext<double>{});
  CHECK(cache.z.first(1)(0, 0) == 7);
  CHECK(cache.output.first(1)(0, 0) == 49);

  double delta[1] = {1};
  double gradient[2];
  layer.backward(theta, detail::matrix_view(static_cast<const double*>(x), 1, 1), cache, detail::matrix_view(delta, 1, 1), gradient,
                 static_cast<MatrixView<double>*>(nullptr));
  CHECK(gradient[0] == 2 * 7 * 2);  // f'(z) x
  CHECK(gradient[1] == 2 * 7);
}

TEST_CASE("Dense stores z only if f' needs it, and stores no extents that are known from its type") {
  CHECK(sizeof(Dense<4, 4, Square>::Cache<float, 4>) > sizeof(Dense<4, 4, Tanh>::Cache<float, 4>));
  CHECK(sizeof(Dense<4, 5, Tanh>) < sizeof(Dense<Dynamic, Dynamic, Tanh>));
}

TEST_CASE("a batch of n samples gives the predictions of n batches of one sample, up to rounding") {
  Random random{Seed{5}};
  const auto net =
      make_network<float, SquaredError>(Seed{3}, Dense<Dynamic, Dynamic, Tanh>{7, 20}, Dense<Dynamic, Dynamic, Sigmoid>{20, 3});
  Matrix<float> x(7, 37);
  for (float& entry : x.reshaped()) entry = static_cast<float>(random.uniform() - 0.5);
  const Matrix<float> together = net.predict(x);
  for (Index j = 0; j < x.cols(); ++j) CHECK(net.predict(x.col(j)).isApprox(together.col(j), 1e-6f));
}

TEST_CASE("Dense rejects invalid extents at construction and says what it expected and got") {
  CHECK_THROWS_SAYING((Dense<Dynamic, Dynamic>{0, 3}), ShapeError, "Dense: inputs and outputs must be at least 1, got 0 and 3");
  CHECK_THROWS_SAYING((Dense<Dynamic, Dynamic>{3, -1}), ShapeError, "got 3 and -1");
  constexpr Index large = Index{1} << (sizeof(Index) > 4 ? 40 : 20);
  CHECK_THROWS_SAYING((Dense<Dynamic, Dynamic>{large, large}), ShapeError, "more than memory can address");
  CHECK_THROWS_SAYING((Dense<64, Dynamic>{32, 10}), ShapeError, "its type says 64 inputs and 10 outputs, but it got 32 and 10");
}

TEST_CASE("Dense initializes with the activation's default initializer, adapted to its slope, unless another one is named") {
  Random random{Seed{9}};
  float theta[12];
  Dense<3, 3, ReLU, Zeros>{}.initialize(theta, random);
  for (float parameter : theta) CHECK(parameter == 0);

  // HeNormal's standard deviation is sqrt(2/(1 + alpha^2)/fan_in), so alpha = 0.75 divides the same random numbers by 1.25
  Random first{Seed{9}};
  Random second{Seed{9}};
  float steep[12];
  Dense<3, 3, ReLU>{}.initialize(theta, first);
  Dense<3, 3, LeakyReLU>{LeakyReLU{0.75}}.initialize(steep, second);
  for (int i = 0; i < 9; ++i) CHECK(steep[i] == Approx(theta[i] / 1.25f));
  for (int i = 9; i < 12; ++i) CHECK(steep[i] == 0);  // biases
}
