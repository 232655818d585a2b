// Measures all contenders on all rows and prints the table; tests/benchmark/run builds and starts it. Takes the flags below and those of
// Google Benchmark.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <regex>

#include "agreement.hpp"
#include "peers.hpp"
#include "table.hpp"

namespace {

struct Options {
  bool all = false;
  bool memory = false;
  bool peers = false;
  int threads = 1;
  std::string only = ".*";
};

/// Takes our flags out of the arguments and leaves the rest for Google Benchmark.
Options take_options(int& argc, char** argv) {
  Options options;
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    const bool has_value = i + 1 < argc;
    if (std::strcmp(argv[i], "--all") == 0)
      options.all = true;
    else if (std::strcmp(argv[i], "--memory") == 0)
      options.memory = true;
    else if (std::strcmp(argv[i], "--peers") == 0)
      options.peers = true;
    else if (std::strcmp(argv[i], "--threads") == 0 && has_value)
      options.threads = std::atoi(argv[++i]);
    else if (std::strcmp(argv[i], "--only") == 0 && has_value)
      options.only = argv[++i];
    else
      argv[kept++] = argv[i];
  }
  argc = kept;
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace bench;
  const Options options = take_options(argc, argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  if (options.threads < 1) return std::fprintf(stderr, "--threads needs a number of at least 1\n"), 2;

  const std::vector<Peer> peers = contenders(options.all, options.threads, options.peers);
  std::vector<Row> rows;
  for (const Row& row : all_rows())
    if (std::regex_search(row.name(), std::regex(options.only))) rows.push_back(row);
  if (rows.empty()) return std::fprintf(stderr, "no row's name matches \"%s\"\n", options.only.c_str()), 2;
  if (options.memory) return print_memory(rows), 0;

  if (!all_agree(rows, peers)) return std::printf("the libraries' steps differ, so nothing is measured\n"), 1;

  // The learning rate is so small that theta hardly changes, so the last repetition does the same work as the first.
  std::deque<Problem> problems;
  std::vector<std::unique_ptr<Learner>> learners;
  for (const Row& row : rows) {
    const Problem& problem = problems.emplace_back(make_problem(row, 1e-7));
    for (const Peer& peer : peers) {
      set_library_threads(peer.threads);  // oneDNN fixes the number of threads when it creates its primitives
      learners.push_back(peer.make(problem));
      Learner* learner = learners.back().get();
      if (learner == nullptr) continue;
      const auto measure = [learner, threads = peer.threads, predicts = row.predicts](benchmark::State& state) {
        set_library_threads(threads);
        learner->begin();
        if (predicts)
          for (auto _ : state) benchmark::DoNotOptimize(learner->predict());
        else
          for (auto _ : state) learner->step();
      };
      benchmark::RegisterBenchmark((row.name() + "|" + peer.label()).c_str(), measure)->UseRealTime();
    }
  }
  double operations = 0;
  benchmark::RegisterBenchmark("peak|peak", [&](benchmark::State& state) {
    for (auto _ : state) operations = run_peak();
  })->UseRealTime();

  Times times;
  benchmark::RunSpecifiedBenchmarks(&times);

  const double peak = operations / times.median("peak", "peak");
  std::printf("%s, %s\npeak of one core: %.1f GFLOP/s (fused multiply-adds, %s)\n", CHAINRULE_BENCHMARK_TITLE,
              sizeof(Scalar) == 4 ? "float" : "double", peak / 1e9, peak_name());
  std::printf("slowest repetition: %.0f %% above the fastest (small on a quiet machine)\n\n", 100 * times.spread());
  print_table(times, rows, peers, peak);
}
