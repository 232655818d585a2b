#pragma once
// Throws if the report of a contract or of a gradient check has not passed.

#include <cstdio>
#include <stdexcept>

namespace examples {

/// Prints the report. Throws std::runtime_error if it has not passed.
template <class Report>
void require(const Report& report) {
  std::printf("%s\n", report.to_string().c_str());
  if (!report.passed) throw std::runtime_error("a check has failed; its report is above");
}

}  // namespace examples
