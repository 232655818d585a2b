#include <chainrule/core/random.hpp>
#include <chainrule/uncertainty/conformal.hpp>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

using Ints = std::vector<int>;
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

// k = ceil((n + 1)(1 - miscoverage))
TEST_CASE("conformal_quantile is the k-th smallest score, and infinite for too few scores") {
  std::vector<double> scores;
  for (int i = 1; i <= 19; ++i) scores.push_back((7 * i) % 20);  // 1, ..., 19 in another order
  CHECK(conformal_quantile(scores, 0.1) == 18);                  // 20 * 0.9
  CHECK(conformal_quantile(scores, 0.05) == 19);                 // 20 * 0.95
  CHECK(conformal_quantile(scores, 0.04) == infinity);
  CHECK(conformal_quantile(scores, 0.12) == 18);  // ceil(17.6)
  CHECK(conformal_quantile(scores, 0.5) == 10);
  for (int n = 1; n <= 300; ++n) {  // a tenth of a multiple of 10 is a whole number, although 0.1 is none in binary
    const std::vector<double> places = [n] {
      std::vector<double> all;
      for (int i = 1; i <= n; ++i) all.push_back(i);
      return all;
    }();
    const int k = (9 * (n + 1) + 9) / 10;
    CHECK(conformal_quantile(places, 0.1) == (k > n ? infinity : k));
  }
  CHECK_THROWS_SAYING(conformal_quantile({}, 0.1), ValueError, "there are no scores");
  CHECK_THROWS_SAYING(conformal_quantile({1, std::numeric_limits<double>::quiet_NaN()}, 0.1), ValueError, "score 1 is nan");
  CHECK_THROWS_SAYING(conformal_quantile({1}, 0), ValueError, "miscoverage must be above 0 and below 1, got 0");
}

TEST_CASE("ConformalIntervals reach as far from the prediction as the residuals of held-out samples") {
  const Matrix<double> y_hat{{0, 0, 0, 0}, {1, 1, 1, 1}}, y{{1, -2, 3, -4}, {1.5, 1, 0, 1}};
  const ConformalIntervals intervals(y_hat, y, 0.4);  // k = 3 of 4
  CHECK(intervals.quantiles() == std::vector<double>{3, 0.5});
  const auto [low, high] = intervals(Matrix<double>{{10, 20}, {30, 40}});
  CHECK(low == Matrix<double>{{7, 17}, {29.5, 39.5}});
  CHECK(high == Matrix<double>{{13, 23}, {30.5, 40.5}});
  CHECK(ConformalIntervals(y_hat, y, 0.1)(y_hat).high(0, 0) == infinity);
  CHECK_THROWS_SAYING(intervals(Matrix<double>{{1.0}}), ShapeError, "had 2 outputs, but y_hat has 1 rows");
  CHECK_THROWS_SAYING(intervals(y_hat, y_hat), StateError, "had no spreads");
}

TEST_CASE("ConformalIntervals with spreads are wide where the spread is large") {
  const Matrix<double> y_hat{{0, 0, 0, 0}}, y{{1, -2, 3, -4}}, spread{{1, 1, 2, 8}};  // scores 1, 2, 1.5, 0.5
  const ConformalIntervals intervals(y_hat, spread, y, 0.4);
  CHECK(intervals.quantiles() == std::vector<double>{1.5});
  CHECK(intervals(Matrix<double>{{10, 10}}, Matrix<double>{{2, 4}}).high == Matrix<double>{{13, 16}});
  CHECK_THROWS_SAYING(intervals(y_hat), StateError, "intervals(y_hat, spread)");
  CHECK_THROWS_SAYING(intervals(y_hat, Matrix<double>{{1, 0, 1, 1}}), ValueError, "spread(0, 1) is 0, but it must be above 0");
  CHECK_THROWS_SAYING(ConformalIntervals(y_hat, Matrix<double>{{1.0}}, y, 0.4), ShapeError, "but the spreads are 1 x 1");
}

TEST_CASE("ConformalSets hold the classes whose score is at most the quantile of the true classes") {
  const Matrix<double> p{{0.5, 0.7, 0.2, 0.1}, {0.3, 0.2, 0.7, 0.2}, {0.2, 0.1, 0.1, 0.7}};
  const Ints y{0, 1, 1, 2};  // 1 - p: 0.5, 0.8, 0.3, 0.3; sums: 0.5, 0.9, 0.7, 0.7
  const ConformalSets lac(p, y, 0.4), aps(p, y, 0.4, ConformalScore::cumulative);
  CHECK(lac.quantile() == 0.5);
  CHECK(lac.classes() == 3);
  CHECK(aps.quantile() == Approx(0.7).epsilon(1e-15));
  const Matrix<double> x{{0.5, 0.4, 0.25}, {0.5, 0.35, 0.6}, {0, 0.25, 0.15}};
  CHECK(lac(x) == Matrix<bool>{{true, false, false}, {true, false, true}, {false, false, false}});
  CHECK(aps(x) == Matrix<bool>{{false, true, false}, {false, false, true}, {false, false, false}});
  CHECK_THROWS_SAYING(lac(Matrix<double>{{0.5, 0.5}}), ShapeError, "had 3 classes, but y_hat has 1 rows");
  const ConformalSets yes(Matrix<double>{{0.9, 0.2, 0.6}}, Ints{1, 0, 1}, 0.5);  // 1 - p: 0.1, 0.2, 0.4
  CHECK(yes.quantile() == Approx(0.2).epsilon(1e-15));
  CHECK(yes(Matrix<double>{{0.1, 0.5, 0.85}}) == Matrix<bool>{{true, false, false}, {false, false, true}});
}

// With n held-out samples the coverage is between 1 - miscoverage and that + 1/(n + 1); the mean over 100 splits of 200 new samples has a
// standard error of about 0.0035.
TEST_CASE("Conformal intervals and sets cover the truth as often as promised, over 100 random splits") {
  constexpr int splits = 100, held_out = 99, fresh = 200;
  Random random{Seed{5}};
  double intervals_right = 0, normalized_right = 0, lac_right = 0, aps_right = 0;
  for (int split = 0; split < splits; ++split) {
    Matrix<double> y(1, held_out + fresh), spread(1, held_out + fresh), p(3, held_out + fresh);
    Ints labels;
    for (Index j = 0; j < y.cols(); ++j) {
      spread(0, j) = 0.1 + random.uniform();
      y(0, j) = 1 + spread(0, j) * random.normal();  // the prediction is 0: wrong, but the intervals are right
      for (Index k = 0; k < 3; ++k) p(k, j) = std::exp(2 * random.normal());
      p.col(j) /= p.col(j).sum();
      const double u = random.uniform() * p.col(j).cwiseSqrt().sum();  // the truth is less sure than p
      labels.push_back(u < std::sqrt(p(0, j)) ? 0 : u < std::sqrt(p(0, j)) + std::sqrt(p(1, j)) ? 1 : 2);
    }
    const Matrix<double> zero = Matrix<double>::Zero(1, y.cols());
    const Ints known(labels.begin(), labels.begin() + held_out);
    const auto [low, high] = ConformalIntervals(zero.leftCols(held_out), y.leftCols(held_out), 0.1)(zero.rightCols(fresh));
    const auto normalized = ConformalIntervals(zero.leftCols(held_out), spread.leftCols(held_out), y.leftCols(held_out), 0.1)(
        zero.rightCols(fresh), spread.rightCols(fresh));
    const Matrix<bool> lac = ConformalSets(p.leftCols(held_out), known, 0.1)(p.rightCols(fresh));
    const Matrix<bool> aps = ConformalSets(p.leftCols(held_out), known, 0.1, ConformalScore::cumulative)(p.rightCols(fresh));
    for (Index j = 0; j < fresh; ++j) {
      const double truth = y(0, held_out + j);
      intervals_right += low(0, j) <= truth && truth <= high(0, j);
      normalized_right += normalized.low(0, j) <= truth && truth <= normalized.high(0, j);
      lac_right += lac(labels[static_cast<std::size_t>(held_out + j)], j);
      aps_right += aps(labels[static_cast<std::size_t>(held_out + j)], j);
    }
  }
  const auto share = [](double right) { return right / (splits * fresh); };
  for (const double right : {intervals_right, normalized_right, lac_right, aps_right}) CHECK(share(right) > 0.9 - 0.0105);
  for (const double right : {intervals_right, normalized_right, lac_right}) CHECK(share(right) < 0.91 + 0.0105);
  CHECK(share(aps_right) < 0.97);  // many equal scores: that of the class with the smallest p is 1
}
