#include <chainrule/bytes/quoted.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("what was found is shown in quotes, not too long, and harmless to a terminal") {
  CHECK(detail::in_quotes("setosa") == "\"setosa\"");
  CHECK(detail::in_quotes("") == "\"\"");
  CHECK(detail::in_quotes("a\tb\033[2Jc\x7f") == "\"a?b?[2Jc?\"");
  CHECK(detail::clipped(std::string(40, 'x')) == std::string(40, 'x'));
  CHECK(detail::clipped(std::string(41, 'x')) == std::string(40, 'x') + "...");
  // an e with an accent, two bytes, of which the cut would fall between
  CHECK(detail::clipped(std::string(39, 'x') + "\xc3\xa9" + "yz") == std::string(39, 'x') + "...");
}
