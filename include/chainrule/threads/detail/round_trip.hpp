#pragma once
// How far two threads are from one another: the time of a cache line from one to the other and back.

#include <algorithm>
#include <atomic>
#include <chrono>

namespace chainrule::kernels {

/// One thread calls measure(); the other calls answer() again and again while it waits for something else.
class RoundTrip {
 public:
  using Clock = std::chrono::steady_clock;

  void answer() {
    const unsigned ping = ping_.load(std::memory_order_relaxed);
    if (ping != pong_.load(std::memory_order_relaxed)) pong_.store(ping, std::memory_order_relaxed);
  }

  /// The shortest of a few trips; Clock::duration::max() where nobody answered. wait(n) is called between two looks, for the n-th time.
  template <class Wait>
  Clock::duration measure(const Wait& wait) {
    constexpr unsigned trips = 8, looks = 512;
    Clock::duration shortest = Clock::duration::max();
    for (unsigned trip = 0; trip < trips; ++trip) {
      const unsigned ping = ping_.load(std::memory_order_relaxed) + 1;
      const Clock::time_point start = Clock::now();
      ping_.store(ping, std::memory_order_relaxed);
      for (unsigned look = 1; pong_.load(std::memory_order_relaxed) != ping; ++look) {
        if (look == looks) return Clock::duration::max();
        wait(look);
      }
      shortest = std::min(shortest, Clock::now() - start);
    }
    return shortest;
  }

 private:
  static constexpr std::size_t line = 128;  // bytes that processors fetch together, at most
  alignas(line) std::atomic<unsigned> ping_{0};
  alignas(line) std::atomic<unsigned> pong_{0};
};

}  // namespace chainrule::kernels
