#pragma once
// Prints what Google Benchmark measured: a table of medians, then a line of ratios for each row.

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

/// Prints the table and the ratios. contenders: names of the columns, the first one chainrule on one thread. peak: operations per second of
/// one core. threads: number of threads of the contender "oursN".
void print_table(const Times& times, const std::vector<Row>& rows, const std::vector<std::string>& contenders, double peak, int threads);

}  // namespace bench
