#pragma once
// A contract's or a gradient check's report, as a demand.

#include <cstdio>
#include <stdexcept>

namespace examples {

/// Prints the report. Throws std::runtime_error where it has not passed.
template <class Report>
void require(const Report& report) {
  std::printf("%s\n", report.to_string().c_str());
  if (!report.passed) throw std::runtime_error("what is wrong stands above");
}

}  // namespace examples
