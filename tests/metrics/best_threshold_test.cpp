#include <chainrule/metrics/best_threshold.hpp>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

// by score:         0.9  0.8  0.8  0.6  0.3  0.1
//                   yes  no   yes  yes  no   no
const Matrix<double> p{{0.1, 0.8, 0.9, 0.3, 0.8, 0.6}};
const std::vector<int> y{0, 0, 1, 0, 1, 1};

}  // namespace

TEST_CASE("best_f1_threshold is in the middle of the scores between which F1 is largest") {
  // F1 at the scores: 2/4, 4/6, 6/7, 6/8, 6/9
  CHECK(best_f1_threshold(p, y) == 0.3 + (0.6 - 0.3) / 2);
  Matrix<double> two_rows(2, 6);
  two_rows << 1 - p.array(), p;
  CHECK(best_f1_threshold(two_rows, y) == best_f1_threshold(p, y));
  // a weight of 100 for the sample of no with 0.8 makes 0.85 the best: 2/4 against 6/(6 + 100)
  const Vector<double> weights{{1, 100, 1, 1, 1, 1}};
  CHECK(best_f1_threshold(p, weighted(y, weights)) == 0.8 + (0.9 - 0.8) / 2);
  CHECK(best_f1_threshold(Matrix<float>{{0.25f, 0.5f}}, std::vector<int>{1, 1}) == 0.25);  // all are yes
}

TEST_CASE("cheapest_threshold weighs the two mistakes by their costs") {
  CHECK(cheapest_threshold(p, y, 1, 1) == 0.3 + (0.6 - 0.3) / 2);                                       // one mistake
  CHECK(cheapest_threshold(p, y, 10, 1) == 0.8 + (0.9 - 0.8) / 2);                                      // 2 x 1 against 10
  CHECK(cheapest_threshold(p, std::vector<int>{0, 0, 0, 0, 0, 1}, 10, 1) == std::nextafter(0.9, 1.0));  // 1 against 10
  CHECK(cheapest_threshold(Matrix<float>{{1.0f}}, std::vector<int>{1}, 0, 1) == 1);
  CHECK_THROWS_SAYING(cheapest_threshold(p, y, -1, 1), ValueError, "cost_of_false_yes must be at least 0 and finite, got -1");
  CHECK_THROWS_SAYING(best_f1_threshold(Matrix<double>{{0.3}, {0.3}, {0.4}}, std::vector<int>{1}), ShapeError,
                      "best_f1_threshold: a threshold is for two classes, but y_hat has 3 rows");
  CHECK_THROWS_SAYING(best_f1_threshold(p, std::vector<int>(6, 0)), ValueError, "no sample is of class 1");
}
