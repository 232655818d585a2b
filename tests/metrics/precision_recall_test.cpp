#include <chainrule/metrics/precision_recall.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

using Ints = std::vector<int>;
constexpr double few_eps = 1e-15;

// Class 2 is never predicted; class 3 never occurs as truth; class 4 does neither.
const Ints truth{0, 0, 0, 1, 1, 2, 2, 1, 0, 1};
const Ints predicted{0, 1, 0, 1, 1, 0, 3, 1, 1, 3};

Eigen::MatrixXf one_hot(const Ints& labels, Index classes) {
  Eigen::MatrixXf y = Eigen::MatrixXf::Zero(classes, std::ssize(labels));
  for (Index j = 0; j < y.cols(); ++j) y(labels[static_cast<std::size_t>(j)], j) = 1;
  return y;
}

}  // namespace

// The literals are from scikit-learn's precision_score, recall_score and f1_score with zero_division = 0.

TEST_CASE("precision, recall and f1 of one row are those of class 1") {
  const Eigen::RowVectorXf p{{0.1f, 0.5f, 0.9f, 0.5f, 0.25f, 0.75f, 0, 1}};
  const Ints y{0, 1, 1, 0, 1, 0, 0, 1};
  CHECK(precision(p, y) == Approx(0.6).epsilon(few_eps));
  CHECK(recall(p, y) == Approx(0.75).epsilon(few_eps));
  CHECK(f1(p, y) == Approx(0.6666666666666666).epsilon(few_eps));
  CHECK(precision(p, Eigen::RowVectorXf{{0, 1, 1, 0, 1, 0, 0, 1}}) == precision(p, y));

  CHECK(macro_precision(p, y) == Approx(0.6333333333333333).epsilon(few_eps));
  CHECK(macro_recall(p, y) == Approx(0.625).epsilon(few_eps));
  CHECK(macro_f1(p, y) == Approx(0.6190476190476191).epsilon(few_eps));
}

TEST_CASE("precision, recall and f1 of two rows and of labels are those of class 1") {
  const Eigen::Matrix2Xf p{{0.75f, 0.5f, 0.25f, 0.125f}, {0.25f, 0.5f, 0.75f, 0.875f}};  // classes 0, 0, 1, 1
  const Ints y{0, 1, 1, 0};
  CHECK(precision(p, y) == 0.5);
  CHECK(recall(p, y) == 0.5);
  CHECK(precision(Ints{1, 1, 1, 0}, Ints{1, 0, 0, 0}) == 1.0 / 3);
  CHECK(recall(Ints{1, 1, 1, 0}, Ints{1, 0, 0, 0}) == 1);
  CHECK(f1(Ints{1, 1, 1, 0}, Ints{1, 0, 0, 0}) == 0.5);
}

TEST_CASE("precision, recall and f1 with denominator 0 are 0") {
  CHECK(precision(Ints{0, 0, 0}, Ints{0, 1, 1}) == 0);
  CHECK(recall(Ints{0, 1}, Ints{0, 0}) == 0);
  CHECK(f1(Ints{0, 0}, Ints{0, 0}) == 0);
}

TEST_CASE("macro scores are means over the classes that occur as truth or as prediction") {
  CHECK(macro_precision(predicted, truth) == Approx(0.31666666666666665).epsilon(few_eps));
  CHECK(macro_recall(predicted, truth) == Approx(0.3125).epsilon(few_eps));
  CHECK(macro_f1(predicted, truth) == Approx(0.30952380952380953).epsilon(few_eps));
  CHECK(macro_f1(one_hot(predicted, 5), truth) == macro_f1(predicted, truth));
  CHECK(macro_f1(one_hot(predicted, 5), one_hot(truth, 5)) == macro_f1(predicted, truth));
}

TEST_CASE("micro scores are the accuracy") {
  CHECK(micro_precision(predicted, truth) == 0.5);
  CHECK(micro_recall(predicted, truth) == 0.5);
  CHECK(micro_f1(predicted, truth) == 0.5);
  CHECK(micro_f1(one_hot(predicted, 5), truth) == 0.5);
}

// Classes are counted 256 per pass: 255 and 256 are in different passes, and 255 and 511 have the same position in their passes.
TEST_CASE("macro scores of more classes than are counted per pass") {
  const Ints y{0, 255, 256, 511, 511};
  const Ints y_hat{0, 511, 256, 511, 255};
  CHECK(macro_precision(y_hat, y) == 2.5 / 4);
  CHECK(macro_recall(y_hat, y) == 2.5 / 4);
  CHECK(macro_f1(y_hat, y) == 2.5 / 4);
  CHECK(micro_f1(y_hat, y) == Approx(0.6).epsilon(few_eps));
}

TEST_CASE("scores have names") {
  CHECK(std::string(precision.name) == "precision");
  CHECK(std::string(recall.name) == "recall");
  CHECK(std::string(f1.name) == "f1");
  CHECK(std::string(macro_f1.name) == "macro_f1");
  CHECK(std::string(micro_precision.name) == "micro_precision");
  STATIC_REQUIRE(F1::larger_is_better);
  STATIC_REQUIRE(MacroF1::larger_is_better);
}

TEST_CASE("precision and f1 refuse more than two classes and name the scores that take them") {
  CHECK_THROWS_SAYING(precision(one_hot(truth, 3), truth), ShapeError, "precision: there are 3 classes", "macro_precision");
  CHECK_THROWS_SAYING(f1(predicted, truth), ShapeError, "f1: there are 4 classes");
}

TEST_CASE("scores name themselves in their errors") {
  Eigen::MatrixXf p = one_hot(predicted, 5);
  CHECK_THROWS_SAYING(macro_f1(p, Ints{0}), ShapeError, "macro_f1: y_hat has 10 samples, but y has 1");
  CHECK_THROWS_SAYING(macro_recall(one_hot(truth, 3), predicted), ValueError, "macro_recall: the label of sample 6 in y is 3");
  p(1, 2) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_SAYING(micro_f1(p, truth), ValueError, "micro_f1: y_hat(1, 2) is nan");
}
