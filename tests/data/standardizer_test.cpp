#include <chainrule/data/standardizer.hpp>
#include <cmath>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

template <class Scalar>
bool equal(const Matrix<Scalar>& a, const Matrix<Scalar>& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && a == b;
}

template <class Scalar>
bool close(const Matrix<Scalar>& a, const Matrix<Scalar>& b, double tolerance = 1e-6) {
  return a.rows() == b.rows() && a.cols() == b.cols() && (a - b).cwiseAbs().maxCoeff() <= Scalar(tolerance);
}

/// Four samples of two features: the first has mean 5 and deviation 2, the second mean -0.5 and deviation 0.5.
Matrix<float> example() { return Matrix<float>{{3, 3, 7, 7}, {0, -1, -1, 0}}; }

}  // namespace

TEST_CASE("a standardized feature has mean 0 and variance 1") {
  Standardizer<float> scaler;
  scaler.fit(example());
  CHECK(equal<float>(scaler.shift(), Matrix<float>{{5}, {-0.5f}}));
  CHECK(equal<float>(scaler.scale(), Matrix<float>{{0.5f}, {2}}));
  const Matrix<float> a = scaler.transform(example());
  CHECK(equal(a, Matrix<float>{{-1, -1, 1, 1}, {1, -1, -1, 1}}));
  CHECK(equal(scaler.inverse(a), example()));
  CHECK(equal(scaler.transform(Matrix<float>{{9}, {0}}), Matrix<float>{{2}, {1}}));  // new data on the scale of the fitted data
}

TEST_CASE("the variance is that of the population, as in scikit-learn") {
  const Matrix<double> x{{1, 2, 4, 9}};  // mean 4, mean of (x - mean)^2 = (9 + 4 + 0 + 25) / 4
  CHECK(Standardizer<double>(x).scale()[0] == Approx(1 / std::sqrt(9.5)));
}

TEST_CASE("Standardizer maps a constant feature to 0 and back to the same constant") {
  for (const double c : {0.0, -0.0, 1.0, 0.1, -0.7, 1e-30, 12345.678, -16777216.0, 1e30, -3e38}) {
    const Matrix<float> x = Matrix<float>::Constant(1, 3, static_cast<float>(c));
    const Standardizer<float> standardizer(x);
    CHECK(equal(standardizer.transform(x), Matrix<float>{{0, 0, 0}}));
    CHECK(equal(standardizer.inverse(standardizer.transform(x)), x));
    CHECK(standardizer.scale()[0] == 1);
  }
}

TEST_CASE("features far from 0 are standardized without cancellation") {
  const Matrix<float> x{{1e8f, 1e8f + 8, 1e8f + 16}};  // sums of squares in float could not tell these apart
  CHECK(close(Standardizer<float>(x).transform(x), Matrix<float>{{-1.2247449f, 0, 1.2247449f}}));
  const Matrix<double> y{{1e15, 1e15 + 1, 1e15 + 2}};
  CHECK(close(Standardizer<double>(y).transform(y), Matrix<double>{{-1.224744871, 0, 1.224744871}}));
}

TEST_CASE("many samples are summed without drift") {
  Matrix<float> x = Matrix<float>::Constant(1, 200'000, 0.1f);
  x(0, 0) = 1000;
  const Standardizer<float> scaler(x);
  CHECK(scaler.shift()[0] == Approx(0.1 + 999.9 / 200'000).epsilon(1e-6));
  CHECK(scaler.scale()[0] == Approx(std::sqrt(200'000.0) / 999.9).epsilon(1e-5));
}

TEST_CASE("a block or map is scaled in place, and the numbers around it stay") {
  Matrix<float> x = Matrix<float>::Constant(4, 6, 7);
  x.block(1, 1, 2, 4) = example();
  const Standardizer<float> scaler(x.block(1, 1, 2, 4));
  const float* data = x.data();
  scaler.transform_in_place(x.block(1, 1, 2, 4));
  CHECK(x.data() == data);
  CHECK(equal<float>(x.block(1, 1, 2, 4), scaler.transform(example())));
  CHECK(x.sum() == 16 * 7);
  scaler.inverse_in_place(x.block(1, 1, 2, 4));
  CHECK(equal<float>(x.block(1, 1, 2, 4), example()));

  std::vector<float> memory{3, 0};
  Eigen::Map<Eigen::VectorXf> map(memory.data(), 2);
  scaler.transform_in_place(map);
  CHECK(memory == std::vector<float>{-1, 1});
}

// Means of 16777217 and 1.7e9 + 96, neither of which is a float.
TEST_CASE("Standardizer is exact for numbers whose mean their type cannot hold") {
  const Matrix<float> close{{16777216, 16777218}};
  const Standardizer<float> standardizer(close);
  CHECK(equal(standardizer.transform(close), Matrix<float>{{-1, 1}}));
  CHECK(equal(standardizer.inverse(standardizer.transform(close)), close));
  CHECK_THROWS_SAYING(standardizer.shift(), ValueError, "Standardizer: feature 0 has no shift that its type can hold; use transform(x)");
  CHECK(standardizer.to_string() == "Standardizer 1 mean 16777217 deviation 1");
  CHECK(equal(Standardizer<float>::from_string(standardizer.to_string()).transform(close), Matrix<float>{{-1, 1}}));

  const Matrix<float> times{{1.7e9f, 1.7e9f, 1.7e9f, 1.7e9f + 384}};  // 128 apart, with a mean of 1.7e9 + 96 and a deviation of 166.277
  const Standardizer<float> of_times(times);
  const Matrix<float> scaled = of_times.transform(times);
  const float deviation = std::sqrt(27648.0f);  // (3 96^2 + 288^2) / 4
  CHECK(std::abs(scaled(0) + 96 / deviation) < 1e-6f);
  CHECK(std::abs(scaled(3) - 288 / deviation) < 1e-6f);
  CHECK(equal(Standardizer<float>::from_string(of_times.to_string()).transform(times), scaled));
}

TEST_CASE("Standardizer is restored bit for bit from its line of text") {
  const Matrix<float> x{{1 / 3.0f, 2, 1e-30f}, {5, 5, 5}, {-1e30f, 0.1f, 7}};
  const Standardizer<float> standardizer(x);
  CHECK(Standardizer<float>(example()).to_string() == "Standardizer 2 mean 5 -0.5 deviation 2 0.5");
  const auto same = Standardizer<float>::from_string(standardizer.to_string());
  CHECK(equal<float>(same.shift(), standardizer.shift()));
  CHECK(equal<float>(same.scale(), standardizer.scale()));
  CHECK(equal(same.inverse(same.transform(x)), standardizer.inverse(standardizer.transform(x))));
}

TEST_CASE("text that is not a standardizer is an error with what was expected and found") {
  const auto refused = [](const char* text, const char* says) {
    CHECK_THROWS_SAYING(Standardizer<float>::from_string(text), ValueError, "Standardizer: from_string expected ", says);
  };
  refused("", "the word \"Standardizer\", but found \"\"");
  refused("MinMaxScaler 1 low 0", "the word \"Standardizer\", but found \"MinMaxScaler\"");
  refused("Standardizer x", "the number of features, but found \"x\"");
  refused("Standardizer 0 mean deviation", "the number of features, but found \"0\"");
  refused("Standardizer 99999999999 mean 1", "the number of features, but found \"99999999999\"");
  refused("Standardizer 2 mean 1 deviation 1 1", "a number, but found \"deviation\"");
  refused("Standardizer 1 mean 1 deviation", "a number, but found \"\"");
  refused("Standardizer 1 mean nan deviation 1", "a number, but found \"nan\"");
  refused("Standardizer 1 mean 1 deviation -1", "a number of at least 0, but found -1");
  refused("Standardizer 1 mean 1 deviation 1 1", "the end of the text, but found \"1\"");
}

TEST_CASE("Standardizer throws StateError before fit") {
  const Standardizer<float> scaler;
  CHECK_FALSE(scaler.is_fitted());
  CHECK_THROWS_SAYING(scaler.transform(example()), StateError, "Standardizer: nothing is fitted yet; call fit(x)");
  CHECK_THROWS_SAYING(scaler.inverse(example()), StateError, "nothing is fitted");
  CHECK_THROWS_SAYING(scaler.shift(), StateError, "nothing is fitted");
  CHECK_THROWS_SAYING(scaler.to_string(), StateError, "nothing is fitted");
}

TEST_CASE("data of another shape or with NaN is an error, and the fit stays") {
  Standardizer<float> scaler(example());
  Matrix<float> x = example();
  x(1, 2) = std::nanf("");
  const Vector<float> shift = scaler.shift();
  CHECK_THROWS_SAYING(scaler.fit(x), ValueError, "Standardizer: x(1, 2) is nan");
  CHECK_THROWS_SAYING(scaler.fit(Matrix<float>(2, 0)), ShapeError, "Standardizer: fit needs", "x is 2 x 0");
  CHECK_THROWS_SAYING(scaler.transform_in_place(x), ValueError, "x(1, 2) is nan");
  CHECK(x(0, 0) == 3);
  CHECK_THROWS_SAYING(scaler.transform(Matrix<float>(3, 2)), ShapeError, "Standardizer: transform got 3 rows, but 2 features were fitted");
  CHECK(equal<float>(scaler.shift(), shift));
}

TEST_CASE("numbers near the ends of the range of their type are standardized as others are") {
  const Matrix<double> x{{-1, -1, 1, 3}};  // mean 0.5, mean of (x - mean)^2 = (2.25 + 2.25 + 0.25 + 6.25) / 4
  const Matrix<double> a = (x.array() - 0.5) / std::sqrt(2.75);
  for (const double unit : {1e-300, 1e-170, 1.0, 1e160, 1e307}) {
    const Matrix<double> scaled = x * unit;
    const Standardizer<double> scaler(scaled);
    CHECK(close(scaler.transform(scaled), a, 1e-14));
    CHECK(close<double>(scaler.inverse(a) / unit, x, 1e-14));
  }
  CHECK(equal(Standardizer<double>(Matrix<double>{{1e308, 1e308}}).transform(Matrix<double>{{1e308}}), Matrix<double>{{0}}));
  const Matrix<float> ends{{-3e38f, 3e38f}};
  CHECK(close(Standardizer<float>(ends).transform(ends), Matrix<float>{{-1, 1}}));
}

TEST_CASE("numbers too far apart or too close together for the scalar type are an error") {
  CHECK_THROWS_SAYING(Standardizer<double>(Matrix<double>{{0, 0, 0}, {-1.7e308, 1.7e308, 1.7e308}}), ValueError,
                      "Standardizer: the numbers of feature 1 lie too far apart for their type; scale them down first");
  CHECK_THROWS_SAYING(Standardizer<float>(Matrix<float>{{-3e38f, 3e38f, 3e38f}}), ValueError, "feature 0 lie too far apart");
  CHECK_THROWS_SAYING(Standardizer<float>(Matrix<float>{{0, 1e-45f}}), ValueError,
                      "Standardizer: the numbers of feature 0 lie too close together for their type; scale them up first");
  CHECK_THROWS_SAYING(Standardizer<float>::from_string("Standardizer 1 mean 0 deviation 1e-45"), ValueError, "too close together");
}

TEST_CASE("a number that has no scaled counterpart in the scalar type is an error, and the data stays") {
  const Standardizer<float> scaler(Matrix<float>{{1e-30f, 3e-30f}});
  Matrix<float> x{{2e-30f, 1e30f}};
  CHECK_THROWS_SAYING(scaler.transform_in_place(x), ValueError,
                      "Standardizer: transform_in_place of x(0, 1) = 1e+30 gives a number too large");
  CHECK(x(0, 0) == 2e-30f);
  const Standardizer<float> wide(Matrix<float>{{-1e38f, 1e38f}});
  CHECK_THROWS_SAYING(wide.inverse(Matrix<float>{{10}}), ValueError, "Standardizer: inverse of x(0, 0) = 10 gives a number too large");
}
