#include <chainrule/core/weighting.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <limits>

#include "support/loss_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

/// A loss with sample weights inside, and their mean over the data set, so that it can be tested like any other loss.
template <class L>
struct WeightedBy {
  std::vector<double> weights;
  double mean_weight = 0;
  L loss{};

  template <class Scalar, class Target>
  Scalar value(ConstMatrixView<Scalar> y_hat, const Target& y) const {
    const std::vector<Scalar> w(weights.begin(), weights.end());
    return detail::loss_value(loss, y_hat, WeightedTargets<Scalar, Target>{y, {w.data(), static_cast<Index>(w.size())}, mean_weight});
  }
  template <class Scalar, class Target>
  void gradient(ConstMatrixView<Scalar> y_hat, const Target& y, MatrixView<Scalar> dJ) const {
    const std::vector<Scalar> w(weights.begin(), weights.end());
    detail::loss_gradient(loss, y_hat, WeightedTargets<Scalar, Target>{y, {w.data(), static_cast<Index>(w.size())}, mean_weight}, dJ);
  }
  template <class Scalar, class Target>
  void gradient_jvp(ConstMatrixView<Scalar> y_hat, const Target& y, ConstMatrixView<Scalar> direction, MatrixView<Scalar> out) const {
    const std::vector<Scalar> w(weights.begin(), weights.end());
    const WeightedTargets<Scalar, Target> weighted_y{y, {w.data(), static_cast<Index>(w.size())}, mean_weight};
    detail::loss_gradient_jvp(loss, y_hat, weighted_y, direction, out);
  }
};

/// Checks sample weights with a loss.
template <class L, class Y>
void check_weights_of(const L& loss, const Matrix<double>& y_hat, const Y& y) {
  check_gradient_of_loss(WeightedBy<L>{{1, 2, 0, 0.5, 3}, 1.5, loss}, y_hat, y);
  check_gradient_jvp_of_loss(WeightedBy<L>{{1, 2, 0, 0.5, 3}, 1.5, loss}, y_hat, y);
  CHECK(equal(loss_gradient_jvp(WeightedBy<L>{{}, 0, loss}, y_hat, y, y_hat), loss_gradient_jvp(loss, y_hat, y, y_hat)));

  const bool ones_are_none = equal(loss_gradient(WeightedBy<L>{{1, 1, 1, 1, 1}, 0, loss}, y_hat, y), loss_gradient(loss, y_hat, y)) &&
                             equal(loss_gradient(WeightedBy<L>{{}, 1, loss}, y_hat, y), loss_gradient(loss, y_hat, y));
  CHECK(ones_are_none);
  const double J = loss_value(loss, y_hat, y);
  CHECK(loss_value(WeightedBy<L>{{1, 1, 1, 1, 1}, 0, loss}, y_hat, y) == Approx(J).epsilon(1e-14));
  CHECK(loss_value(WeightedBy<L>{{}, 0, loss}, y_hat, y) == J);
  CHECK(loss_value(WeightedBy<L>{{3, 3, 3, 3, 3}, 3, loss}, y_hat, y) == Approx(J).epsilon(1e-14));
  CHECK(loss_value(WeightedBy<L>{{}, 4, loss}, y_hat, y) == Approx(J / 4).epsilon(1e-14));

  // one weight that is not 0: the loss of that sample alone, which has a fifth of the whole weight that five samples of weight 1 have
  const Matrix<double> one = loss_gradient(WeightedBy<L>{{0, 0, 0, 1, 0}, 1, loss}, y_hat, y);
  CHECK(one.leftCols(3).isZero(0));
  CHECK(one.col(4).isZero(0));
  const auto y_view = detail::target_view<double>(y);
  CHECK(loss_value(WeightedBy<L>{{0, 0, 0, 1, 0}, 0.2, loss}, y_hat, y) ==
        loss.value(detail::sample_of(detail::const_view<double>(y_hat), 3), detail::sample_of(y_view, 3)));

  CHECK(loss_value(WeightedBy<L>{{0, 0, 0, 0, 0}, 1, loss}, y_hat, y) == 0);
  CHECK(loss_gradient(WeightedBy<L>{{0, 0, 0, 0, 0}, 1, loss}, y_hat, y).isZero(0));
}

}  // namespace

TEST_CASE("weights by hand: J = sum w_j J_j / (batch m), and dJ/dy_hat(:, j) = w_j/(batch m) dJ_j/dy_hat(:, j)") {
  const Matrix<double> y_hat{{2, 0, 4}};
  const Matrix<double> y{{0, 1, 1}};  // J_j = 2, 1/2, 9/2
  const WeightedBy<SquaredError> loss{{1, 3, 4}, 2};
  CHECK(loss_value(loss, y_hat, y) == Approx((1 * 2 + 3 * 0.5 + 4 * 4.5) / 6).epsilon(1e-15));
  CHECK(loss_gradient(loss, y_hat, y).isApprox(Matrix<double>{{2.0 / 6, -3.0 / 6, 12.0 / 6}}, 1e-15));
  const Matrix<double> d{{5, 7, -1}};
  CHECK(loss_gradient_jvp(loss, y_hat, y, d).isApprox(Matrix<double>{{5.0 / 6, 21.0 / 6, -4.0 / 6}}, 1e-15));
  // where the mean weight is not known, m is 1
  CHECK(loss_value(WeightedBy<SquaredError>{{1, 3, 4}}, y_hat, y) == Approx((1 * 2 + 3 * 0.5 + 4 * 4.5) / 3).epsilon(1e-15));
}

TEST_CASE("a weight means the same at every batch size: batches of any size add up to the gradient of all samples") {
  Random random{Seed{3}};
  const auto y_hat = random_matrix<double>(3, 6, random);
  const std::vector<int> y{0, 2, 1, 1, 2, 0};
  const std::vector<double> w{1, 0, 3, 0.5, 39, 2.5};
  const double m = 46.0 / 6;
  const SoftmaxCrossEntropy loss;
  const Matrix<double> whole = loss_gradient(WeightedBy<SoftmaxCrossEntropy>{w, m}, y_hat, y);
  double weighted_mean = 0;  // sum w_j J_j / sum w_j
  for (Index j = 0; j < 6; ++j) {
    const auto k = static_cast<std::size_t>(j);
    weighted_mean += w[k] / 46 * loss_value(loss, Matrix<double>(y_hat.col(j)), std::vector<int>{y[k]});
  }
  for (const Index size : {1, 2, 4, 6}) {
    double sum = 0;
    for (Index first = 0; first < 6; first += size) {
      const Index count = std::min(size, 6 - first);
      const Matrix<double> part = y_hat.middleCols(first, count);
      const std::vector<int> labels(y.begin() + first, y.begin() + first + count);
      const WeightedBy<SoftmaxCrossEntropy> of_batch{{w.begin() + first, w.begin() + first + count}, m};
      sum += static_cast<double>(count) * loss_value(of_batch, part, labels);
      CHECK((static_cast<double>(count) * loss_gradient(of_batch, part, labels)).isApprox(6 * whole.middleCols(first, count), 1e-14));
    }
    CHECK(sum / 6 == Approx(weighted_mean).epsilon(1e-14));
  }
}

TEST_CASE("every loss can be weighted") {
  Random random{Seed{1}};
  const auto y_hat = random_matrix<double>(3, 5, random);
  check_weights_of(SquaredError{}, y_hat, random_matrix<double>(3, 5, random));
  check_weights_of(MeanSquaredError{}, y_hat, random_matrix<double>(3, 5, random));
  check_weights_of(BinaryCrossEntropy{}, y_hat, Matrix<double>(random_matrix<double>(3, 5, random).cwiseAbs()));
  check_weights_of(SoftmaxCrossEntropy{}, y_hat, random_distributions<double>(3, 5, random));
  check_weights_of(SoftmaxCrossEntropy{}, y_hat, std::vector<int>{0, 2, 1, 1, 2});
}

TEST_CASE("integer weights have the effect of repeated samples") {
  Random random{Seed{2}};
  const auto y_hat = random_matrix<double>(3, 3, random);
  const Matrix<double> copies = y_hat(Eigen::all, std::vector<int>{0, 0, 1});
  CHECK(loss_value(WeightedBy<SoftmaxCrossEntropy>{{2, 1, 0}, 1}, y_hat, std::vector<int>{0, 1, 2}) ==
        Approx(loss_value(SoftmaxCrossEntropy{}, copies, std::vector<int>{0, 0, 1})).epsilon(1e-14));
}

TEST_CASE("a sample with weight 0 has no effect, whatever its numbers") {
  const float most = std::numeric_limits<float>::max();
  const Matrix<float> y_hat{{1, most}};
  const Matrix<float> y{{0, -most}};
  const WeightedBy<SquaredError> loss{{2, 0}, 1};
  CHECK(loss_value(loss, y_hat, y) == 0.5f);
  const bool without = equal(loss_gradient(loss, y_hat, y), matrix<float>({{1, 0}}));
  CHECK(without);
}

TEST_CASE("weighted() views targets and weights without a copy; weights may be any vector") {
  const std::vector<int> labels{0, 1, 2};
  const Eigen::Vector3f w(1, 2, 3);
  const auto y = weighted(labels, w, 1.5);
  CHECK(y.mean_weight == 1.5);
  STATIC_REQUIRE(std::is_same_v<decltype(y), const WeightedTargets<float, Labels<int>>>);
  CHECK(y.targets.data() == labels.data());
  CHECK(y.weights.data() == w.data());
  CHECK(detail::samples_of(y) == 3);
  CHECK(detail::without_weights(y).data() == labels.data());
  const std::vector<double> numbers{1, 2, 3};
  const Matrix<double> matrix_of_y = Matrix<double>::Zero(2, 3);
  CHECK(weighted(matrix_of_y, numbers).weights.size() == 3);
  CHECK(weighted(matrix_of_y, Eigen::Map<const Eigen::RowVector3d>(numbers.data())).weights[2] == 3);
}

TEST_CASE("check_weights wants one finite weight of at least 0 for each sample, or no weights") {
  const std::vector<int> y{0, 1, 2};
  const auto check = [&](const std::vector<float>& w) { detail::check_weights(weighted(y, w)); };
  CHECK_NOTHROW(check({}));
  CHECK_NOTHROW(check({0, 0, 0}));
  CHECK_NOTHROW(detail::check_weights(detail::target_view<float>(y)));
  CHECK_THROWS_SAYING(check({1, 2}), ShapeError, "target: there are 2 weights for 3 samples");
  CHECK_THROWS_SAYING(check({1, 2, 3, 4}), ShapeError, "target: there are 4 weights for 3 samples");
  CHECK_THROWS_SAYING(check({1, -0.5f, 1}), ValueError, "target: the weight of sample 1 is -0.5, but weights are finite and at least 0");
  CHECK_THROWS_SAYING(check({1, 1, std::numeric_limits<float>::quiet_NaN()}), ValueError, "the weight of sample 2 is nan");
  CHECK_THROWS_SAYING(check({std::numeric_limits<float>::infinity(), 1, 1}), ValueError, "the weight of sample 0 is inf");
  const std::vector<float> ones{1, 1, 1};
  CHECK_THROWS_SAYING(detail::check_weights(weighted(y, ones, -1)), ValueError, "target: the mean weight is -1, but it must be finite");
  CHECK_THROWS_SAYING(detail::check_weights(weighted(y, ones, std::numeric_limits<double>::quiet_NaN())), ValueError, "mean weight is nan");
}

TEST_CASE("the mean weight is the sum of the weights, or 1 without weights, over the number of samples") {
  const std::vector<int> y{0, 1, 2};
  const auto mean_of = [&](const std::vector<float>& w) { return detail::mean_weight_of("fit", SoftmaxCrossEntropy{}, weighted(y, w)); };
  CHECK(mean_of({1, 0.5f, 0}) == 0.5);
  CHECK(mean_of({}) == 1);
  CHECK_THROWS_SAYING(mean_of({0, 0, 0}), ValueError, "fit: all weights of the samples are 0");
  const std::vector<double> huge(3, 1e308);
  CHECK_THROWS_SAYING(detail::mean_weight_of("fit", SoftmaxCrossEntropy{}, weighted(y, huge)), ValueError, "sum to inf");
}
