#include <chainrule/data/min_max_scaler.hpp>
#include <cmath>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

bool equal(const Matrix<float>& a, const Matrix<float>& b) { return a.rows() == b.rows() && a.cols() == b.cols() && a == b; }

/// Four samples of two features: the first from 3 to 7, the second from -1 to 0.
Matrix<float> example() { return Matrix<float>{{3, 3, 7, 7}, {0, -1, -1, 0}}; }

}  // namespace

TEST_CASE("MinMaxScaler scales features to 0 to 1 or to the given range") {
  const MinMaxScaler<float> unit(example());
  CHECK(equal(unit.transform(example()), Matrix<float>{{0, 0, 1, 1}, {1, 0, 0, 1}}));
  CHECK(equal(unit.shift(), Matrix<float>{{3}, {-1}}));
  CHECK(equal(unit.scale(), Matrix<float>{{0.25f}, {1}}));

  const MinMaxScaler<float> scaler(example(), {.low = -2, .high = 2});
  const Matrix<float> a = scaler.transform(example());
  CHECK(equal(a, Matrix<float>{{-2, -2, 2, 2}, {2, -2, -2, 2}}));
  CHECK(equal(scaler.shift(), Matrix<float>{{5}, {-0.5f}}));
  CHECK(equal(scaler.inverse(a), example()));
  CHECK(equal(scaler.transform(Matrix<float>{{9}, {0}}), Matrix<float>{{4}, {2}}));
}

TEST_CASE("MinMaxScaler maps a constant feature to low and back to the same constant") {
  for (const double c : {0.0, -0.0, 1.0, 0.1, -0.7, 1e-30, 12345.678, -16777216.0, 1e30, -3e38}) {
    const Matrix<float> x = Matrix<float>::Constant(1, 3, static_cast<float>(c));
    for (const double low : {0.0, -1.0, 0.3, -100.0}) {
      const MinMaxScaler<float> scaler(x, {.low = low, .high = 200});
      CHECK(std::abs(scaler.transform(x)(0, 0) - float(low)) <= 2e-7 * std::abs(low));
      CHECK(equal(scaler.inverse(scaler.transform(x)), x));
      CHECK(std::isfinite(scaler.shift()[0]));
      CHECK((scaler.scale()[0] != 0 && std::abs(scaler.scale()[0]) <= 100));
    }
  }
}

TEST_CASE("MinMaxScaler meets the ends of its interval for large numbers that lie close together, though no shift does") {
  const Matrix<float> x{{16777216, 16777218}};
  const MinMaxScaler<float> scaler(x, {.low = -1});
  CHECK(equal(scaler.transform(x), Matrix<float>{{-1, 1}}));
  CHECK(equal(scaler.inverse(scaler.transform(x)), x));
  CHECK(equal(MinMaxScaler<float>::from_string(scaler.to_string()).transform(x), Matrix<float>{{-1, 1}}));
  CHECK_THROWS_SAYING(scaler.shift(), ValueError, "MinMaxScaler: feature 0 has no shift that its type can hold; use transform(x)");
  CHECK(equal(MinMaxScaler<float>(x).shift(), Matrix<float>{{16777216}}));
  const MinMaxScaler<float> of_constant(Matrix<float>{{3e38f}}, {.low = 1e-10});  // 1e-10 / 3e38 is 0
  CHECK(equal(of_constant.transform(Matrix<float>{{3e38f}}), Matrix<float>{{1e-10f}}));
  CHECK_THROWS_SAYING(of_constant.shift(), ValueError, "feature 0 has no shift");
  CHECK(equal(MinMaxScaler<float>(Matrix<float>{{16777216, 16777220}}, {.low = -1}).shift(), Matrix<float>{{16777218}}));
}

TEST_CASE("MinMaxScaler is restored bit for bit from its line of text, and keeps its range") {
  const Matrix<float> x{{1 / 3.0f, 2, 1e-30f}, {5, 5, 5}, {-1e30f, 0.1f, 7}};
  const MinMaxScaler<float> scaler(x, {.low = -0.3, .high = 0.7});
  CHECK(MinMaxScaler<float>(example(), {.low = -1}).to_string() == "MinMaxScaler 2 low -1 high 1 min 3 -1 unit 2 0.5");
  auto other = MinMaxScaler<float>::from_string(scaler.to_string() + "\n");
  CHECK(equal(other.shift(), scaler.shift()));
  CHECK(equal(other.scale(), scaler.scale()));
  CHECK(equal(other.inverse(other.transform(x)), scaler.inverse(scaler.transform(x))));
  other.fit(x);
  CHECK(equal(other.shift(), scaler.shift()));
}

TEST_CASE("MinMaxScaler throws StateError before fit") {
  CHECK_THROWS_SAYING(MinMaxScaler<float>().scale(), StateError, "MinMaxScaler: nothing is fitted");
}

TEST_CASE("an impossible range, or a feature whose numbers lie too far apart, is an error") {
  CHECK_THROWS_SAYING(MinMaxScaler<float>({.low = 1, .high = 1}), ValueError, "expected low < high", "low = 1 and high = 1");
  CHECK_THROWS_SAYING(MinMaxScaler<float>({.low = 0, .high = std::nan("")}), ValueError, "expected low < high");
  CHECK_THROWS_SAYING(MinMaxScaler<float>::from_string("MinMaxScaler 1 low 1 high 0 min 1 unit 1"), ValueError, "expected low < high");
  CHECK_THROWS_SAYING(MinMaxScaler<float>(Matrix<float>{{-3e38f, 3e38f}}), ValueError, "feature 0 lie too far apart");
  CHECK_THROWS_SAYING(MinMaxScaler<float>(Matrix<float>{{-3e38f, 3e38f}}, {.low = -1}), ValueError, "feature 0 lie too far apart");
  for (const double high : {1.0, 1e3})  // 1e-45 / 1e3 is 0 in float
    CHECK_THROWS_SAYING(MinMaxScaler<float>(Matrix<float>{{0, 1e-45f}}, {.high = high}), ValueError, "feature 0 lie too close together",
                        "scale them up first");
}
