#include <chainrule/metrics/regression.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

constexpr double few_eps = 1e-14;

const Eigen::MatrixXd y{{3, -0.5, 2, 7}, {-0.5, 2, 7, 1.5}};
const Eigen::MatrixXd y_hat{{2.5, 0, 2, 8}, {0, 2, 8, -1}};

template <class Metric>
concept TakesLabels = requires(const Metric& metric, ConstMatrixView<float> predictions, Labels<int> labels) {
  metric(predictions, labels);
};
template <class Metric>
concept TakesNumbers = requires(const Metric& metric, ConstMatrixView<float> predictions, ConstMatrixView<float> targets) {
  metric(predictions, targets);
};

}  // namespace

// The literals are from scikit-learn's mean_squared_error, mean_absolute_error and r2_score, with multioutput = "uniform_average".

TEST_CASE("regression metrics of one output") {
  CHECK(mse(y_hat.row(0), y.row(0)) == 0.375);
  CHECK(mae(y_hat.row(0), y.row(0)) == 0.5);
  CHECK(rmse(y_hat.row(0), y.row(0)) == Approx(0.6123724356957945).epsilon(few_eps));
  CHECK(r2(y_hat.row(0), y.row(0)) == Approx(0.9486081370449679).epsilon(few_eps));
}

TEST_CASE("regression metrics of several outputs are the mean over the outputs") {
  CHECK(mse(y_hat, y) == 1.125);
  CHECK(mae(y_hat, y) == 0.75);
  CHECK(rmse(y_hat, y) == Approx(0.9908394147293549).epsilon(few_eps));  // not sqrt(1.125) = 1.06
  CHECK(r2(y_hat, y) == Approx(0.8513532488503528).epsilon(few_eps));
}

TEST_CASE("regression metrics of float are summed in double") {
  CHECK(mse(y_hat.cast<float>().eval(), y.cast<float>().eval()) == 1.125);
  const Eigen::RowVectorXf many = Eigen::RowVectorXf::Constant(20'000, 0.1f);  // a sum of squares in float would be 0.015 % off
  CHECK(mse(many, Eigen::RowVectorXf(Eigen::RowVectorXf::Zero(20'000))) == Approx(double{0.1f} * double{0.1f}).epsilon(1e-11));
}

TEST_CASE("r2 is 1 for exact predictions, 0 for the mean of y, and below 0 for worse ones") {
  const Eigen::RowVectorXd up{{1, 2, 3}};
  CHECK(r2(up, up) == 1);
  CHECK(r2(Eigen::RowVectorXd{{2, 2, 2}}, up) == 0);
  CHECK(r2(Eigen::RowVectorXd{{3, 2, 1}}, up) == -3);
}

TEST_CASE("r2 of a constant output is 1 for exact predictions, else 0") {
  const Eigen::RowVectorXd same{{0.1, 0.1, 0.1}};  // the sum divided by 3 is not exactly 0.1
  CHECK(r2(same, same) == 1);
  CHECK(r2(Eigen::RowVectorXd{{0.1, 0.1, 0.2}}, same) == 0);
  const Eigen::MatrixXd both{{5, 5, 5}, {1, 2, 4}};
  CHECK(r2(Eigen::MatrixXd{{5, 5, 5}, {1, 3, 3}}, both) == Approx(0.7857142857142857).epsilon(few_eps));
  CHECK(r2(Eigen::MatrixXd{{5, 5, 6}, {1, 3, 3}}, both) == Approx(0.2857142857142857).epsilon(few_eps));
}

// Expected: 1 - 2/8. Sums of squares near 1e16 have a spacing of 2, so their difference would lose this.
TEST_CASE("r2 of numbers far from 0 is computed without cancellation") {
  CHECK(r2(Eigen::RowVectorXd{{1e8, 1e8 + 1, 1e8 + 3}}, Eigen::RowVectorXd{{1e8, 1e8 + 2, 1e8 + 4}}) == 0.75);
}

TEST_CASE("regression metrics have names, know whether larger is better, and take no labels") {
  CHECK(std::string(mse.name) == "mse");
  CHECK(std::string(mae.name) == "mae");
  CHECK(std::string(rmse.name) == "rmse");
  CHECK(std::string(r2.name) == "r2");
  STATIC_REQUIRE_FALSE((Mse::larger_is_better || Mae::larger_is_better || Rmse::larger_is_better));
  STATIC_REQUIRE(R2::larger_is_better);
  STATIC_REQUIRE((TakesNumbers<Mse> && TakesNumbers<Mae> && TakesNumbers<Rmse> && TakesNumbers<R2>));
  STATIC_REQUIRE_FALSE((TakesLabels<Mse> || TakesLabels<Mae> || TakesLabels<Rmse> || TakesLabels<R2>));
}

TEST_CASE("regression metrics refuse different extents") {
  CHECK_THROWS_SAYING(mse(y_hat, y.leftCols(3)), ShapeError, "mse: y_hat has 4 samples, but y has 3", "one column is one sample");
  CHECK_THROWS_SAYING(mae(y_hat.topRows(1), y), ShapeError, "mae: y_hat has 1 rows, but y has 2");
  CHECK_THROWS_SAYING(rmse(y_hat.leftCols(0), y.leftCols(0)), ShapeError, "rmse: there are no samples");
  CHECK_THROWS_SAYING(r2(y_hat.leftCols(1), y.leftCols(1)), ShapeError, "r2: it needs at least two samples, got 1");
}

TEST_CASE("regression metrics name the position of NaN and infinity") {
  Eigen::MatrixXd bad = y;
  bad(1, 2) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(mse(bad, y), ValueError, "mse: y_hat(1, 2) is nan (output 1 of sample 2)");
  CHECK_THROWS_SAYING(r2(y_hat, bad), ValueError, "r2: y(1, 2) is nan");
  bad(1, 2) = -std::numeric_limits<double>::infinity();
  CHECK_THROWS_SAYING(rmse(bad, y), ValueError, "rmse: y_hat(1, 2) is -inf");
}

TEST_CASE("metrics of regression are right for doubles whose sums, distances or squares overflow or vanish") {
  // errors of 1, -1, 1, 3 (mean square 3, mean 1.5) and y of mean 2 with squares of deviations 9 + 1 + 1 + 9
  const Eigen::RowVector4d numbers(-1, 1, 3, 5), errors(1, -1, 1, 3);
  for (const double size : {1e-305, 1e-200, 1.0, 1e200, 3e307}) {
    CAPTURE(size);
    const Eigen::RowVector4d predictions = (numbers - errors) * size, targets = numbers * size;
    CHECK(mae(predictions, targets) / size == Approx(1.5));
    CHECK(rmse(predictions, targets) / size == Approx(std::sqrt(3.0)));
    CHECK(r2(predictions, targets) == Approx(1 - 12.0 / 20));
  }
  const Eigen::RowVector4d large = Eigen::RowVector4d::Constant(std::numeric_limits<double>::max());
  CHECK(mae(large, (-large).eval()) == std::numeric_limits<double>::infinity());  // the mean itself is too large
  CHECK(mae(large, (large / 2).eval()) == Approx(std::numeric_limits<double>::max() / 2));
  CHECK(mse((large / large[0] * 1e154).eval(), Eigen::RowVector4d::Zero().eval()) == Approx(1e308));
  CHECK(r2(large, large) == 1);
}
