#pragma once

#include <array>
#include <chainrule/core/types.hpp>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace chainrule::detail {

/// A sum over ranks, which takes several exchanges, and may go on while this rank computes something else. The ranks add in a binary tree:
/// those whose numbers differ in the lowest bit first, then those that differ in the next bit, and so on.
template <class Scalar, class Channel>
class TreeSum {
  static_assert(std::is_trivially_copyable_v<Scalar>, "chainrule: ranks exchange plain numbers");

 public:
  /// Begins to replace `count` numbers and `tails` doubles by their sums over all ranks. The channel and the numbers must outlive the
  /// sum.
  void begin(Channel& channel, Scalar* numbers, Index count, double* tail = nullptr, Index tails = 0) {
    channel_ = &channel;
    rank_ = channel.ranks().rank();
    numbers_ = numbers;
    tail_ = tail;
    tails_ = tails;
    // Halving (Rabenseifner 2004): in step k a rank keeps one half of its range and adds what the partner has of it, so that it adds
    // count/2 + count/4 + ... numbers. Then the sums of the halves go back to all ranks. Short sums are exchanged whole, which takes half
    // as many messages. Both add in the same tree.
    halves_ = bytes_of(count) > 8192 && channel.ranks().ranks() > 2;
    levels_ = 0;
    while ((Index{1} << levels_) < channel.ranks().ranks()) ++levels_;
    steps_ = halves_ ? 2 * levels_ : levels_;
    step_ = 0;
    mine_ = {0, count};
    if (!is_complete()) begin_step();
  }
  /// Whether the numbers are the sums. Does not look for messages.
  bool is_complete() const { return step_ == steps_; }
  /// Goes on as far as messages have arrived, and returns whether the numbers are the sums. Does not wait.
  bool advance() {
    while (!is_complete() && channel_->is_complete()) end_step();
    return is_complete();
  }
  /// Waits for the next message of a sum that is not complete, and goes on.
  void wait_for_message() {
    channel_->wait();
    end_step();
  }
  /// Waits until the numbers are the sums.
  void wait() {
    while (!is_complete()) wait_for_message();
  }

 private:
  struct Slice {
    Index begin, end;
    Index size() const { return end - begin; }
  };
  static std::size_t bytes_of(Index n) { return static_cast<std::size_t>(n) * sizeof(Scalar); }
  std::size_t tail_bytes() const { return static_cast<std::size_t>((tails_ + 1) / 2 * 2) * sizeof(double); }  // a multiple of 16

  bool adds() const { return step_ < levels_; }  // after these steps, sums are sent back
  std::size_t level() const { return adds() ? step_ : steps_ - 1 - step_; }
  Index bit() const { return Index{1} << level(); }
  bool has_high_half() const { return (rank_ & bit()) != 0; }

  void begin_step() {
    const auto begin = [&](std::size_t more, const Slice& sent, const Slice& received) {
      channel_->begin(rank_ ^ bit(), more + bytes_of(sent.size()), more + bytes_of(received.size()), [&](std::byte* out) {
        if (more > 0) std::memcpy(out, tail_, static_cast<std::size_t>(tails_) * sizeof(double));
        if (sent.size() > 0) std::memcpy(out + more, numbers_ + sent.begin, bytes_of(sent.size()));
      });
    };
    if (!adds()) return begin(0, mine_, others());
    Slice sent = mine_;
    if (halves_) {
      whole_[level()] = mine_;
      const Index middle = mine_.begin + mine_.size() / 2;
      const Slice low{mine_.begin, middle}, high{middle, mine_.end};
      mine_ = has_high_half() ? high : low;
      sent = has_high_half() ? low : high;
    }
    begin(tail_bytes(), sent, mine_);
  }
  void end_step() {
    const std::byte* const in = channel_->received();
    if (adds()) {
      add(in, tail_, tails_);
      add(in + tail_bytes(), numbers_ + mine_.begin, mine_.size());
    } else {
      if (others().size() > 0) std::memcpy(numbers_ + others().begin, in, bytes_of(others().size()));
      mine_ = whole_[level()];
    }
    ++step_;
    if (!is_complete()) begin_step();
  }
  // the half that the partner has summed
  Slice others() const {
    const Slice& whole = whole_[level()];
    return has_high_half() ? Slice{whole.begin, mine_.begin} : Slice{mine_.end, whole.end};
  }

  // to += the numbers whose bytes begin at `from`
  template <class Number>
  static void add(const std::byte* from, Number* to, Index count) {
    using Numbers = Eigen::Array<Number, Dynamic, 1>;
    Eigen::Map<Numbers>(to, count) += Eigen::Map<const Numbers>(reinterpret_cast<const Number*>(from), count);
  }

  Channel* channel_ = nullptr;
  Index rank_ = 0;
  Scalar* numbers_ = nullptr;
  double* tail_ = nullptr;
  Index tails_ = 0;
  bool halves_ = false;
  std::size_t levels_ = 0, steps_ = 0, step_ = 0;
  Slice mine_{0, 0};                  // the numbers that this rank sums
  std::array<Slice, 64> whole_ = {};  // the numbers summed before the halving of each level
};

}  // namespace chainrule::detail
