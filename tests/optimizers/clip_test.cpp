#include <chainrule/optimizers/clip.hpp>
#include <cmath>
#include <limits>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

template <class Scalar>
constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();

/// Whether a and b differ by at most a few float roundings.
bool near(double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(b); }

/// A stand-in for Gradients, which have flat().
struct HasFlat {
  Vector<double> values = Eigen::Vector2d(3, -4);
  VectorView<double> flat() { return {values.data(), 2}; }
};

}  // namespace

TEST_CASE("clip_by_value clips every number between -limit and limit and keeps NaN") {
  Eigen::VectorXf g = (Eigen::VectorXf(5) << 3, -0.5f, -2, 1, -infinity<float>).finished();
  clip_by_value(g, 1);
  CHECK(g == (Eigen::VectorXf(5) << 1, -0.5f, -1, 1, -1).finished());
  g[3] = std::nanf("");
  clip_by_value(g, 0.25);
  CHECK(g.head(3) == Eigen::Vector3f(0.25f, -0.25f, -0.25f));
  CHECK(std::isnan(g[3]));
}

TEST_CASE("clip_by_value clips every number of a long gradient") {
  Vector<double> g = Vector<double>::LinSpaced(41, -20, 20);
  clip_by_value(g, 2);
  CHECK(g.head(19) == Vector<double>::Constant(19, -2));
  CHECK(g.segment(19, 3) == Eigen::Vector3d(-1, 0, 1));
  CHECK(g.tail(19) == Vector<double>::Constant(19, 2));
}

// The factor is max_norm / (norm + 1e-6), as in torch.nn.utils.clip_grad_norm_.
TEST_CASE("clip_by_norm scales a gradient longer than max_norm and returns its norm before") {
  Vector<double> g = Eigen::Vector2d(3, -4);
  CHECK(clip_by_norm(g, 2.5) == 5);
  CHECK(std::abs(g[0] - 3 * 2.5 / 5.000001) < 1e-15);
  CHECK(std::abs(g[1] + 4 * 2.5 / 5.000001) < 1e-15);
  CHECK(clip_by_norm(g, 0) < 2.5);
  CHECK(g == Eigen::Vector2d(0, 0));
}

TEST_CASE("clip_by_norm leaves a gradient of at most max_norm unchanged") {
  Vector<float> g = Eigen::Vector2f(3, -4);
  CHECK(clip_by_norm(g, 6) == 5);
  CHECK(g == Eigen::Vector2f(3, -4));
  Vector<float> nothing = Vector<float>::Zero(3);
  CHECK(clip_by_norm(nothing, 0) == 0);
  CHECK(nothing == Eigen::Vector3f(0, 0, 0));
}

TEST_CASE("clip functions work in place on Gradients and on blocks of vectors") {
  HasFlat gradients;
  CHECK(clip_by_norm(gradients, 100) == 5);
  clip_by_value(gradients, 1);
  CHECK(gradients.values == Eigen::Vector2d(1, -1));
  Vector<float> v = Eigen::Vector3f(5, 6, 7);
  clip_by_value(v.head(2), 1);
  CHECK(v == Eigen::Vector3f(1, 1, 7));
}

TEST_CASE("clip_by_norm computes norms whose squares would overflow or underflow") {
  Vector<float> large = Vector<float>::Constant(100, 1e30f);
  CHECK(near(clip_by_norm(large, 1), 1e31));
  CHECK(near(large.cast<double>().norm(), 1));

  // the norm exceeds the largest float, and the factor is below the smallest normal float
  Vector<float> largest = Vector<float>::Constant(10000, std::numeric_limits<float>::max());
  CHECK(near(clip_by_norm(largest, 1), 100 * static_cast<double>(std::numeric_limits<float>::max())));
  CHECK(near(largest.cast<double>().norm(), 1));

  Vector<float> small = Vector<float>::Constant(4, 1e-38f);
  CHECK(near(clip_by_norm(small, 1), 2e-38));

  Vector<double> huge = Vector<double>::Constant(25, 1e300);
  CHECK(near(clip_by_norm(huge, 1), 5e300));
  CHECK(near(huge.norm(), 1));
  Vector<double> tiny = Vector<double>::Constant(25, 1e-300);
  CHECK(near(clip_by_norm(tiny, 1) * 1e300, 5));

  Vector<long double> longer = Vector<long double>::Constant(4, std::numeric_limits<long double>::max() / 4);
  CHECK(clip_by_norm(longer, 1) == std::numeric_limits<long double>::max() / 2);
}

// 1e-200/(1e300 + 1e-6) is 0 as a double, but 1e300 times it is not.
TEST_CASE("clip_by_norm reaches norms so small that max_norm/norm is no number of the type") {
  Vector<double> g = Eigen::Vector2d(1, -1);
  clip_by_norm(g, 1e-200);
  CHECK(near(g[0] * 1e200, 1 / (std::sqrt(2.0) + 1e-6)));
  Vector<double> huge = Vector<double>::Constant(4, 1e300);
  clip_by_norm(huge, 1e-7);
  CHECK(near(huge[3], 0.5e-7));
  huge.setConstant(1e300);
  clip_by_norm(huge, 1e-200);
  CHECK(near(huge[3] * 1e200, 0.5));
  Vector<float> g_float = Vector<float>::Constant(4, 2e38f);
  clip_by_norm(g_float, 1e-30);
  CHECK(near(static_cast<double>(g_float[1]), 0.5e-30));
  CHECK_THROWS_SAYING(clip_by_norm(g_float, 1e-200), ValueError, "clip_by_norm: max_norm is 1e-200, which as a float is 0");
  CHECK_THROWS_SAYING(clip_by_value(g_float, 1e-50), ValueError, "clip_by_value: limit is 1e-50, which as a float is 0");
}

// The smallest normal float is 1.17549435e-38, and sqrt(10000) = 100 times as much is the norm of 10,000 of them.
TEST_CASE("clip functions refuse limits above 0 for which the numbers of the gradient would have few digits") {
  Vector<float> g = Vector<float>::Constant(10000, 2);
  CHECK_THROWS_SAYING(clip_by_norm(g, 1e-40), ValueError, "clip_by_norm: max_norm is 1e-40, but float has no digits",
                      "use 0, or at least 1.17549435");
  CHECK_THROWS_SAYING(clip_by_norm(g, 1e-36), ValueError, "max_norm is 1e-36");
  CHECK_THROWS_SAYING(clip_by_value(g, 1e-41), ValueError, "clip_by_value: limit is 1e-41", "at least 1.17549435");
  CHECK(g[0] == 2);
  clip_by_norm(g, 1.2e-36);
  CHECK(near(static_cast<double>(g[9999]) * 1e38, 1.2));
  clip_by_value(g, 0);
  CHECK(g == Vector<float>::Zero(10000));
  Vector<double> of_double = Eigen::Vector2d(1, -1);
  CHECK_THROWS_SAYING(clip_by_norm(of_double, 1e-310), ValueError, "but double has no digits");
}

TEST_CASE("clip_by_norm leaves a gradient with NaN or infinity unchanged and returns its norm") {
  Vector<float> g = Eigen::Vector3f(1, -infinity<float>, 2);
  CHECK(clip_by_norm(g, 1) == infinity<double>);
  CHECK(g == Eigen::Vector3f(1, -infinity<float>, 2));
  g[0] = std::nanf("");
  CHECK(std::isnan(clip_by_norm(g, 1)));
  CHECK(g.tail(2) == Eigen::Vector2f(-infinity<float>, 2));
}

TEST_CASE("clip functions reject invalid limits and leave the gradient unchanged") {
  Vector<float> g = Eigen::Vector2f(3, -4);
  for (const double bad : {-1.0, HUGE_VAL, -HUGE_VAL, std::nan("")}) {
    CHECK_THROWS_SAYING(clip_by_value(g, bad), ValueError, "clip_by_value: limit must be at least 0 and finite");
    CHECK_THROWS_SAYING(clip_by_norm(g, bad), ValueError, "clip_by_norm: max_norm must be at least 0 and finite");
  }
  CHECK(g == Eigen::Vector2f(3, -4));
  Eigen::MatrixXf table = Eigen::MatrixXf::Ones(3, 4);
  CHECK_THROWS_SAYING(clip_by_norm(table.row(1), 1), ShapeError, "clip_by_norm: the gradient must lie in memory in one piece");
}
