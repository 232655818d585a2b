#pragma once
// What a thread hands to another without waiting for it, and a count that threads can wait for.

#include <array>
#include <atomic>
#include <cstddef>
#include <limits>

namespace examples {

/// A queue of at most N things: one thread pushes, one pops, neither waits nor allocates. What is pushed into a full one is lost.
template <class T, std::size_t N>
class Queue {
  static_assert(N > 0 && (N & (N - 1)) == 0, "a power of two, so that places stay in order where the counts begin anew at 0");

 public:
  void push(const T& thing) {
    const std::size_t end = end_.load(std::memory_order_relaxed);
    if (end - begin_.load(std::memory_order_acquire) == N) return;
    room_[end % N] = thing;
    end_.store(end + 1, std::memory_order_release);
  }
  /// Whether there was a thing to take.
  bool pop(T& thing) {
    const std::size_t begin = begin_.load(std::memory_order_relaxed);
    if (begin == end_.load(std::memory_order_acquire)) return false;
    thing = room_[begin % N];
    begin_.store(begin + 1, std::memory_order_release);
    return true;
  }

 private:
  std::array<T, N> room_;
  std::atomic<std::size_t> begin_{0}, end_{0};  // how many were popped, how many pushed
};

/// The newest parameters of a net, from one thread to another; neither waits nor allocates. Of three nets each thread owns one, and the
/// third changes hands: an exchange of indices.
template <class Net>
class Handover {
 public:
  explicit Handover(const Net& net) : nets_{net, net, net} {}

  /// For the thread that learns.
  void give(const Net& net) {
    nets_[written_].parameters() = net.parameters();
    written_ = between_.exchange(written_ + fresh, std::memory_order_acq_rel) % fresh;
  }
  /// For the thread that predicts: what was given last. It stays as it is until the next call.
  const Net& newest() {
    if (between_.load(std::memory_order_relaxed) >= fresh) read_ = between_.exchange(read_, std::memory_order_acq_rel) % fresh;
    return nets_[read_];
  }

 private:
  static constexpr std::size_t fresh = 4;  // is added to the index of a net that was not yet read
  std::array<Net, 3> nets_;
  std::size_t written_ = 0, read_ = 1;
  std::atomic<std::size_t> between_{2};
};

/// A count that one thread makes and others wait for.
class Count {
 public:
  void add_one() {
    ++count_;
    count_.notify_all();
  }
  /// Nobody waits for it any more.
  void end() {
    count_ = std::numeric_limits<long>::max();
    count_.notify_all();
  }
  void wait_for(long least) const {
    for (long is = count_.load(); is < least; is = count_.load()) count_.wait(is);
  }

 private:
  std::atomic<long> count_{0};
};

}  // namespace examples
