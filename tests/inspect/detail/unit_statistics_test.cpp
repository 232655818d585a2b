#include <chainrule/activations/identity.hpp>
#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/activations/silu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/inspect/detail/unit_statistics.hpp>

#include "support/catch.hpp"
#include "support/square.hpp"

using namespace chainrule;
using chainrule_test::Approx;
using chainrule_test::Square;
using detail::UnitStatistics;

namespace {

bool is(const UnitStatistics& units, const UnitStatistics& expected) {
  return units.can_saturate == expected.can_saturate && units.saturated == expected.saturated && units.can_die == expected.can_die &&
         units.dead == expected.dead;
}

template <class F>
UnitStatistics of(const F& f, const Matrix<float>& kept) {
  return detail::unit_statistics_from<float>(f, detail::const_view<float>(kept));
}

}  // namespace

TEMPLATE_TEST_CASE("the slope of an activation says at which ends it is flat", "[unit_statistics]", float, double) {
  const auto tanh = detail::slope_range<TestType>(Tanh{});
  CHECK((tanh.flat_below && tanh.flat_above));
  CHECK(tanh.largest == Approx(1).epsilon(1e-5));
  CHECK(detail::slope_range<TestType>(Sigmoid{}).largest == Approx(0.25).epsilon(1e-5));
  const auto relu = detail::slope_range<TestType>(ReLU{});
  CHECK((relu.flat_below && !relu.flat_above));
  const auto identity = detail::slope_range<TestType>(Identity{});
  CHECK((!identity.flat_below && !identity.flat_above));
  const auto square = detail::slope_range<TestType>(Square{});
  CHECK((!square.flat_below && !square.flat_above));
}

TEST_CASE("a unit is dead where its slope is negligible in every sample, and saturated where it is in nine of ten", "[unit_statistics]") {
  Matrix<float> a(3, 10);  // a = f(z), a row for each unit
  a.row(0).setZero();
  a.row(1).setZero();
  a(1, 9) = 1;
  a.row(2).setOnes();
  CHECK(is(of(ReLU{}, a), {0, 0, 3, 1}));

  a.row(0).setConstant(0.999f);
  a(0, 9) = 0;  // nine of ten
  a.row(1).setConstant(-0.999f);
  a(1, 8) = a(1, 9) = 0;        // eight
  a.row(2).setConstant(0.99f);  // tanh' = 0.0199, more than a hundredth
  CHECK(is(of(Tanh{}, a), {3, 1, 0, 0}));
  CHECK(is(of(Identity{}, a), {}));
  CHECK(is(of(Square{}, a), {}));
}

TEST_CASE("where f' needs z, units are told by z", "[unit_statistics]") {
  static_assert(!DerivativeFromOutput<SiLU>);
  Matrix<float> z(2, 3);
  z << -20, -21, -22,  //
      -20, 1, -20;
  CHECK(is(of(SiLU{}, z), {0, 0, 2, 1}));
}
