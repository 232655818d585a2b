#include <chainrule/optimizers/penalty.hpp>
#include <cmath>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

// theta holds three weights, two biases and one weight
const std::vector<Segment> segments{{0, 3, true}, {3, 5, false}, {5, 6, true}};

template <class Scalar>
Vector<Scalar> theta() {
  Vector<Scalar> numbers(6);
  numbers << 1, -2, 0, 100, -100, 4;
  return numbers;
}

/// A stand-in for Gradients, which have flat().
struct HasFlat {
  Vector<double> values = Vector<double>::Ones(6);
  VectorView<double> flat() { return {values.data(), 6}; }
};

}  // namespace

TEMPLATE_TEST_CASE("L1 is strength times the sum of |weight|, and biases do not count", "", float, double, long double) {
  const L1 l1{.strength = 0.5};
  CHECK(l1.value(theta<TestType>(), segments) == 3.5);  // (1 + 2 + 0 + 4) / 2
  Vector<TestType> gradient = Vector<TestType>::Ones(6);
  l1.add_gradient(theta<TestType>(), gradient, segments);
  CHECK(gradient == (Vector<TestType>(6) << 1.5, 0.5, 1, 1, 1, 1.5).finished());
}

TEMPLATE_TEST_CASE("L2 is strength/2 times the sum of weight^2, and biases do not count", "", float, double, long double) {
  const L2 l2{.strength = 0.5};
  CHECK(l2.value(theta<TestType>(), segments) == 5.25);  // (1 + 4 + 0 + 16) / 4
  Vector<TestType> gradient = Vector<TestType>::Ones(6);
  l2.add_gradient(theta<TestType>(), gradient, segments);
  CHECK(gradient == (Vector<TestType>(6) << 1.5, 0, 1, 1, 1, 3).finished());
}

TEST_CASE("the gradients of L1 and L2 agree with central differences of their values") {
  constexpr double h = 1e-6;
  const Vector<double> w = Vector<double>::LinSpaced(40, -1.9, 2.1);
  const std::vector<Segment> all{{0, 40, true}};
  Vector<double> of_l1 = Vector<double>::Zero(40), of_l2 = of_l1;
  L1{.strength = 0.3}.add_gradient(w, of_l1, all);
  L2{.strength = 0.3}.add_gradient(w, of_l2, all);
  double worst = 0;
  for (Index i = 0; i < 40; ++i) {
    Vector<double> above = w, below = w;
    above[i] += h;
    below[i] -= h;
    worst = std::max(worst, std::abs((L1{.strength = 0.3}.value(above, all) - L1{.strength = 0.3}.value(below, all)) / (2 * h) - of_l1[i]));
    worst = std::max(worst, std::abs((L2{.strength = 0.3}.value(above, all) - L2{.strength = 0.3}.value(below, all)) / (2 * h) - of_l2[i]));
  }
  CHECK(worst < 1e-8);
}

TEST_CASE("add_gradient accepts Gradients and adds to them") {
  HasFlat gradients;
  L2{.strength = 1}.add_gradient(theta<double>(), gradients, segments);
  CHECK(gradients.values == (Vector<double>(6) << 2, -1, 1, 1, 1, 5).finished());
}

TEST_CASE("penalties reject an invalid strength and mismatched sizes, and leave the gradient unchanged") {
  const Vector<double> w = theta<double>();
  Vector<double> gradient = Vector<double>::Ones(6);
  for (const double bad : {-1.0, HUGE_VAL, std::nan("")}) {
    CHECK_THROWS_SAYING(L1{bad}.value(w, segments), ValueError, "L1: strength must be at least 0 and finite");
    CHECK_THROWS_SAYING(L2{bad}.add_gradient(w, gradient, segments), ValueError, "L2: strength must be at least 0 and finite");
  }
  CHECK_THROWS_SAYING(L2{}.value(w.head(5), segments), ShapeError, "L2: a segment is [5, 6), but theta has 5 parameters");
  CHECK_THROWS_SAYING(L1{}.add_gradient(w.head(5), gradient, segments), ShapeError, "theta has 5 parameters, but the gradient has 6");
  const std::vector<Segment> backwards{{3, 2, true}};
  CHECK_THROWS_SAYING(L1{}.value(w, backwards), ShapeError, "L1: a segment is [3, 2)");
  CHECK(gradient == Vector<double>::Ones(6));
}
