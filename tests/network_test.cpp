#include <chainrule/chainrule.hpp>

#include "support/catch.hpp"

TEST_CASE("placeholder") { CHECK(1 + 1 == 2); }
