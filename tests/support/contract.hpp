#pragma once
// Catch2 checks of a ContractReport.

#include <chainrule/testing/contract_report.hpp>
#include <initializer_list>

#include "support/catch.hpp"

namespace chainrule_test {

/// Whether tests check fewer numbers, as in the slow builds with sanitizers.
#if defined(CHAINRULE_SMALL_GRID)
inline constexpr bool small_grid = true;
#else
inline constexpr bool small_grid = false;
#endif

inline void check(const chainrule::ContractReport& report) {
  INFO(report.to_string());
  CHECK(report.passed);
}

/// Checks the report on something faulty: this clause is broken, and the report contains all these texts.
inline void check_broken(const chainrule::ContractReport& report, const char* clause, std::initializer_list<const char*> texts) {
  INFO(report.to_string());
  CHECK_FALSE(report.passed);
  CHECK(report.is_broken(clause));
  for (const char* text : texts) CHECK_THAT(report.to_string(), ContainsSubstring(text));
}

/// Runs a single check of a contract, `run_check(report)`, and requires that it passes.
template <class RunCheck>
void check_clause(const RunCheck& run_check) {
  chainrule::ContractReport report;
  run_check(report);
  check(report);
}

}  // namespace chainrule_test
