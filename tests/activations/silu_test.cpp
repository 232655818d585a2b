#include <chainrule/activations/silu.hpp>

#include "support/activation_accuracy.hpp"

using namespace chainrule_test;
using chainrule::SiLU;

TEMPLATE_TEST_CASE("SiLU satisfies the activation contract", "[activation]", float, double) {
  check_activation<TestType>(SiLU{},
                             {.at_minus_infinity = 0, .at_infinity = std::numeric_limits<double>::infinity(), .nondecreasing = false});
}

// SiLU(z) = z sigma(z); its minimum is -0.278 at z = -1.278, where z = -1 - SiLU(z)
TEMPLATE_TEST_CASE("SiLU has the values of the formula", "[activation]", float, double, long double) {
  check_known_points<TestType>(
      SiLU{}, 4,
      {{-20, -4.12230723638040716286e-8L, -3.91619186606467832916e-8L, -3.71007648810191190249e-8L, -3.50396109526990577844e-8L},
       {-4, -0.0719448398483662321072L, -0.0526646148910729076595L, -0.032783931286974287743L, -0.0120815084893482926301L},
       {-1, -0.268941421369995120749L, 0.0723294881285132682114L, 0.302366118810015295632L, 0.307898823535080875882L},
       {0, 0, 0.5L, 0.5L, 0},
       {0.5L, 0.311229665600927282319L, 0.739961187302651809174L, 0.441229026977028607859L, -0.220848762701754528766L},
       {1, 0.731058578630004879251L, 0.927670511871486731789L, 0.302366118810015295632L, -0.307898823535080875882L},
       {4, 3.92805516015163376789L, 1.05266461489107290766L, -0.032783931286974287743L, 0.0120815084893482926301L}});
  CHECK(std::abs(derivative_at(SiLU{}, TestType(-1.278464542761073795109358739022980155439L))) <
        2 * std::numeric_limits<TestType>::epsilon());
}

TEST_CASE("SiLU is accurate also where its values are tiny", "[activation]") {
  check_accuracy<float>(SiLU{}, -65, 65, 4);
  check_accuracy<double>(SiLU{}, -650, 20, 4);
}

TEST_CASE("SiLU's default initializer is HeNormal", "[activation]") {
  static_assert(std::is_same_v<decltype(SiLU{}.default_initializer()), chainrule::HeNormal>);
  CHECK(SiLU::name == "SiLU");
}
