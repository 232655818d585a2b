#include <chainrule/bytes/decimal.hpp>
#include <cmath>
#include <limits>

#include "support/catch.hpp"

using namespace chainrule::detail;

namespace {

/// Parses `text`; returns NaN where it is not a number and infinity where it is out of range.
template <class Scalar>
Scalar read(std::string_view text) {
  Scalar value = 77;
  const ParseResult parsed = parse_number(text, value);
  if (parsed != ParseResult::number) CHECK(value == 77);
  if (parsed == ParseResult::out_of_range) return std::numeric_limits<Scalar>::infinity();
  return parsed == ParseResult::invalid ? std::numeric_limits<Scalar>::quiet_NaN() : value;
}

bool is_invalid(std::string_view text) { return std::isnan(read<double>(text)); }

}  // namespace

TEST_CASE("a decimal number may have a sign, a point, an exponent and blanks around it") {
  CHECK(read<double>("12") == 12);
  CHECK(read<double>("-2.5") == -2.5);
  CHECK(read<double>("+2.5") == 2.5);
  CHECK(read<double>(".5") == 0.5);
  CHECK(read<double>("-.5") == -0.5);
  CHECK(read<double>("5.") == 5);
  CHECK(read<double>("1e3") == 1000);
  CHECK(read<double>("1.5E+3") == 1500);
  CHECK(read<double>("25e-2") == 0.25);
  CHECK(read<double>("007") == 7);
  CHECK(read<double>(" \t 3 \t") == 3);
  CHECK(std::signbit(read<double>("-0")));
}

TEST_CASE("a decimal number is rounded to the nearest value of its type") {
  CHECK(read<double>("0.1") == 0.1);
  CHECK(read<float>("0.1") == 0.1f);
  CHECK(read<float>("16777217") == 16777216.0f);
  CHECK(read<float>("3.4028235e38") == std::numeric_limits<float>::max());
  CHECK(read<double>("1.7976931348623157e308") == std::numeric_limits<double>::max());
  CHECK(read<long double>("0.1") == 0.1L);
}

TEST_CASE("text that is not exactly one finite decimal number is invalid") {
  for (const char* text : {"",
                           " ",
                           "+",
                           "-",
                           ".",
                           "-.",
                           "+-1",
                           "-+1",
                           "++1",
                           "--1",
                           "- 1",
                           "1 2",
                           "1,5",
                           "1x",
                           "0x10",
                           "1e",
                           "1e+",
                           "e5",
                           "1.2.3",
                           "nan",
                           "-nan",
                           "inf",
                           "-inf",
                           "infinity",
                           "NaN",
                           "one",
                           "1\n",
                           "\xef\xbb\xbf"
                           "1"})
    CHECK(is_invalid(text));
  CHECK(is_invalid(std::string_view("1\0", 2)));
}

TEST_CASE("a number too large for its type is out of range, and one too small becomes 0") {
  CHECK(std::isinf(read<float>("1e39")));
  CHECK(std::isinf(read<float>("-1e39")));
  CHECK(std::isinf(read<float>("1000000000000000000000000000000000000000")));
  CHECK(read<double>("1e39") == 1e39);
  CHECK(std::isinf(read<double>("1e999999999999999999999")));
  CHECK(read<float>("1e-60") == 0);
  CHECK(read<float>("0.000000000000000000000000000000000000000000000000000000000001") == 0);
  CHECK(read<double>("123e-999999999999999999999") == 0);
  CHECK(std::signbit(read<double>("-1e-400")));
  CHECK(read<float>("1e-40") == 1e-40f);  // subnormal
}

TEST_CASE("is_below_one compares the absolute value of a decimal text with 1") {
  for (const char* text : {"0.9", "-0.001e2", "1e-1", "999e-3", ".5"}) CHECK(is_below_one(text));
  for (const char* text : {"1", "-1.5", "10e-1", "0.01e2", "1e0", "123", "100e-2"}) CHECK_FALSE(is_below_one(text));
}
