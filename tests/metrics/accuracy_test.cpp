#include <array>
#include <chainrule/metrics/accuracy.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

// Sample 5 has two equal largest probabilities; the first one, which is correct, counts.
const Eigen::MatrixXd p{{0.5, 0.25, 0.125, 0.25, 0.5, 0.375, 0.25, 0.125},
                        {0.25, 0.5, 0.5, 0.25, 0.375, 0.375, 0.125, 0.375},
                        {0.25, 0.25, 0.375, 0.5, 0.125, 0.25, 0.625, 0.5}};
const std::vector<int> y{0, 1, 1, 2, 1, 0, 2, 0};

template <class Metric>
concept TakesLabelsForPredictions = requires(const Metric& metric, const std::vector<int>& labels) {
  metric(labels, labels);
};

}  // namespace

TEST_CASE("accuracy is the share of samples whose most probable class is correct") {
  CHECK(accuracy(p, y) == 0.75);
  CHECK(accuracy(p.cast<float>().eval(), y) == 0.75);
  CHECK(accuracy(p.leftCols(4), std::array<unsigned char, 4>{0, 1, 1, 1}) == 0.75);
  CHECK(accuracy(p.leftCols(3), Eigen::VectorXi{{0, 1, 0}}) == 2.0 / 3);
  CHECK(std::string(accuracy.name) == "accuracy");
  STATIC_REQUIRE(Accuracy::larger_is_better);
}

TEST_CASE("accuracy takes targets as one-hot columns or as probabilities") {
  Eigen::MatrixXd one_hot = Eigen::MatrixXd::Zero(3, 8);
  for (Index j = 0; j < 8; ++j) one_hot(y[static_cast<std::size_t>(j)], j) = 1;
  CHECK(accuracy(p, one_hot) == 0.75);
  CHECK(accuracy(p, p) == 1);
}

TEST_CASE("accuracy of one row predicts class 1 for at least one half") {
  const Eigen::RowVectorXf yes{{0.1f, 0.5f, 0.9f, 0.5f, 0.25f, 0.75f, 0, 1}};
  CHECK(accuracy(yes, std::vector<int>{0, 1, 1, 0, 1, 0, 0, 1}) == 0.625);
  CHECK(accuracy(yes, Eigen::RowVectorXf{{0, 1, 1, 0, 1, 0, 0, 1}}) == 0.625);
}

TEST_CASE("accuracy of labels against labels") {
  CHECK(accuracy(std::vector<int>{0, 1, 2, 2}, std::vector<int>{0, 1, 1, 2}) == 0.75);
  CHECK(accuracy(std::vector<int>{0, 1}, p.leftCols(2)) == 1);
}

TEST_CASE("TopKAccuracy is the share of samples whose class is among the k most probable, the first among equals") {
  CHECK(TopKAccuracy{1}(p, y) == 0.75);
  CHECK(TopKAccuracy{2}(p, y) == 0.875);
  CHECK(TopKAccuracy{3}(p, y) == 1);
  const Eigen::Vector4f equal = Eigen::Vector4f::Constant(0.25f);
  CHECK(TopKAccuracy{2}(equal, std::vector<int>{1}) == 1);
  CHECK(TopKAccuracy{2}(equal, std::vector<int>{2}) == 0);
}

TEST_CASE("TopKAccuracy of one row counts two classes") {
  const Eigen::RowVectorXf yes{{0.1f, 0.5f, 0.25f, 0.75f}};
  CHECK(TopKAccuracy{1}(yes, std::vector<int>{0, 1, 1, 0}) == 0.5);
  CHECK(TopKAccuracy{2}(yes, std::vector<int>{0, 1, 1, 0}) == 1);
}

TEST_CASE("TopKAccuracy is named after its k and takes no labels for predictions") {
  CHECK(TopKAccuracy{5}.name == "top_5_accuracy");
  STATIC_REQUIRE(TopKAccuracy::larger_is_better);
  STATIC_REQUIRE(TakesLabelsForPredictions<Accuracy>);
  STATIC_REQUIRE_FALSE(TakesLabelsForPredictions<TopKAccuracy>);
}

TEST_CASE("TopKAccuracy refuses a k below 1 or above the number of classes") {
  CHECK_THROWS_SAYING(TopKAccuracy{0}, ValueError, "TopKAccuracy: k must be at least 1, got 0");
  CHECK_THROWS_SAYING(TopKAccuracy{4}(p, y), ValueError, "top_4_accuracy: k is 4, but there are only 3 classes");
}

TEST_CASE("accuracy names itself in its errors") {
  CHECK_THROWS_SAYING(accuracy(p, std::vector<int>{0}), ShapeError, "accuracy: y_hat has 8 samples, but y has 1");
  CHECK_THROWS_SAYING(accuracy(p.leftCols(1), std::vector<int>{3}), ValueError, "accuracy: the label of sample 0 in y is 3");
  Eigen::MatrixXd diverged = p;
  diverged(0, 2) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(accuracy(diverged, y), ValueError, "accuracy: y_hat(0, 2) is nan");
  CHECK_THROWS_SAYING(TopKAccuracy{2}(diverged, y), ValueError, "top_2_accuracy: y_hat(0, 2) is nan");
}
