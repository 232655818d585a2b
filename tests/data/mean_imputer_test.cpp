#include <chainrule/data/mean_imputer.hpp>
#include <limits>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

// All tests read double, so that the imputer is compiled once.
bool equal(const Matrix<double>& a, const Matrix<double>& b) { return a.rows() == b.rows() && a.cols() == b.cols() && a == b; }

/// Three samples of two features with the means 2 and -0.5.
Matrix<double> example() { return Matrix<double>{{1, none, 3}, {none, -0.5, none}}; }

}  // namespace

TEST_CASE("MeanImputer replaces NaN by the mean of the data that it was fitted to") {
  const MeanImputer<double> imputer(example());
  CHECK(equal(imputer.means(), Matrix<double>{{2}, {-0.5}}));
  CHECK(equal(imputer.transform(example()), Matrix<double>{{1, 2, 3}, {-0.5, -0.5, -0.5}}));
  Matrix<double> other{{none, 100}, {7, none}};
  imputer.transform_in_place(other);
  CHECK(equal(other, Matrix<double>{{2, 100}, {7, -0.5}}));
}

TEST_CASE("MeanImputer finds the mean of numbers at the ends of the range of double") {
  using Limits = std::numeric_limits<double>;
  const Matrix<double> x{{Limits::max(), Limits::max(), Limits::max()},
                         {1.5e308, none, 1.7e308},
                         {-1.5e308, 1.5e308, none},
                         {Limits::denorm_min(), 3 * Limits::denorm_min(), none},
                         {0.1, 0.1, 0.1}};
  const Matrix<double> means{{Limits::max()}, {1.6e308}, {0}, {2 * Limits::denorm_min()}, {0.1}};
  CHECK(equal(MeanImputer<double>(x).means(), means));
}

TEST_CASE("MeanImputer is restored bit for bit from its line of text") {
  const MeanImputer<double> imputer(Matrix<double>{{1 / 3.0, none}, {1e-310, 7}});
  CHECK(MeanImputer<double>(example()).to_string() == "MeanImputer 2 mean 2 -0.5");
  CHECK(equal(MeanImputer<double>::from_string(imputer.to_string()).means(), imputer.means()));
  CHECK_THROWS_SAYING(MeanImputer<double>::from_string("MeanImputer 2 mean 1"), ValueError,
                      "MeanImputer: from_string expected a number, but found \"\"");
}

TEST_CASE("MeanImputer refuses what it cannot fill, and stays as it was") {
  MeanImputer<double> imputer;
  CHECK_FALSE(imputer.is_fitted());
  CHECK_THROWS_SAYING(imputer.transform(example()), StateError, "MeanImputer: nothing is fitted yet; call fit(x)");
  CHECK_THROWS_SAYING(imputer.to_string(), StateError, "nothing is fitted yet");
  imputer.fit(example());
  CHECK_THROWS_SAYING(imputer.fit(Matrix<double>{{1}, {none}}), ValueError, "MeanImputer: feature 1 has no mean",
                      "all of its numbers are missing");
  CHECK_THROWS_SAYING(imputer.fit(Matrix<double>(2, 0)), ShapeError, "MeanImputer: fit needs", "x is 2 x 0");
  CHECK_THROWS_SAYING(imputer.transform(Matrix<double>(3, 1)), ShapeError, "MeanImputer: transform got 3 rows, but 2 features were fitted");
  Matrix<double> x{{none, 1}, {1, -std::numeric_limits<double>::infinity()}};
  CHECK_THROWS_SAYING(imputer.transform_in_place(x), ValueError, "MeanImputer: x(1, 1) is infinite");
  CHECK(x(0, 0) != x(0, 0));
  CHECK(imputer.means()[0] == 2);
}
