#include <chainrule/core/weighting.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <limits>

#include "support/loss_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

/// A loss with sample weights inside, so that it can be tested like any other loss.
template <class L>
struct WeightedBy {
  std::vector<double> weights;
  L loss{};

  template <class Scalar, class Target>
  Scalar value(ConstMatrixView<Scalar> y_hat, const Target& y) const {
    const std::vector<Scalar> w(weights.begin(), weights.end());
    return detail::loss_value(loss, y_hat, WeightedTargets<Scalar, Target>{y, {w.data(), static_cast<Index>(w.size())}});
  }
  template <class Scalar, class Target>
  void gradient(ConstMatrixView<Scalar> y_hat, const Target& y, MatrixView<Scalar> dJ) const {
    const std::vector<Scalar> w(weights.begin(), weights.end());
    detail::loss_gradient(loss, y_hat, WeightedTargets<Scalar, Target>{y, {w.data(), static_cast<Index>(w.size())}}, dJ);
  }
};

/// Checks sample weights with a loss.
template <class L, class Y>
void check_weights_of(const L& loss, const Matrix<double>& y_hat, const Y& y) {
  check_gradient_of_loss(WeightedBy<L>{{1, 2, 0, 0.5, 3}, loss}, y_hat, y);

  const bool ones_are_none = equal(loss_gradient(WeightedBy<L>{{1, 1, 1, 1, 1}, loss}, y_hat, y), loss_gradient(loss, y_hat, y)) &&
                             equal(loss_gradient(WeightedBy<L>{{}, loss}, y_hat, y), loss_gradient(loss, y_hat, y));
  CHECK(ones_are_none);
  const double J = loss_value(loss, y_hat, y);
  CHECK(loss_value(WeightedBy<L>{{1, 1, 1, 1, 1}, loss}, y_hat, y) == Approx(J).epsilon(1e-14));
  CHECK(loss_value(WeightedBy<L>{{}, loss}, y_hat, y) == J);
  CHECK(loss_value(WeightedBy<L>{{3, 3, 3, 3, 3}, loss}, y_hat, y) == Approx(J).epsilon(1e-14));

  // one weight that is not 0: the loss of that sample alone
  const Matrix<double> one = loss_gradient(WeightedBy<L>{{0, 0, 0, 1, 0}, loss}, y_hat, y);
  CHECK(one.leftCols(3).isZero(0));
  CHECK(one.col(4).isZero(0));
  const auto y_view = detail::target_view<double>(y);
  CHECK(loss_value(WeightedBy<L>{{0, 0, 0, 1, 0}, loss}, y_hat, y) ==
        loss.value(detail::sample_of(detail::const_view<double>(y_hat), 3), detail::sample_of(y_view, 3)));

  CHECK(loss_value(WeightedBy<L>{{0, 0, 0, 0, 0}, loss}, y_hat, y) == 0);
  CHECK(loss_gradient(WeightedBy<L>{{0, 0, 0, 0, 0}, loss}, y_hat, y).isZero(0));
}

}  // namespace

TEST_CASE("weights by hand: J = sum w_j J_j / sum w_j, and dJ/dy_hat(:, j) = w_j / sum w_j dJ_j/dy_hat(:, j)") {
  const Matrix<double> y_hat{{2, 0, 4}};
  const Matrix<double> y{{0, 1, 1}};  // J_j = 2, 1/2, 9/2
  const WeightedBy<SquaredError> loss{{1, 3, 4}};
  CHECK(loss_value(loss, y_hat, y) == (1 * 2 + 3 * 0.5 + 4 * 4.5) / 8);
  CHECK(loss_gradient(loss, y_hat, y).isApprox(Matrix<double>{{2.0 / 8, -3.0 / 8, 12.0 / 8}}, 1e-15));
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
  CHECK(loss_value(WeightedBy<SoftmaxCrossEntropy>{{2, 1, 0}}, y_hat, std::vector<int>{0, 1, 2}) ==
        Approx(loss_value(SoftmaxCrossEntropy{}, copies, std::vector<int>{0, 0, 1})).epsilon(1e-14));
}

TEST_CASE("a sample with weight 0 has no effect, whatever its numbers") {
  const float most = std::numeric_limits<float>::max();
  const Matrix<float> y_hat{{1, most}};
  const Matrix<float> y{{0, -most}};
  const WeightedBy<SquaredError> loss{{2, 0}};
  CHECK(loss_value(loss, y_hat, y) == 0.5f);
  const bool without = equal(loss_gradient(loss, y_hat, y), matrix<float>({{1, 0}}));
  CHECK(without);
}

TEST_CASE("weighted() views targets and weights without a copy; weights may be any vector") {
  const std::vector<int> labels{0, 1, 2};
  const Eigen::Vector3f w(1, 2, 3);
  const auto y = weighted(labels, w);
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
}

TEST_CASE("total_weight is the sum of the weights, or the number of samples where there are none") {
  const std::vector<int> y{0, 1, 2};
  CHECK(detail::total_weight(weighted(y, std::vector<float>{1, 0.5f, 0})) == 1.5);
  CHECK(detail::total_weight(weighted(y, std::vector<float>{})) == 3);
}
