#include <chainrule/bytes/decimal.hpp>
#include <cmath>
#include <limits>

#include "support/catch.hpp"

using namespace chainrule::detail;

namespace {

/// The number that `text` is; nan where it is none, infinity where it is out of range.
template <class Scalar>
Scalar read(std::string_view text) {
  Scalar value = 77;
  const Parsed parsed = parse_number(text, value);
  if (parsed != Parsed::number) CHECK(value == 77);
  if (parsed == Parsed::out_of_range) return std::numeric_limits<Scalar>::infinity();
  return parsed == Parsed::no_number ? std::numeric_limits<Scalar>::quiet_NaN() : value;
}

bool is_no_number(std::string_view text) { return std::isnan(read<double>(text)); }

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

TEST_CASE("each number is the nearest one of its type") {
  CHECK(read<double>("0.1") == 0.1);
  CHECK(read<float>("0.1") == 0.1f);
  CHECK(read<float>("16777217") == 16777216.0f);
  CHECK(read<float>("3.4028235e38") == std::numeric_limits<float>::max());
  CHECK(read<double>("1.7976931348623157e308") == std::numeric_limits<double>::max());
  CHECK(read<long double>("0.1") == 0.1L);
}

TEST_CASE("what is more or less than a finite decimal number is none") {
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
    CHECK(is_no_number(text));
  CHECK(is_no_number(std::string_view("1\0", 2)));
}

TEST_CASE("too large is out of range, too small is 0") {
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

TEST_CASE("whether a decimal is below 1 is read from its text") {
  for (const char* text : {"0.9", "-0.001e2", "1e-1", "999e-3", ".5"}) CHECK(is_below_one(text));
  for (const char* text : {"1", "-1.5", "10e-1", "0.01e2", "1e0", "123", "100e-2"}) CHECK_FALSE(is_below_one(text));
}
