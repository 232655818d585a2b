#include <chainrule/metrics/confusion_matrix.hpp>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

using Ints = std::vector<int>;
constexpr double few_eps = 1e-15;

// Class 2 is never predicted; class 3 never occurs as truth.
const Ints truth{0, 0, 0, 1, 1, 2, 2, 1, 0, 1};
const Ints predicted{0, 1, 0, 1, 1, 0, 3, 1, 1, 3};

}  // namespace

TEST_CASE("a confusion matrix has a row for each true class and a column for each predicted one") {
  const ConfusionMatrix confusion(predicted, truth);
  const bool equal = confusion.counts() == Matrix<Index>{{2, 2, 0, 0}, {0, 3, 0, 1}, {1, 0, 0, 1}, {0, 0, 0, 0}};
  CHECK(equal);
  CHECK(confusion(0, 1) == 2);
  CHECK(confusion(1, 0) == 0);
  CHECK(confusion.classes() == 4);
  CHECK(confusion.samples() == 10);
}

// scikit-learn's precision_recall_fscore_support with zero_division = 0
TEST_CASE("precision, recall, F1 and support of each class") {
  const ConfusionMatrix confusion(predicted, truth);
  CHECK(confusion.accuracy() == 0.5);
  CHECK(confusion.precision(0) == 2.0 / 3);
  CHECK(confusion.precision(1) == 3.0 / 5);
  CHECK(confusion.precision(2) == 0);
  CHECK(confusion.recall(0) == 0.5);
  CHECK(confusion.recall(1) == 0.75);
  CHECK(confusion.recall(3) == 0);
  CHECK(confusion.f1(0) == Approx(0.5714285714285715).epsilon(few_eps));
  CHECK(confusion.f1(1) == Approx(0.6666666666666665).epsilon(few_eps));
  CHECK(confusion.support(0) == 4);
  CHECK(confusion.support(2) == 2);
  CHECK(confusion.support(3) == 0);
}

TEST_CASE("scores averaged over the classes") {
  const ConfusionMatrix confusion(predicted, truth);
  CHECK(confusion.precision(ClassAverage::macro) == Approx(0.31666666666666665).epsilon(few_eps));
  CHECK(confusion.recall(ClassAverage::macro) == Approx(0.3125).epsilon(few_eps));
  CHECK(confusion.f1(ClassAverage::macro) == Approx(0.30952380952380953).epsilon(few_eps));
  CHECK(confusion.precision(ClassAverage::weighted) == Approx(0.5066666666666666).epsilon(few_eps));
  CHECK(confusion.recall(ClassAverage::weighted) == Approx(0.5).epsilon(few_eps));
  CHECK(confusion.f1(ClassAverage::weighted) == Approx(0.49523809523809526).epsilon(few_eps));
  CHECK(confusion.precision(ClassAverage::micro) == 0.5);
  CHECK(confusion.recall(ClassAverage::micro) == 0.5);
  CHECK(confusion.f1(ClassAverage::micro) == 0.5);
}

TEST_CASE("classes that never occur change no score") {
  ConfusionMatrix confusion(7);
  confusion.add(predicted, truth);
  CHECK(confusion.f1(ClassAverage::macro) == ConfusionMatrix(predicted, truth).f1(ClassAverage::macro));
}

TEST_CASE("a confusion matrix of probabilities, and of one row for two classes") {
  const Eigen::MatrixXf p{{0.5f, 0.25f, 0.25f}, {0.25f, 0.5f, 0.5f}, {0.25f, 0.25f, 0.25f}};
  const ConfusionMatrix confusion(p, Ints{0, 1, 2});
  CHECK(confusion.classes() == 3);
  CHECK(confusion(2, 1) == 1);
  CHECK(ConfusionMatrix(p, p)(1, 1) == 2);

  const ConfusionMatrix yes_or_no(Eigen::RowVectorXd{{0.25, 0.5, 1}}, Ints{0, 0, 1});
  CHECK(yes_or_no.classes() == 2);
  CHECK(yes_or_no(0, 1) == 1);
}

TEST_CASE("counts of batches add up to the counts of the whole") {
  ConfusionMatrix confusion(4);
  confusion.add(std::span(predicted).first(3), std::span(truth).first(3));
  confusion.add(std::span(predicted).subspan(3), std::span(truth).subspan(3));
  const bool equal = confusion.counts() == ConfusionMatrix(predicted, truth).counts();
  CHECK(equal);
}

TEST_CASE("to_string writes a table of the counts, aligned by characters") {
  CHECK(ConfusionMatrix(predicted, truth).to_string() ==
        "truth \\ predicted  0  1  2  3\n"
        "0                  2  2  0  0\n"
        "1                  0  3  0  1\n"
        "2                  1  0  0  1\n"
        "3                  0  0  0  0\n");
  ConfusionMatrix flowers(3);
  for (int i = 0; i < 50; ++i) flowers.add(Ints{0, 1, 2, 2}, Ints{0, 1, 2, 1});
  CHECK(flowers.to_string(std::vector<std::string>{"setosa", "versicolor", "a"}) ==
        "truth \\ predicted  setosa  versicolor   a\n"
        "setosa                 50           0   0\n"
        "versicolor              0          50  50\n"
        "a                       0           0  50\n");
  const ConfusionMatrix fruit(Ints{0, 1}, Ints{0, 1});
  CHECK(fruit.to_string(std::vector<std::string>{"\xC3\x84pfel und noch mehr \xC3\x84pfel", "\xC3\x96l"}) ==
        "truth \\ predicted          \xC3\x84pfel und noch mehr \xC3\x84pfel  \xC3\x96l\n"
        "\xC3\x84pfel und noch mehr \xC3\x84pfel                          1   0\n"
        "\xC3\x96l                                                 0   1\n");
}

TEST_CASE("a confusion matrix stays unchanged after an error") {
  ConfusionMatrix confusion(3);
  const Eigen::MatrixXf two_rows = Eigen::MatrixXf::Zero(2, 1);
  CHECK_THROWS_SAYING(confusion.add(two_rows, Ints{0}), ShapeError, "ConfusionMatrix: it has 3 classes", "have 2");
  CHECK_THROWS_SAYING(confusion.add(Ints{0, 1}, Ints{0, 3}), ValueError, "ConfusionMatrix: the label of sample 1 in y is 3", "0 to 2");
  CHECK_THROWS_SAYING(confusion.add(Ints{0, 1}, Ints{0}), ShapeError, "y_hat has 2 samples, but y has 1");
  CHECK(confusion.samples() == 0);
  CHECK_THROWS_SAYING(confusion.accuracy(), StateError, "no sample is counted yet");
  CHECK_THROWS_SAYING(confusion.f1(ClassAverage::macro), StateError, "no sample is counted yet");
  CHECK_THROWS_SAYING(confusion.precision(3), ValueError, "there is no class 3; classes are 0 to 2");
  CHECK_THROWS_SAYING(confusion(0, -1), ValueError, "there is no class -1");
  CHECK_THROWS_SAYING(confusion.to_string(std::vector<std::string>{"a"}), ShapeError, "1 names for 3 classes");
  CHECK_THROWS_SAYING(ConfusionMatrix(0), ValueError, "classes must be 1 to 10000, got 0");
  CHECK_THROWS_SAYING(ConfusionMatrix(Ints{0}, Ints{20000}), ValueError, "got 20001");
}
