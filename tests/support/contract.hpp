#pragma once
// A report of chainrule/testing as a CHECK.

#include <chainrule/testing/contract_report.hpp>

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

/// One clause alone: `looks(report)` calls one of its checks.
template <class Looks>
void check_clause(const Looks& looks) {
  chainrule::ContractReport report;
  looks(report);
  check(report);
}

}  // namespace chainrule_test
