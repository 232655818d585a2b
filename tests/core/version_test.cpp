#include <chainrule/core/version.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "support/catch.hpp"

TEST_CASE("the version has the form MAJOR.MINOR.PATCH") {
  std::istringstream text(chainrule::version);
  unsigned major = 0, minor = 0, patch = 0;
  char first = 0, second = 0;
  text >> major >> first >> minor >> second >> patch;
  std::ostringstream again;
  again << major << '.' << minor << '.' << patch;
  CHECK(again.str() == chainrule::version);
}

// CMakeLists.txt takes the version from the lines of the header that contain "version = ", so there must be one such line.
TEST_CASE("the build system finds the version in exactly one line of the header") {
  std::ifstream header(CHAINRULE_SOURCE_DIR "/include/chainrule/core/version.hpp");
  REQUIRE(header);
  int found = 0;
  for (std::string line; std::getline(header, line);) {
    if (line.find("version = ") == std::string::npos) continue;
    ++found;
    CHECK_THAT(line, chainrule_test::ContainsSubstring(chainrule::version));
  }
  CHECK(found == 1);
}
