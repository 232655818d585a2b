#include <chainrule/uncertainty/predictive_spread.hpp>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

void add(PredictiveSpread<double>& spread, std::initializer_list<std::initializer_list<double>> rows) {
  const Matrix<double> y_hat(rows);
  spread.add(detail::const_view<double>(y_hat));
}

}  // namespace

TEST_CASE("A spread has the mean and the variance of predictions") {
  PredictiveSpread<double> spread(2, 8);
  for (int repetition = 0; repetition < 2; ++repetition) {  // start forgets what was before
    spread.start(2);
    add(spread, {{1, 10}, {2, 1e8}});
    add(spread, {{2, 20}, {2, 1e8 + 3}});
    add(spread, {{6, 30}, {2, 1e8 + 3}});
    CHECK(spread.samples() == 2);
    CHECK(spread.predictions() == 3);
    CHECK(Matrix<double>(spread.mean()).isApprox(Matrix<double>{{3, 20}, {2, 1e8 + 2}}, 1e-15));
    CHECK(spread.variance().isApprox(Matrix<double>{{14.0 / 3, 200.0 / 3}, {0, 2}}, 1e-14));
  }
  CHECK_THROWS_SAYING(spread.start(9), ShapeError, "there is room for 1 to 8 samples, got 9");
  CHECK_THROWS_SAYING(add(spread, {{1}, {2}}), ShapeError, "expected a prediction of 2 x 2 numbers, got 2 x 1");
}

// H(1/2, 1/2) = ln 2, and the members of the first sample are sure of different classes
TEST_CASE("The entropy of classes is large where predictions are unsure, the mutual information where they disagree") {
  PredictiveSpread<double> classes(2, 2);
  classes.start(2);
  add(classes, {{1, 0.5}, {0, 0.5}});
  add(classes, {{0, 0.5}, {1, 0.5}});
  CHECK(classes.entropy(0) == Approx(0.693147180559945309).epsilon(1e-15));
  CHECK(classes.entropy(1) == Approx(0.693147180559945309).epsilon(1e-15));
  CHECK(classes.mutual_information(0) == Approx(0.693147180559945309).epsilon(1e-15));
  CHECK(classes.mutual_information(1) == Approx(0).margin(1e-15));
  CHECK_THROWS_SAYING(classes.entropy(2), ShapeError, "there are 2 samples");

  PredictiveSpread<double> yes(1, 1);
  yes.start(1);
  add(yes, {{0.75}});
  add(yes, {{0.25}});
  CHECK(yes.entropy(0) == Approx(0.693147180559945309).epsilon(1e-15));
  CHECK(yes.mutual_information(0) == Approx(0.693147180559945309 - 0.562335144618808351).epsilon(1e-14));  // H(1/4) = 0.5623
  yes.start(1);
  add(yes, {{3.5}});
  CHECK_THROWS_SAYING(yes.entropy(0), ValueError, "entropy is for probabilities");
}
