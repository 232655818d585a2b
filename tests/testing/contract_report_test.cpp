#include <chainrule/testing/contract_report.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("a report passes until a clause is broken, and lists each clause once", "[contract]") {
  ContractReport report{.name = "Mine", .contract = testing::contract_of<float>("a loss")};
  CHECK(report.clause("value", true, {"J is ", 1.5}));
  CHECK(report.clause("value", true));
  CHECK(report.clause("place", true));
  CHECK(report);
  CHECK(report.to_string() == "Mine satisfies the contract of a loss, in float: 2 clauses");

  CHECK_FALSE(report.clause("value", false, {"J is ", 2.5f, " in a batch of ", 3}));
  CHECK_FALSE(report.clause("value", false, {"the report keeps only the first fault of a clause"}));
  CHECK(report.clause("value", true));  // a later success does not mend a broken clause
  CHECK_FALSE(report);
  CHECK(report.is_broken("value"));
  CHECK_FALSE(report.is_broken("place"));
  CHECK(report.failures == std::vector<std::string>{"value: J is 2.5 in a batch of 3"});
  CHECK(report.to_string() == "Mine VIOLATES the contract of a loss, in float, 1 of 2 clauses:\n  value: J is 2.5 in a batch of 3");
}
