#include <chainrule/core/weighting.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/gaussian_nll.hpp>
#include <chainrule/losses/hinge.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/losses/kl_divergence.hpp>
#include <chainrule/losses/log_cosh.hpp>
#include <chainrule/losses/mean_absolute_error.hpp>
#include <chainrule/losses/mean_over_elements.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/losses/poisson_nll.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("mean_over_elements and slopes_over_elements ignore the padding between columns", "[loss]") {
  Matrix<float> y_hat(3, 3), dJ(3, 3);
  y_hat << 1, 2, 99, 3, 4, 99, 99, 99, 99;
  dJ.setConstant(99);
  const Eigen::OuterStride<> stride(3);
  const Matrix<float> y = Matrix<float>::Constant(2, 2, 0.5f);
  const ConstMatrixView<float> view(y_hat.data(), 2, 2, stride);
  const ConstMatrixView<float> targets = detail::matrix_view(y.data(), 2, 2);
  const auto product = [](float a, float b) { return a * b; };
  CHECK(mean_over_elements(view, targets, product) == 1.25f);  // (1 + 3 + 2 + 4) / 8
  slopes_over_elements(view, targets, MatrixView<float>(dJ.data(), 2, 2, stride), product);
  Matrix<float> expected(3, 3);
  expected << 0.125f, 0.25f, 99, 0.375f, 0.5f, 99, 99, 99, 99;
  CHECK((dJ == expected));
}

TEST_CASE("mean_over_elements keeps full accuracy over two million floats", "[loss]") {
  const Matrix<float> y = Matrix<float>::Constant(2, 1 << 20, 0.1f);
  const auto view = detail::matrix_view(y.data(), y.rows(), y.cols());
  CHECK(mean_over_elements(view, view, [](float a, float) { return a; }) == 0.1f);
}

TEST_CASE("the mean of losses whose sum is too large for a double is right, and infinite only where it is too large itself") {
  const double s = 1.5e308;  // four of them are more than the largest double, 1.8e308
  const Matrix<double> large{{s, s, s, s}}, zero{{0, 0, 0, 0}}, no{{-1, -1, -1, -1}};
  const Matrix<double> logits{{s, s, s, s}, {0, 0, 0, 0}}, second{{0, 0, 0, 0}, {1, 1, 1, 1}};
  const std::vector<int> labels{1, 1, 1, 1}, of_no{0, 0, 0, 0};
  const std::vector<double> weights{2};
  const auto view = [](const Matrix<double>& m) { return detail::const_view<double>(m); };
  const auto is = [](double value, double expected) { return std::abs(value / expected - 1) < 1e-14; };
  CHECK(is(MeanAbsoluteError{}.value(view(large), view(zero)), s));
  CHECK(is(Huber{}.value(view(large), view(zero)), s));
  CHECK(is(LogCosh{}.value(view(large), view(zero)), s));
  CHECK(is(Hinge{}.value(view(large), view(no)), s));
  CHECK(is(Hinge{}.value(view(large), view(no), std::span(weights)), s));  // the weight is that of yes
  CHECK(is(BinaryCrossEntropy{}.value(view(large), view(zero)), s));
  CHECK(is(BinaryCrossEntropy{}.value(view(large), Labels<int>(of_no)), s));
  CHECK(is(BinaryCrossEntropy{}.value(view(large), view(zero), std::span(weights)), s));
  CHECK(is(SoftmaxCrossEntropy{}.value(view(logits), Labels<int>(labels)), s));
  CHECK(is(KLDivergence{}.value(view(logits), view(second)), s));
  CHECK(is(PoissonNLL{}.value(view(Matrix<double>{{709.5, 709.5, 709.5, 709.5}}), view(zero)), std::exp(709.5)));
  const Matrix<double> roots{{1.5e154, 1.5e154, 1.5e154, 1.5e154}};
  const Matrix<double> halves = roots / 2, below = -large;
  CHECK(is(SquaredError{}.value(view(halves), view(zero)), 1.5e154 / 8 * 1.5e154));
  CHECK(is(MeanSquaredError{}.value(view(halves), view(zero)), 1.5e154 / 4 * 1.5e154));
  CHECK(is(GaussianNLL{.minimum_variance = 0}.value(view(Matrix<double>{{1.5e154, 1.5e154}, {0, 0}}), view(Matrix<double>{{0, 0}})),
           1.5e154 / 2 * 1.5e154));
  const auto mean = [](ConstMatrixView<double> y_hat, ConstMatrixView<double> y) {
    return mean_over_elements(y_hat, y, [](double p, double t) { return std::abs(p - t); });
  };
  CHECK(is(mean(view(large), view(zero)), s));
  CHECK(std::isinf(mean(view(large), view(below))));
  const std::vector<double> of_samples{1, 3, 0, 2};  // sum w_j J_j/(4 m) with m = 2 is 6 s/8
  const WeightedTargets<double, ConstMatrixView<double>> y{view(zero), {of_samples.data(), 4}, 2};
  CHECK(is(detail::loss_value(MeanAbsoluteError{}, view(large), y), 0.75 * s));
}
