#pragma once

#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace chainrule::detail {

/// Exchanges with other ranks, one after the other, and the memory of their messages. All ranks make and destroy Channels in the same
/// order, so that those of the same number belong together. RankGroup is chainrule::Ranks, which has a Channel as a member and is therefore
/// incomplete where this header is read.
template <class RankGroup>
class Channel {
 public:
  /// Takes the first number that no other Channel of these ranks has. Throws StateError where there are RankGroup::max_channels already.
  explicit Channel(RankGroup& ranks) : ranks_{ranks}, number_{ranks.take_channel()} {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  /// Abandons an exchange that is not complete.
  ~Channel() {
    abandon();
    ranks_.channels_in_use_ &= ~(std::uint32_t{1} << number_);
  }

  /// The processes that exchange.
  const RankGroup& ranks() const { return ranks_; }

  /// Calls write(out) for so many bytes, begins to send them to the partner, and to receive so many from it. Throws StateError where an
  /// exchange was abandoned since `together` last began or ended.
  template <class Write>
  void begin(Index partner, std::size_t out_bytes, std::size_t in_bytes, const Write& write) {
    if (ranks_.has_abandoned_)
      raise<StateError>(
          "ranks: an exchange was abandoned, so that its messages could be taken for those of another one; after such an error the ranks "
          "can only go on in Ranks::together, which all of them call");
    if (memory_ == nullptr) memory_ = std::make_unique<Memory>();
    if (memory_->out.size() < out_bytes) memory_->out.resize(out_bytes);
    if (memory_->in.size() < in_bytes) memory_->in.resize(in_bytes);
    write(memory_->out.data());
    is_open_ = true;
    abandon_unless_it_returns([&] {
      ranks_.begin_exchange(number_, partner, std::span<const std::byte>(memory_->out.data(), out_bytes),
                            std::span<std::byte>(memory_->in.data(), in_bytes));
    });
  }
  /// Whether the exchange is complete. Does not wait.
  bool is_complete() {
    if (is_open_) abandon_unless_it_returns([&] { is_open_ = !ranks_.is_complete(number_); });
    return !is_open_;
  }
  /// Waits for the exchange.
  void wait() {
    if (is_open_) abandon_unless_it_returns([&] { ranks_.wait_for(number_); });
    is_open_ = false;
  }
  /// The bytes that the partner has sent in the exchange that is complete.
  const std::byte* received() const { return memory_->in.data(); }

  /// Gives up the exchange if it is not complete. The network may still read and write its memory, which is therefore never freed.
  void abandon() noexcept {
    if (!is_open_) return;
    is_open_ = false;
    ranks_.has_abandoned_ = true;
    ranks_.abandon(number_);
    keep_forever(std::move(memory_));
  }

 private:
  struct Memory {
    std::vector<std::byte> out, in;
  };

  // Calls f, and gives up the exchange where it throws.
  template <class F>
  void abandon_unless_it_returns(const F& f) {
    bool has_returned = false;
    const ScopeExit give_up([&] {
      if (!has_returned) abandon();
    });
    f();
    has_returned = true;
  }
  static void keep_forever(std::unique_ptr<Memory> memory) {
    static std::mutex mutex;
    static auto* const kept = new std::vector<std::unique_ptr<Memory>>;
    const std::lock_guard lock(mutex);
    kept->push_back(std::move(memory));
  }

  RankGroup& ranks_;
  Index number_;
  std::unique_ptr<Memory> memory_;
  bool is_open_ = false;
};

}  // namespace chainrule::detail
