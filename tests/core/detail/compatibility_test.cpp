#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/random.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

std::string shortest(auto number) {
  std::string text;
  detail::append_shortest(text, number);
  return text;
}

/// Numbers of all magnitudes and lengths.
template <class T, class Bits>
void check_printf_against_to_chars() {
  Random random{Seed{7}};
  int different = 0, count = 0;
  const auto compare = [&](T number) {
    if (number != number) return;
    ++count;
    if (detail::shortest_by_printf(number) != shortest(number) && different++ == 0)
      FAIL_CHECK(detail::shortest_by_printf(number) << " by printf, " << shortest(number) << " by to_chars");
  };
  for (int i = 0; i < 20000; ++i) compare(detail::bit_cast<T>(static_cast<Bits>(random())));
  for (int i = 0; i < 20000; ++i)
    compare(static_cast<T>(static_cast<double>(random.below(1000000)) / std::pow(10.0, double(random.below(9)))));
  for (T power = 1; power < std::numeric_limits<T>::infinity(); power *= 10) compare(power), compare(-1 / power), compare(3 * power);
  CHECK(different == 0);
  CHECK(count > 30000);
}

}  // namespace

TEST_CASE("bit_cast keeps the bits") {
  STATIC_REQUIRE(detail::bit_cast<std::uint32_t>(1.0f) == 0x3f800000u);
  STATIC_REQUIRE(detail::bit_cast<double>(std::uint64_t{0x4000000000000000u}) == 2.0);
}

TEST_CASE("append_shortest writes the shortest decimal that is read back as the number") {
  CHECK(shortest(0.1f) == "0.1");
  CHECK(shortest(0.1) == "0.1");
  CHECK(shortest(20.0) == "20");
  CHECK(shortest(100000.0) == "1e+05");
  CHECK(shortest(1e-9) == "1e-09");
  CHECK(shortest(-0.0) == "-0");
  CHECK(shortest(1.0f / 3) == "0.33333334");
  CHECK(shortest(std::numeric_limits<double>::infinity()) == "inf");
  std::string text = "x = ";
  detail::append_digits(text, 0.1f, 9);
  CHECK(text == "x = 0.100000001");
}

TEST_CASE("shortest_by_printf writes the same text as to_chars") {
  check_printf_against_to_chars<float, std::uint32_t>();
  check_printf_against_to_chars<double, std::uint64_t>();
}

TEST_CASE("sqrt2 and ln2 are exact in every digit of their type") {
  STATIC_REQUIRE(detail::sqrt2<float> == 1.41421356f);
  CHECK(std::abs(detail::sqrt2<double> - std::sqrt(2.0)) <= 3e-16);
  CHECK(std::abs(detail::sqrt2<long double> - std::sqrt(2.0L)) <= 2 * std::numeric_limits<long double>::epsilon());
  CHECK(std::abs(detail::ln2<double> - std::log(2.0)) <= 2e-16);
  CHECK(std::abs(detail::ln2<long double> - std::log(2.0L)) <= std::numeric_limits<long double>::epsilon());
}
