#include <chainrule/bytes/excerpt.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("an excerpt of a file's text is quoted, at most 40 bytes long and free of control characters") {
  CHECK(detail::in_quotes("setosa") == "\"setosa\"");
  CHECK(detail::in_quotes("") == "\"\"");
  CHECK(detail::in_quotes("a\tb\033[2Jc\x7f") == "\"a?b?[2Jc?\"");
  CHECK(detail::excerpt(std::string(40, 'x')) == std::string(40, 'x'));
  CHECK(detail::excerpt(std::string(41, 'x')) == std::string(40, 'x') + "...");
  // A cut after 40 bytes would fall between the two bytes of the accented e.
  CHECK(detail::excerpt(std::string(39, 'x') + "\xc3\xa9" + "yz") == std::string(39, 'x') + "...");
}
