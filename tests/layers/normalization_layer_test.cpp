#include <chainrule/core/detail/views.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/layer_norm.hpp>
#include <chainrule/layers/normalization_layer.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// A minimal layer with only what BatchNorm and LayerNorm share.
struct Plain : NormalizationLayer<2> {
  explicit Plain(double epsilon) : NormalizationLayer("Plain", epsilon) {}
  using NormalizationLayer::parameter_gradients;
};

/// The largest error of x_hat = (x - mean)/sqrt(variance + 1e-5) over the columns of x, in units of epsilon max(1, |x_hat|).
template <class Scalar>
double worst_error(const Matrix<Scalar>& x_hat, const Matrix<Scalar>& x) {
  long double worst = 0;
  for (Index j = 0; j < x.cols(); ++j) {
    Vector<long double> deviation = x.col(j).template cast<long double>();
    for (int pass = 0; pass < 2; ++pass) deviation.array() -= deviation.sum() / static_cast<long double>(x.rows());
    const long double variance = deviation.squaredNorm() / static_cast<long double>(x.rows());
    for (Index i = 0; i < x.rows(); ++i) {
      const long double exact = deviation[i] / std::sqrt(variance + 1e-5L);
      worst = std::max(worst, std::abs(static_cast<long double>(x_hat(i, j)) - exact) / std::max(1.0L, std::abs(exact)));
    }
  }
  return static_cast<double>(worst / static_cast<long double>(std::numeric_limits<Scalar>::epsilon()));
}

/// worst_error of BatchNorm, whose samples are the rows of x here, and of LayerNorm, whose samples are the columns.
template <class Scalar>
std::array<double, 2> worst_errors(const Matrix<Scalar>& x) {
  const BatchNorm<Dynamic> batch_norm{x.cols()};
  const LayerNorm<Dynamic> layer_norm{x.rows()};
  Vector<Scalar> theta(2 * std::max(x.rows(), x.cols()));
  Random random{Seed{1}};
  BatchNorm<Dynamic>::Cache<Scalar, Dynamic> of_batch{batch_norm, x.rows()};
  LayerNorm<Dynamic>::Cache<Scalar, Dynamic> of_units{layer_norm, x.cols()};
  const Matrix<Scalar> transposed = x.transpose();
  batch_norm.initialize(theta.data(), random);
  batch_norm.forward(theta.data(), detail::const_view<Scalar>(transposed), of_batch, ForwardContext<Scalar>{.mode = Mode::train});
  layer_norm.initialize(theta.data(), random);
  layer_norm.forward(theta.data(), detail::const_view<Scalar>(x), of_units);
  return {worst_error<Scalar>(of_batch.output.first(x.rows()).transpose(), x), worst_error<Scalar>(of_units.output.first(x.cols()), x)};
}

/// Two columns of random numbers with this mean and deviation.
template <class Scalar>
Matrix<Scalar> numbers(Index size, double mean, double deviation) {
  Random random{Seed{2}};
  Matrix<Scalar> x(size, 2);
  for (Scalar& number : x.reshaped()) number = static_cast<Scalar>(mean + deviation * random.normal());
  return x;
}

}  // namespace

TEST_CASE("NormalizationLayer has a weight of 1, a bias of 0 and their gradients") {
  const Plain layer(0.1);
  CHECK(layer.epsilon() == 0.1);
  float theta[4];
  Random random{Seed{1}};
  layer.initialize(theta, random);
  CHECK((theta[0] == 1 && theta[1] == 1 && theta[2] == 0 && theta[3] == 0));
  CHECK_FALSE((layer.tensors()[0].decays || layer.tensors()[1].decays));

  // with x_hat = (1 2; -1 3) and delta = (1 0; 2 1): dJ/dweight = row sums of delta * x_hat = (1, -2 + 3), dJ/dbias = (1, 3)
  const float x_hat[4] = {1, -1, 2, 3};
  const float delta[4] = {1, 2, 0, 1};
  float gradient[4];
  Plain::parameter_gradients<float>(detail::matrix_view(delta, 2, 2), detail::matrix_view(x_hat, 2, 2), gradient, gradient + 2);
  CHECK((gradient[0] == 1 && gradient[1] == 1 && gradient[2] == 1 && gradient[3] == 3));
}

TEST_CASE("BatchNorm and LayerNorm are exact to a few roundings for many numbers and for numbers far from 0") {
  Matrix<float> steps(1000, 1);
  for (Index i = 0; i < 1000; ++i) steps(i, 0) = static_cast<float>(1000000 + i % 4);
  for (const Matrix<float>& x : {numbers<float>(60000, 1e4, 1), numbers<float>(8192, 1e5, 1), numbers<float>(4096, 1e5, 1), steps,
                                 numbers<float>(300, 0, 1e-3), numbers<float>(60000, -1, 1e-2)}) {
    CAPTURE(x.rows(), x(0, 0));
    const auto [of_batch, of_units] = worst_errors(x);
    CHECK(of_batch < 8);
    CHECK(of_units < 8);
  }
  const auto [of_batch, of_units] = worst_errors(numbers<double>(8192, 1e5, 1));
  CHECK(of_batch < 8);
  CHECK(of_units < 8);
}

TEST_CASE("BatchNorm and LayerNorm normalise numbers whose squares overflow") {
  for (const double size : {1e19, 1e25, 1e35}) {
    CAPTURE(size);
    const auto [of_batch, of_units] = worst_errors(numbers<float>(1000, 0, size));
    CHECK(of_batch < 8);
    CHECK(of_units < 8);
  }
  const auto [of_batch, of_units] = worst_errors(numbers<double>(1000, 0, 1e200));
  CHECK(of_batch < 8);
  CHECK(of_units < 8);
}

// Adding 0.1 x 0.1 to a float in order is off by 0.3 % after 60,000 times.
TEST_CASE("the gradients of weight and bias are exact to a few roundings for many samples") {
  const Eigen::MatrixXf x_hat = Eigen::MatrixXf::Constant(2, 60000, 0.1f);
  float gradient[4];
  Plain::parameter_gradients<float>(detail::const_view<float>(x_hat), detail::const_view<float>(x_hat), gradient, gradient + 2);
  const double delta = static_cast<double>(0.1f);
  CHECK(std::abs(static_cast<double>(gradient[1]) / (60000 * delta * delta) - 1) < 2e-6);
  CHECK(std::abs(static_cast<double>(gradient[3]) / (60000 * delta) - 1) < 2e-6);
}

TEST_CASE("NormalizationLayer rejects an epsilon of 0 in the name of its layer") {
  CHECK_THROWS_SAYING(Plain(0), ValueError, "Plain: epsilon must be above 0 and finite, got 0");
}

TEST_CASE("BatchNorm and LayerNorm are right for numbers whose sum or distances are too large for a Scalar") {
  const auto check = [](auto largest) {
    using Scalar = decltype(largest);
    const Matrix<Scalar> far = numbers<Scalar>(1000, 0, 1) * (largest / 8), near = numbers<Scalar>(1000, 1, 1e-5) * (largest / 2);
    const Matrix<Scalar> at_the_end{{largest, -largest}, {largest, largest}, {-largest, largest}, {largest, largest}};
    const Matrix<Scalar> one_large{{largest, 1}, {0, 0}, {0, largest}, {-largest / 3, 1}};
    for (const Matrix<Scalar>& x : {far, near, at_the_end, one_large})
      for (const double error : worst_errors<Scalar>(x)) CHECK(error < 16);
  };
  check(std::numeric_limits<float>::max());
  check(std::numeric_limits<double>::max());
}

TEST_CASE("BatchNorm and LayerNorm map equal numbers of any size to 0, and are right where one number is a rounding away") {
  for (const float number : {0.1f, 1.06667e8f, 7.48933e12f, 1.1e20f, 3e38f, std::numeric_limits<float>::max()}) {
    Matrix<float> x = Matrix<float>::Constant(4928, 2, number);
    for (const double error : worst_errors<float>(x)) CHECK(error < 4);
    x(100, 0) = x(7, 1) = x(4000, 1) = std::nextafter(number, 0.0f);
    for (const double error : worst_errors<float>(x)) CHECK(error < 16);
  }
}

TEST_CASE("BatchNorm's statistics and both layers' gradients are right where the sum of x is too large for a Scalar") {
  const float s = 1e38f;
  Network<float, SquaredError, BatchNorm<1>> net{Seed{1}, BatchNorm<1>{1.0}};
  auto work = net.make_workspace(8);
  net.forward(Matrix<float>::Constant(1, 8, s).eval(), work);
  net.update_statistics(work);
  CHECK(net.buffers<0>().running_mean[0] == s);
  CHECK(net.buffers<0>().running_variance[0] == 0);
  // x = s (2 2 2 -2) has the mean s and the deviations s (1 1 1 -3), whose mean square is 3 s^2: x_hat = (1 1 1 -3)/sqrt(3).
  // With g = (3 0 0 0), 1/4 sum g = 3/4 and 1/4 sum (g x_hat) = 3/4/sqrt(3): dJ/dx = (g - 3/4 - 1/4 (1 1 1 -3))/(s sqrt(3))
  const LayerNorm<4> layer{};
  LayerNorm<4>::Cache<float, Dynamic> cache{layer, 1};
  const std::vector<float> theta{1, 1, 1, 1, 0, 0, 0, 0};
  const Matrix<float> x{{2 * s}, {2 * s}, {2 * s}, {-2 * s}};
  Matrix<float> delta{{3}, {0}, {0}, {0}}, dJ_dx(4, 1);
  std::vector<float> gradient(8);
  MatrixView<float> input_gradient = detail::mutable_view<float>(dJ_dx);
  layer.forward(theta.data(), detail::const_view<float>(x), cache);
  layer.backward(theta.data(), detail::const_view<float>(x), cache, detail::mutable_view<float>(delta), gradient.data(), &input_gradient);
  const float unit = 1 / std::sqrt(3.0f) * 1e-38f;
  const Matrix<float> expected{{2 * unit}, {-unit}, {-unit}, {0}};
  CHECK((dJ_dx - expected).cwiseAbs().maxCoeff() < 1e-43f);  // denormal numbers have a unit of 1.4e-45
}
