#include <chainrule/core/quantization.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("scale and zero point of a range hold 0 exactly, and weights reach from -127 to 127") {
  CHECK(detail::quantization_of<std::int8_t>("test", -1, 1.55) == Quantization{0.01f, -28});
  CHECK(detail::quantization_of<std::int8_t>("test", 0.5, 2.55) == Quantization{0.01f, -128});  // from 0 on
  CHECK(detail::quantization_of<std::int8_t>("test", -2.55, -1) == Quantization{0.01f, 127});
  CHECK(detail::quantization_of<std::int8_t>("test", 0, 0) == Quantization{1, 0});
  CHECK(detail::quantization_of<std::int16_t>("test", -1, 327.67) == Quantization{0.01f, 0});
  CHECK_THROWS_SAYING(detail::quantization_of<std::int8_t>("test", -1e300, 1), ValueError, "test: its numbers reach from");
  CHECK(detail::weight_scale(0) == 1);
  CHECK(detail::weight_scale(2.54) == 0.02f);
  CHECK(detail::quantized_weight(-2.54, 0.02f) == -127);
  CHECK(detail::quantized_weight(0.031, 0.02f) == 2);
  CHECK(detail::quantized<std::int8_t>(0.035f, {0.01f, -28}) == -24);  // 3.5 becomes 4
  CHECK(detail::dequantized<std::int8_t>(-24, {0.25f, -28}) == 1);
}
