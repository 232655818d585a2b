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

void print_table(const Times& times, const std::vector<Row>& rows, const std::vector<Peer>& contenders, double peak) {
  const Peer& ours = contenders.front();
  std::vector<Peer> alone, shared;  // on one thread, and on several
  for (const Peer& peer : contenders) (peer.threads == 1 ? alone : shared).push_back(peer);
  const auto median = [&](const Row& row, const Peer& peer) { return times.median(row.name(), peer.label()); };
  // How many times as fast as on one thread; 0 if it was not measured.
  const auto speed_up = [&](const Row& row, const Peer& peer) {
    const double seconds = median(row, peer);
    return seconds > 0 ? times.median(row.name(), peer.name) / seconds : 0;
  };

  std::vector<std::vector<std::string>> lines{{"row", "MFLOP", "us", "samples/s", "GFLOP/s", "of peak"}};
  for (std::size_t c = 1; c < alone.size(); ++c) lines[0].push_back(alone[c].name + "/ours");
  for (const Row& row : rows) {
    const double seconds = median(row, ours);
    if (!(seconds > 0)) continue;
    lines.push_back({row.name(), digits(row.flop() / 1e6), digits(seconds * 1e6), text(row.batch / seconds, 0),
                     digits(row.flop() / seconds / 1e9), text(row.flop() / seconds / peak, 3)});
    for (std::size_t c = 1; c < alone.size(); ++c) lines.back().push_back(text(median(row, alone[c]) / seconds, 2));
  }
  print_aligned(lines);
  std::printf("\n");

  if (!shared.empty()) {
    std::printf("On %d threads: our time, the speed-up of each over one thread (above 1 is faster), and times of others / our time\n",
                shared.front().threads);
    lines = {{"row", "MFLOP", "us"}};
    for (const Peer& peer : shared) lines[0].push_back("speed-up " + peer.name);
    for (std::size_t c = 1; c < shared.size(); ++c) lines[0].push_back(shared[c].name + "/ours");
    for (const Row& row : rows) {
      const double seconds = median(row, shared.front());
      if (!(seconds > 0)) continue;
      lines.push_back({row.name(), digits(row.flop() / 1e6), digits(seconds * 1e6)});
      for (const Peer& peer : shared) lines.back().push_back(text(speed_up(row, peer), 2));
      for (std::size_t c = 1; c < shared.size(); ++c) lines.back().push_back(text(median(row, shared[c]) / seconds, 2));
    }
    print_aligned(lines);
    std::printf("\n");
  }

  for (const Row& row : rows) {
    const double seconds = median(row, ours);
    if (!(seconds > 0)) continue;
    const auto ratio = [&](const char* name) { return text(times.median(row.name(), name) / seconds, 3); };
    std::printf("ratio %s eigen %s libtorch %s peak %s threads%d %s openblas %s libxsmm %s\n", row.name().c_str(), ratio("eigen").c_str(),
                ratio("libtorch").c_str(), text(row.flop() / seconds / peak, 3).c_str(), shared.empty() ? 2 : shared.front().threads,
                text(shared.empty() ? 0 : speed_up(row, shared.front()), 3).c_str(), ratio("openblas").c_str(), ratio("libxsmm").c_str());
  }
}

}  // namespace bench
