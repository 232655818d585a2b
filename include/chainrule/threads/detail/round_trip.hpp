#pragma once
// Measures how fast two threads exchange data: the time in which a cache line goes from one to the other and back.

#include <algorithm>
#include <atomic>
#include <chainrule/core/detail/require_cpp20.hpp>
#include <chrono>

namespace chainrule::detail {

/// One thread calls measure(); the other calls answer() repeatedly while it waits for something else.
class RoundTrip {
 public:
  using Clock = std::chrono::steady_clock;

  /// Answers a measurement that another thread is making; does nothing where there is none.
  void answer() {
    const unsigned ping = ping_.load(std::memory_order_relaxed);
    if (ping != pong_.load(std::memory_order_relaxed)) pong_.store(ping, std::memory_order_relaxed);
  }

  /// The shortest of 8 round trips; Clock::duration::max() where no thread answered in time. Calls wait(n) before it looks for the answer
  /// the n-th time.
  template <class Wait>
  Clock::duration measure(const Wait& wait) {
    constexpr unsigned trips = 8, looks = 512;
    Clock::duration shortest = (Clock::duration::max)();
    for (unsigned trip = 0; trip < trips; ++trip) {
      const unsigned ping = ping_.load(std::memory_order_relaxed) + 1;
      const Clock::time_point start = Clock::now();
      ping_.store(ping, std::memory_order_relaxed);
      for (unsigned look = 1; pong_.load(std::memory_order_relaxed) != ping; ++look) {
        if (look == looks) return (Clock::duration::max)();
        wait(look);
      }
      shortest = (std::min)(shortest, Clock::now() - start);
    }
    return shortest;
  }

 private:
  static constexpr std::size_t line = 128;  // the most bytes that a processor fetches at once: two cache lines on x86
  alignas(line) std::atomic<unsigned> ping_{0};
  alignas(line) std::atomic<unsigned> pong_{0};
};

}  // namespace chainrule::detail
