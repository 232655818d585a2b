#include <chainrule/data/csv_options.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("columns are given by name, by number, or as a list of both") {
  const CsvOptions by_name{.target = "species"};
  CHECK(by_name.target.size() == 1);
  CHECK(by_name.target[0].is_name());
  CHECK(by_name.target[0].name() == "species");
  const CsvOptions by_number{.target = -1};
  CHECK_FALSE(by_number.target[0].is_name());
  CHECK(by_number.target[0].number() == -1);
  const CsvOptions several{.target = {"height", 3}, .ignore = std::string("id")};
  CHECK(several.target.size() == 2);
  CHECK(several.target[1].number() == 3);
  CHECK(several.ignore[0].name() == "id");
  CHECK(CsvOptions{}.target.empty());
  CHECK(CsvOptions{}.missing == Missing::error);
}
