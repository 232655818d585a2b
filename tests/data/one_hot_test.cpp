#include <chainrule/data/one_hot.hpp>
#include <cmath>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("one_hot turns a label into a column with a 1 in its row") {
  const Matrix<float> y = one_hot<float>(std::vector<int>{2, 0, 1, 2}, 3);
  const Matrix<float> expected{{0, 1, 0, 0}, {0, 0, 1, 0}, {1, 0, 0, 1}};
  const bool equal = y == expected;
  CHECK(equal);
  CHECK(one_hot<float>(std::vector<int>{}, 3).cols() == 0);
}

TEST_CASE("one_hot names the sample whose label is out of range") {
  CHECK_THROWS_SAYING(one_hot<float>(std::vector<int>{0, 3}, 3), ValueError,
                      "one_hot: the label of sample 1 is 3, but with 3 classes labels are 0 to 2");
  CHECK_THROWS_SAYING(one_hot<float>(std::vector<int>{-1}, 3), ValueError, "the label of sample 0 is -1");
  CHECK_THROWS_SAYING(one_hot<float>(std::vector<int>{}, 0), ShapeError, "at least 1 class, got 0");
}

TEST_CASE("one_hot refuses as many classes as memory cannot hold") {
  CHECK_THROWS_SAYING(one_hot<float>(std::vector{0, 1}, Index{1} << 60), ShapeError, "numbers are more than memory can hold");
}

TEST_CASE("labels_of returns the row of the first largest entry of each column") {
  const Matrix<float> y{{0.2f, -3, 0, 5}, {0.5f, -2, 0, 5}, {0.3f, -4, 0, 6}};
  CHECK(labels_of(y) == std::vector<int>{1, 1, 0, 2});
  CHECK(labels_of(y.leftCols(2)) == std::vector<int>{1, 1});
  const std::vector<int> labels{2, 0, 1, 2};
  CHECK(labels_of(one_hot<float>(labels, 3)) == labels);
}

TEST_CASE("labels_of one row of probabilities is 1 for at least one half") {
  const Matrix<float> y{{0, 0.499f, 0.5f, 1}};
  CHECK(labels_of(y) == std::vector<int>{0, 0, 1, 1});
}

TEST_CASE("labels_of a matrix without rows or with NaN is an error") {
  CHECK_THROWS_SAYING(labels_of(Matrix<float>(0, 2)), ShapeError, "labels_of: y has no rows");
  const Matrix<float> y{{0, 1}, {0, std::nanf("")}};
  CHECK_THROWS_SAYING(labels_of(y), ValueError, "labels_of: y(1, 1) is nan");
}
