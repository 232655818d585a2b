#include <chainrule/core/error.hpp>
#include <cstdint>
#include <stdexcept>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("text_of joins texts and numbers") {
  const std::string name = "layer";
  CHECK_THROWS_WITH(detail::raise<ShapeError>(name, "<", std::size_t{2}, "> expects ", 64, " inputs, got ", std::string_view("none")),
                    "layer<2> expects 64 inputs, got none");
  CHECK_THROWS_WITH(detail::raise<ValueError>("from ", std::int64_t{-9223372036854775807}, " to ", std::uint64_t{18446744073709551615u}),
                    "from -9223372036854775807 to 18446744073709551615");
  CHECK_THROWS_WITH(detail::raise<ValueError>("got ", -0.5), Catch::Matchers::StartsWith("got -0.5"));
}

TEST_CASE("each kind of error can be caught as itself, as chainrule::Error and as std::runtime_error") {
  CHECK_THROWS_AS(detail::raise<ShapeError>(""), ShapeError);
  CHECK_THROWS_AS(detail::raise<ShapeError>(""), Error);
  CHECK_THROWS_AS(detail::raise<ValueError>(""), ValueError);
  CHECK_THROWS_AS(detail::raise<ValueError>(""), Error);
  CHECK_THROWS_AS(detail::raise<StateError>(""), StateError);
  CHECK_THROWS_AS(detail::raise<StateError>(""), Error);
  CHECK_THROWS_AS(detail::raise<StateError>(""), std::runtime_error);
}

TEST_CASE("the kinds of errors are distinct") {
  STATIC_REQUIRE_FALSE(std::is_base_of_v<ShapeError, ValueError>);
  STATIC_REQUIRE_FALSE(std::is_base_of_v<ValueError, ShapeError>);
  STATIC_REQUIRE_FALSE(std::is_base_of_v<StateError, ShapeError>);
}
