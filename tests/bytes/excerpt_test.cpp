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
  CHECK(detail::excerpt("abcdef", 4) == "abcd...");
  // The letters, the currency sign and the emoji are printed; what follows is not safe to print.
  const std::string printed = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9d";
  CHECK(detail::excerpt(printed) == printed);
  CHECK(detail::excerpt("a\xc2\x9b"
                        "31m") == "a??31m");  // the control character CSI
  CHECK(detail::excerpt("\x9b"
                        "31m\xe4\xff") == "?31m??");  // bytes that are not UTF-8, as in Latin-1
  CHECK(detail::excerpt("a\xe2\x80\xae"
                        "b") == "a???b");                                                              // right-to-left override
  CHECK(detail::excerpt("\xc0\x9b\xe0\x82\x9b\xed\xa0\x80\xf4\x90\x80\x80") == std::string(12, '?'));  // no characters in UTF-8
  CHECK(detail::excerpt("a\xe2\x82") == "a??");                                                        // cut inside a character
}
