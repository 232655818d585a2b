#include <chainrule/activations/sine.hpp>

#include "support/activation_accuracy.hpp"

using namespace chainrule_test;
using chainrule::Sine;

// omega z is off by up to |omega z| eps/2, and with it the sine and its derivatives: at most 15 eps for |omega z| <= 30.
TEMPLATE_TEST_CASE("Sine satisfies the activation contract", "[activation]", float, double) {
  ActivationProperties properties{
      .nondecreasing = false, .derivative_rounding = 24, .steepness = 30, .min_z = -1, .max_z = 1, .max_abs_z = 1, .max_slope = 30};
  check_activation<TestType>(Sine{}, properties);
  properties.steepness = 1;
  properties.min_z = -30;
  properties.max_z = 30;
  check_activation<TestType>(Sine{1}, properties);
}

// sin(omega z), omega cos(omega z), -omega^2 sin(omega z) and -omega^3 cos(omega z)
TEMPLATE_TEST_CASE("Sine has the values of the formula", "[activation]", float, double, long double) {
  check_known_points<TestType>(
      Sine{1}, 3,
      {{-0.75L, -0.681638760023334166733L, 0.731688868873820886312L, 0.681638760023334166733L, -0.731688868873820886312L},
       {0, 0, 1, 0, -1},
       {0.5L, 0.479425538604203000273L, 0.877582561890372716116L, -0.479425538604203000273L, -0.877582561890372716116L}});
  check_known_points<TestType>(
      Sine{}, 5,
      {{-0.75L, 0.487174512460509526578L, -26.1991392028054685708L, -438.45706121445857392L, 23579.2252825249217137L},
       {-0.03125L, -0.806081108260692995183L, 17.7541522527743251639L, 725.472997434623695665L, -15978.7370274968926475L},
       {0, 0, 30, 0, -27000},
       {0.0625L, 0.954085781609693815319L, -8.98600518568722365266L, -858.677203448724433787L, 8087.40466711850128739L},
       {0.5L, 0.65028784015711686583L, -22.7906373857646382154L, -585.259056141405179247L, 20511.5736471881743939L}});
}

TEST_CASE("Sine is finite and between -1 and 1 where omega z is finite, and NaN where it is not", "[activation]") {
  CHECK(value_at(Sine{1}, 8192.0f) == Approx(-0.956173152843146286).epsilon(1e-6));
  CHECK(value_at(Sine{1}, 1e10f) == Approx(-0.487506025087510692).epsilon(1e-6));  // 1e10 is a float
  CHECK(derivative_at(Sine{1}, 1e300) == Approx(-0.575386111957549047).epsilon(1e-14));
  CHECK(std::isnan(value_at(Sine{}, 3e38f)));
  CHECK(std::isnan(value_at(Sine{}, std::numeric_limits<float>::infinity())));
}

TEST_CASE("Sine rejects an omega that is not above 0 or not finite and names its value", "[activation]") {
  CHECK_THROWS_SAYING(Sine{0}, chainrule::ValueError, "Sine", "omega", "above 0 and finite", "got 0");
  CHECK_THROWS_SAYING(Sine{-30}, chainrule::ValueError, "Sine", "got -30");
  CHECK_THROWS_SAYING(Sine{std::numeric_limits<double>::quiet_NaN()}, chainrule::ValueError, "Sine", "nan");
  CHECK_THROWS_SAYING(Sine{std::numeric_limits<double>::infinity()}, chainrule::ValueError, "Sine", "inf");
  CHECK(Sine{}.omega() == 30);
  CHECK(Sine{2.5}.omega() == 2.5);
}

TEST_CASE("Sine's default initializer is SirenUniform with its own omega", "[activation]") {
  static_assert(std::is_same_v<decltype(Sine{}.default_initializer()), chainrule::SirenUniform>);
  CHECK(Sine{2.5}.default_initializer().omega == 2.5);
  CHECK_FALSE(Sine{}.default_initializer().is_first);
  CHECK(Sine::name == "Sine");
}
