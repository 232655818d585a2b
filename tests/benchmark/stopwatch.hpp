#pragma once
// Measures times in the programs that do not use Google Benchmark.

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

namespace bench {

inline double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

template <class F>
double seconds_of(long calls, const F& f) {
  const double begin = now();
  for (long i = 0; i < calls; ++i) f();
  return now() - begin;
}

/// The number of calls of f that take about this many seconds. Finding it also warms up f.
template <class F>
long calls_in(double seconds, const F& f) {
  f();
  for (long calls = 1;; calls *= 2) {
    const double took = seconds_of(calls, f);
    if (took >= seconds) return calls;
    if (took > seconds / 8) return std::max(1L, static_cast<long>(static_cast<double>(calls) * seconds / took));
  }
}

inline double median(std::vector<double> of) {
  std::sort(of.begin(), of.end());
  return (of[(of.size() - 1) / 2] + of[of.size() / 2]) / 2;
}

/// Median microseconds of one call of each function, measured alternately.
inline std::vector<double> microseconds(const std::vector<std::function<void()>>& functions) {
  std::vector<long> calls;
  for (const auto& f : functions) calls.push_back(calls_in(0.005, f));
  std::vector<std::vector<double>> times(functions.size());
  for (int repetition = 0; repetition < 15; ++repetition)
    for (std::size_t i = 0; i < functions.size(); ++i)
      times[i].push_back(seconds_of(calls[i], functions[i]) / static_cast<double>(calls[i]) * 1e6);
  std::vector<double> medians;
  for (const auto& of : times) medians.push_back(median(of));
  return medians;
}

}  // namespace bench
