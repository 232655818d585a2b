#pragma once
// Communication between threads: a queue and a buffer for the latest net, both lock-free, and a counter that threads can wait for.

#include <array>
#include <atomic>
#include <cstddef>
#include <limits>

namespace examples {

/// A single-producer, single-consumer queue of at most N items. Neither thread waits or allocates. An item pushed into a full queue is
/// lost.
template <class T, std::size_t N>
class SpscQueue {
  static_assert(N > 0 && (N & (N - 1)) == 0, "N must be a power of two, so that indices stay right when the counts overflow to 0");

 public:
  void push(const T& item) {
    const std::size_t end = end_.load(std::memory_order_relaxed);
    if (end - begin_.load(std::memory_order_acquire) == N) return;
    items_[end % N] = item;
    end_.store(end + 1, std::memory_order_release);
  }
  /// Returns false if the queue is empty.
  bool pop(T& item) {
    const std::size_t begin = begin_.load(std::memory_order_relaxed);
    if (begin == end_.load(std::memory_order_acquire)) return false;
    item = items_[begin % N];
    begin_.store(begin + 1, std::memory_order_release);
    return true;
  }

 private:
  std::array<T, N> items_;
  std::atomic<std::size_t> begin_{0}, end_{0};  // numbers of items popped and pushed so far
};

/// Passes the latest parameters of a net from one thread to another (a triple buffer). Neither thread waits or allocates. Of three nets,
/// each thread owns one, and the third is swapped by an atomic exchange of indices.
template <class Net>
class LatestNet {
 public:
  explicit LatestNet(const Net& net) : nets_{net, net, net} {}

  /// Called by the thread that learns: makes net's parameters the latest ones.
  void publish(const Net& net) {
    nets_[written_].parameters() = net.parameters();
    written_ = between_.exchange(written_ + fresh, std::memory_order_acq_rel) % fresh;
  }
  /// Called by the thread that predicts: returns the net published last, which does not change until the next call.
  const Net& latest() {
    if (between_.load(std::memory_order_relaxed) >= fresh) read_ = between_.exchange(read_, std::memory_order_acq_rel) % fresh;
    return nets_[read_];
  }

 private:
  static constexpr std::size_t fresh = 4;  // added to the index of a net that has not been read yet
  std::array<Net, 3> nets_;
  std::size_t written_ = 0, read_ = 1;
  std::atomic<std::size_t> between_{2};  // the third net, owned by neither thread
};

/// A counter that one thread increments and others wait for.
class Counter {
 public:
  void increment() {
    ++count_;
    count_.notify_all();
  }
  /// Sets the counter to its maximum, so that nobody waits for it any more.
  void release() {
    count_ = std::numeric_limits<long>::max();
    count_.notify_all();
  }
  /// Waits until the counter is at least `count`.
  void wait_for(long count) const {
    for (long now = count_.load(); now < count; now = count_.load()) count_.wait(now);
  }

 private:
  std::atomic<long> count_{0};
};

}  // namespace examples
