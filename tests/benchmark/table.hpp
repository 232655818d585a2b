#pragma once
// What Google Benchmark measured, as one table of medians and a line of ratios for each row.

#include <benchmark/benchmark.h>

#include <map>

#include "problem.hpp"

namespace bench {

/// Collects seconds by the benchmark's name, "row|contender", and says nothing until it is asked.
class Times final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override {}

  /// Median of the repetitions; 0: not measured.
  double median(const std::string& row, const std::string& contender) const;

  /// How far apart repetitions are, (largest - smallest) / smallest, in the middle of all series: says how quiet the machine was.
  double spread() const;

 private:
  std::map<std::string, std::vector<double>> seconds_;
};

/// contenders: all that may be in a row; the first is ours, on one thread. peak in operations per second. threads: of "ours, N threads".
void print_table(const Times& times, const std::vector<Row>& rows, const std::vector<std::string>& contenders, double peak, int threads);

}  // namespace bench
