#pragma once
// Catch2 2.x and 3.x under one name.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
namespace chainrule_test {
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
}  // namespace chainrule_test
#else
#include <catch2/catch.hpp>
namespace chainrule_test {
using Catch::Detail::Approx;
inline auto ContainsSubstring(const std::string& text) { return Catch::Matchers::Contains(text); }
}  // namespace chainrule_test
#endif

/// Checks that the expression throws Type with a message that contains every one of the given texts.
#define CHECK_THROWS_SAYING(expression, Type, ...)                                                                                \
  do {                                                                                                                            \
    bool thrown_as_expected = false;                                                                                              \
    try {                                                                                                                         \
      static_cast<void>(expression);                                                                                              \
    } catch (const Type& error) {                                                                                                 \
      thrown_as_expected = true;                                                                                                  \
      for (const char* expected_text : {__VA_ARGS__}) CHECK_THAT(error.what(), chainrule_test::ContainsSubstring(expected_text)); \
    }                                                                                                                             \
    INFO(#expression " must throw " #Type);                                                                                       \
    CHECK(thrown_as_expected);                                                                                                    \
  } while (false)
