#include <chainrule/metrics/average_precision.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

using Ints = std::vector<int>;

}  // namespace

// The literals are from the definition of scikit-learn's average_precision_score, computed with fractions.

TEST_CASE("average_precision is the mean of the precisions at the samples of class 1") {
  CHECK(average_precision(Eigen::RowVectorXd{{0.1, 0.4, 0.35, 0.8}}, Ints{0, 0, 1, 1}) == Approx(5.0 / 6).epsilon(1e-15));
  CHECK(average_precision(Eigen::RowVectorXd{{1, 2, 3, 4}}, Ints{0, 0, 1, 1}) == 1);
  CHECK(average_precision(Eigen::RowVectorXf{{4, 3, 2, 1}}, Ints{0, 0, 1, 1}) == Approx((1.0 / 3 + 0.5) / 2).epsilon(1e-15));
  CHECK(average_precision(Eigen::RowVectorXf{{4, 3}}, Ints{1, 1}) == 1);  // class 0 needs no sample
}

TEST_CASE("average_precision takes samples with equal scores together, in any order") {
  const Eigen::RowVectorXf scores{{0.1f, 0.5f, 0.9f, 0.5f, 0.25f, 0.75f, 0, 1}};
  CHECK(average_precision(scores, Ints{0, 1, 1, 0, 1, 0, 0, 1}) == Approx(49.0 / 60).epsilon(1e-15));
  CHECK(average_precision(Eigen::RowVectorXf{{1, 1, 1, 1, 1}}, Ints{0, 1, 1, 0, 1}) == 0.6);
  CHECK(average_precision(Eigen::RowVectorXf{{1, 1, 1, 1, 1}}, Ints{1, 1, 1, 0, 0}) == 0.6);
}

TEST_CASE("average_precision of two rows uses the second, and of more rows is the mean of each against the rest") {
  const Eigen::Matrix2Xd two{{0.9, 0.6, 0.65, 0.2}, {0.1, 0.4, 0.35, 0.8}};
  CHECK(average_precision(two, Ints{0, 0, 1, 1}) == Approx(5.0 / 6).epsilon(1e-15));
  CHECK(average_precision(two, Eigen::Matrix2Xd{{1, 1, 0, 0}, {0, 0, 1, 1}}) == Approx(5.0 / 6).epsilon(1e-15));
  const Eigen::Matrix3Xd three{{0.5, 0.6, 0.1, 0.2}, {0.3, 0.2, 0.4, 0.7}, {0.2, 0.2, 0.5, 0.1}};
  CHECK(average_precision(three, Ints{0, 1, 2, 1}) == Approx((0.5 + (1 + 0.5) / 2 + 1) / 3).epsilon(1e-15));
}

TEST_CASE("average_precision has a name and refuses data for which it has no value") {
  CHECK(std::string(average_precision.name) == "average_precision");
  const Eigen::RowVectorXd scores{{0.25, 0.5}};
  CHECK_THROWS_SAYING(average_precision(scores, Ints{0, 0}), ValueError, "average_precision: no sample is of class 1",
                      "curve of precision over recall");
  CHECK_THROWS_SAYING(average_precision(scores, Ints{1}), ShapeError, "average_precision: y_hat has 2 samples, but y has 1");
  CHECK_THROWS_SAYING(average_precision(Eigen::RowVectorXd{{std::numeric_limits<double>::quiet_NaN(), 0}}, Ints{0, 1}), ValueError,
                      "y_hat(0, 0) is nan");
}
