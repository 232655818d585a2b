#pragma once
// A report of chainrule/testing as a CHECK.

#include <chainrule/testing/contract_report.hpp>
#include <initializer_list>

#include "support/catch.hpp"

namespace chainrule_test {

/// The tests of sanitizers, which are slow, look at fewer numbers.
#if defined(CHAINRULE_SMALL_GRID)
inline constexpr bool small_grid = true;
#else
inline constexpr bool small_grid = false;
#endif

inline void check(const chainrule::ContractReport& report) {
  INFO(report.to_string());
  CHECK(report.passed);
}

/// The report of something faulty: this clause is among the broken ones, and the report has these words.
inline void check_broken(const chainrule::ContractReport& report, const char* clause, std::initializer_list<const char*> words) {
  INFO(report.to_string());
  CHECK_FALSE(report.passed);
  CHECK(report.is_broken(clause));
  for (const char* text : words) CHECK_THAT(report.to_string(), ContainsSubstring(text));
}

/// One clause alone: `looks(report)` calls one of its checks.
template <class Looks>
void check_clause(const Looks& looks) {
  chainrule::ContractReport report;
  looks(report);
  check(report);
}

}  // namespace chainrule_test
