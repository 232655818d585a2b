#include <chainrule/metrics/roc_auc.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

using Ints = std::vector<int>;

template <class Metric>
concept TakesLabelsForPredictions = requires(const Metric& metric, const Ints& labels) {
  metric(labels, labels);
};

}  // namespace

// The literals are from scikit-learn's roc_auc_score.

TEST_CASE("roc_auc is the share of pairs of a positive and a negative in which the positive has the higher score") {
  CHECK(roc_auc(Eigen::RowVectorXd{{0.1, 0.4, 0.35, 0.8}}, Ints{0, 0, 1, 1}) == 0.75);  // 3 of 4
  CHECK(roc_auc(Eigen::RowVectorXd{{1, 2, 3, 4}}, Ints{0, 0, 1, 1}) == 1);
  CHECK(roc_auc(Eigen::RowVectorXf{{4, 3, 2, 1}}, Ints{0, 0, 1, 1}) == 0);
}

TEST_CASE("roc_auc counts equal scores as one half") {
  CHECK(roc_auc(Eigen::RowVectorXf{{0.1f, 0.5f, 0.9f, 0.5f, 0.25f, 0.75f, 0, 1}}, Ints{0, 1, 1, 0, 1, 0, 0, 1}) == 0.78125);
  CHECK(roc_auc(Eigen::RowVectorXf{{1, 1, 1, 1, 1}}, Ints{0, 1, 1, 0, 1}) == 0.5);
}

TEST_CASE("roc_auc of two rows uses the second") {
  const Eigen::Matrix2Xd p{{0.9, 0.6, 0.65, 0.2}, {0.1, 0.4, 0.35, 0.8}};
  CHECK(roc_auc(p, Ints{0, 0, 1, 1}) == 0.75);
  CHECK(roc_auc(p, Eigen::Matrix2Xd{{1, 1, 0, 0}, {0, 0, 1, 1}}) == 0.75);
  CHECK(roc_auc(p.row(1), Eigen::RowVectorXd{{0, 0, 1, 1}}) == 0.75);
}

TEST_CASE("roc_auc of several classes is the mean of each against the rest") {
  const Eigen::MatrixXd p{{0.5, 0.25, 0.125, 0.25, 0.5, 0.375, 0.25, 0.125},
                          {0.25, 0.5, 0.5, 0.25, 0.375, 0.375, 0.125, 0.375},
                          {0.25, 0.25, 0.375, 0.5, 0.125, 0.25, 0.625, 0.5}};
  const Ints y{0, 1, 1, 2, 1, 0, 2, 0};
  CHECK(roc_auc(p, y) == Approx(0.8305555555555554).epsilon(1e-15));  // the mean of 0.6, 0.9333 and 0.9583
  CHECK(roc_auc(p.row(0), Ints{1, 0, 0, 0, 0, 1, 0, 1}) == Approx(0.6).epsilon(1e-15));
}

TEST_CASE("roc_auc has a name and takes no labels for predictions") {
  CHECK(std::string(roc_auc.name) == "roc_auc");
  STATIC_REQUIRE(RocAuc::larger_is_better);
  STATIC_REQUIRE_FALSE(TakesLabelsForPredictions<RocAuc>);
}

TEST_CASE("roc_auc refuses a class without samples") {
  const Eigen::RowVectorXf scores{{0.25f, 0.75f}};
  CHECK_THROWS_SAYING(roc_auc(scores, Ints{1, 1}), ValueError, "roc_auc: no sample is of class 0");
  CHECK_THROWS_SAYING(roc_auc(scores, Ints{0, 0}), ValueError, "roc_auc: no sample is of class 1");
  CHECK_THROWS_SAYING(roc_auc(Eigen::MatrixXf(Eigen::MatrixXf::Zero(3, 3)), Ints{0, 1, 1}), ValueError, "no sample is of class 2");
}

TEST_CASE("roc_auc names itself in its errors") {
  Eigen::RowVectorXf scores{{0.25f, 0.75f}};
  CHECK_THROWS_SAYING(roc_auc(scores, Ints{1}), ShapeError, "roc_auc: y_hat has 2 samples, but y has 1");
  CHECK_THROWS_SAYING(roc_auc(scores, Ints{0, 2}), ValueError, "roc_auc: the label of sample 1 in y is 2");
  scores[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_SAYING(roc_auc(scores, Ints{0, 1}), ValueError, "roc_auc: y_hat(0, 0) is nan");
}
