#include "table.hpp"

#include <algorithm>
#include <cstdio>

namespace bench {
namespace {

/// A number with this many decimals, or "-" if it was not measured.
std::string text(double value, int decimals) {
  if (!(value > 0)) return "-";
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", decimals, value);
  return buffer;
}
std::string digits(double value) { return text(value, value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0); }

/// Prints columns as wide as their widest word, the first one aligned to the left, the others to the right.
void print_aligned(const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) std::printf(i == 0 ? "%-*s" : "  %*s", static_cast<int>(widths[i]), line[i].c_str());
    std::printf("\n");
  }
}

}  // namespace

void Times::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs)
    if (run.run_type == Run::RT_Iteration && !run.error_occurred && run.iterations > 0)
      seconds_[run.run_name.function_name].push_back(run.real_accumulated_time / static_cast<double>(run.iterations));
}

double Times::median(const std::string& row, const std::string& contender) const {
  const auto found = seconds_.find(row + "|" + contender);
  if (found == seconds_.end()) return 0;
  std::vector<double> sorted = found->second;
  std::sort(sorted.begin(), sorted.end());
  return (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
}

double Times::spread() const {
  std::vector<double> spreads;
  for (const auto& [name, seconds] : seconds_) {
    const auto [least, most] = std::minmax_element(seconds.begin(), seconds.end());
    spreads.push_back((*most - *least) / *least);
  }
  std::sort(spreads.begin(), spreads.end());
  return spreads.empty() ? 0 : spreads[spreads.size() / 2];
}

void print_table(const Times& times, const std::vector<Row>& rows, const std::vector<std::string>& contenders, double peak, int threads) {
  const std::string& ours = contenders.front();
  std::vector<std::vector<std::string>> lines{{"row", "MFLOP", "us", "samples/s", "GFLOP/s", "of peak"}};
  for (std::size_t c = 1; c < contenders.size(); ++c) lines[0].push_back(contenders[c] + "/ours");
  for (const Row& row : rows) {
    const double seconds = times.median(row.name(), ours);
    if (!(seconds > 0)) continue;
    lines.push_back({row.name(), digits(row.flop() / 1e6), digits(seconds * 1e6), text(row.batch / seconds, 0),
                     digits(row.flop() / seconds / 1e9), text(row.flop() / seconds / peak, 3)});
    for (std::size_t c = 1; c < contenders.size(); ++c) lines.back().push_back(text(times.median(row.name(), contenders[c]) / seconds, 2));
  }
  print_aligned(lines);
  std::printf("\n");

  const std::string many = std::to_string(threads);
  for (const Row& row : rows) {
    const double seconds = times.median(row.name(), ours);
    if (!(seconds > 0)) continue;
    const double shared = times.median(row.name(), ours + many);
    std::printf("ratio %s eigen %s libtorch %s peak %s threads%s %s\n", row.name().c_str(),
                text(times.median(row.name(), "eigen") / seconds, 3).c_str(),
                text(times.median(row.name(), "libtorch") / seconds, 3).c_str(), text(row.flop() / seconds / peak, 3).c_str(),
                shared > 0 ? many.c_str() : "2", text(shared > 0 ? seconds / shared : 0, 3).c_str());
  }
}

}  // namespace bench
