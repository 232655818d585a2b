#pragma once
// Prints what Google Benchmark measured: tables of medians, then a line of ratios for each row.

#include <benchmark/benchmark.h>

#include <map>

#include "problem.hpp"

namespace bench {

/// Collects the seconds per call of each benchmark by its name, "row|contender", without printing anything.
class Times final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override {}

  /// Median seconds of the repetitions, 0 if not measured.
  double median(const std::string& row, const std::string& contender) const;

  /// How much repetitions differ: the median over all benchmarks of (largest - smallest) / smallest. Small on a quiet machine.
  double spread() const;

 private:
  std::map<std::string, std::vector<double>> seconds_;
};

/// Prints the table, a second one for the contenders on several threads if there are any, and a line of ratios for each row. contenders:
/// the first one is chainrule on one thread, and the first one on several threads is chainrule too. peak: operations per second of one
/// core.
void print_table(const Times& times, const std::vector<Row>& rows, const std::vector<Peer>& contenders, double peak);

}  // namespace bench
