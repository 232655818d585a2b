#pragma once

#include <algorithm>
#include <array>
#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <chainrule/data/data_part.hpp>
#include <chainrule/data/dataset.hpp>
#include <chainrule/parallel/detail/channel.hpp>
#include <chainrule/parallel/detail/tree_sum.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace chainrule {

/// Thrown where processes that train together cannot go on: another rank has stopped with an error, does not answer in time, or the network
/// between them is broken.
class RankError : public Error {
  using Error::Error;
};

/// How processes share a training.
struct RankOptions {
  /// The number of parts of which each batch consists, whatever the number of ranks: a power of two, and at least the number of ranks. The
  /// gradients of the shards are added in a fixed binary tree, so that trainings with the same number of shards have the same bits.
  Index shards = 8;
  double timeout = 60;  ///< seconds after which a rank that waits for another one throws RankError
  /// The fewest bytes of dJ/dtheta that are sent while the backward pass goes on: whole layers, from the last one, are sent together as
  /// soon as they have so many bytes. 0: all of dJ/dtheta is sent after the backward pass. The bits do not depend on it.
  Index bucket_bytes = 1 << 20;
  /// Whether a BatchNorm in Trainer::fit takes its statistics from all shards of a batch, as PyTorch's SyncBatchNorm, instead of
  /// normalizing each shard by itself. Then the shards of a rank make their passes at the same time, each on a thread of its own, and all
  /// ranks exchange statistics in both passes of each BatchNorm.
  bool sync_batch_norm = false;
};

namespace detail {

/// A view of these samples.
template <class Scalar, class Targets>
DataView<Scalar, Targets> samples_in_range(const DataView<Scalar, Targets>& data, SampleRange range) {
  const auto features = columns_of(data.features, range.first, range.count);
  const auto targets = columns_of(data.targets, range.first, range.count);
  const auto weights = weights_of(data, range.first, range.count);
  return DataView<Scalar, Targets>(features, targets, weights);
}

}  // namespace detail

/// The processes (ranks) that train one network together, each with its own part of the data. `Mpi` is the one that uses MPI; a class of
/// your own for another network implements `begin_exchange`, `is_complete`, `wait_for`, `abandon`, `begin` and `give_up`.
///
/// Every rank calls the same functions in the same order. A sum over ranks is made in pairs: first of ranks 0 and 1, 2 and 3, ..., then of
/// these sums, and so on. Addition of two numbers is commutative, so all ranks get the same bits.
class Ranks {
 public:
  /// Exchanges with other ranks, one after the other, and the memory of their messages. All ranks make and destroy Channels in the same
  /// order, so that those of the same number belong together.
  using Channel = detail::Channel<Ranks>;
  /// A sum over ranks, which may go on while this rank computes something else.
  template <class Scalar>
  using TreeSum = detail::TreeSum<Scalar, Channel>;

  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  virtual ~Ranks() = default;

  Index rank() const { return rank_; }                               ///< the number of this process, counted from 0
  Index ranks() const { return ranks_; }                             ///< the number of processes, a power of two
  Index shards() const { return options_.shards; }                   ///< the number of shards of a batch, over all ranks
  Index shards_here() const { return options_.shards / ranks_; }     ///< the number of shards of a batch that this rank works on
  Index first_shard() const { return rank_ * shards_here(); }        ///< the number of this rank's first shard
  double timeout() const { return options_.timeout; }                ///< seconds after which a rank that waits throws RankError
  Index bucket_bytes() const { return options_.bucket_bytes; }       ///< see RankOptions::bucket_bytes
  bool sync_batch_norm() const { return options_.sync_batch_norm; }  ///< see RankOptions::sync_batch_norm
  bool is_first() const { return rank_ == 0; }                       ///< whether this is rank 0, which prints and writes files

  /// The part of a data set that belongs to this rank, for the readers of files.
  DataPart part() const { return {rank_, ranks_}; }
  /// The samples of a data set of `samples` samples that belong to this rank.
  SampleRange range_of(Index samples) const { return part().range_of(samples); }

  /// A view of the samples of `data` that belong to this rank, for data sets that each rank has read as a whole. Views the memory of
  /// `data`, which must outlive it.
  template <class Data>
  auto part_of(const Data& data) const {
    return detail::samples_in_range(DataView(data), range_of(DataView(data).size()));
  }
  /// Does not compile, because a temporary data set is gone when the view is used.
  template <class Scalar, class Targets>
  void part_of(const Dataset<Scalar, Targets>&&) const = delete;

  /// Replaces each number by the sum of the numbers that all ranks have in this place: a vector, Gradients, or a number. All ranks get the
  /// same bits. Throws RankError where a rank does not take part in time, and ShapeError for a part of a matrix whose numbers do not follow
  /// one another in memory.
  template <class Numbers>
  void sum(Numbers&& numbers) {
    using Type = std::remove_cvref_t<Numbers>;
    if constexpr (std::is_floating_point_v<Type>)
      sum_numbers(&numbers, Index{1}, nullptr, 0);
    else if constexpr (requires { numbers.flat().data(); })
      sum_numbers(numbers.flat().data(), static_cast<Index>(numbers.flat().size()), nullptr, 0);
    else {
      if constexpr (requires { numbers.innerStride(); })
        if (numbers.innerStride() != 1 || (numbers.outerSize() > 1 && numbers.outerStride() != numbers.innerSize()))
          detail::raise<ShapeError>("Ranks::sum: expected numbers that follow one another in memory, but found a part of a matrix, ",
                                    numbers.rows(), " x ", numbers.cols(), "; copy it, sum the copy, and copy it back");
      sum_numbers(numbers.data(), static_cast<Index>(numbers.size()), nullptr, 0);
    }
  }

  /// The numbers that the ranks have passed, in the order of the ranks.
  std::vector<double> gather(double mine) {
    std::vector<double> all(static_cast<std::size_t>(ranks_));
    all[static_cast<std::size_t>(rank_)] = mine;
    sum(all);
    return all;
  }

  /// The text that rank 0 has passed.
  std::string text_of_first(const std::string& mine) {
    double bytes = is_first() ? static_cast<double>(mine.size()) : 0;
    sum(bytes);
    std::string text = is_first() ? mine : std::string(static_cast<std::size_t>(bytes), '\0');
    for (Index bit = 1; bit < ranks_; bit *= 2) {
      if (rank_ < bit)
        swap_bytes(rank_ + bit, text.size(), 0, [&](std::byte* out) { std::memcpy(out, text.data(), text.size()); });
      else if (rank_ < 2 * bit)
        std::memcpy(text.data(), swap_bytes(rank_ - bit, 0, text.size(), [](std::byte*) {}), text.size());
    }
    return text;
  }

  /// The text of the first rank that has passed one that is not empty, cut after 1000 bytes.
  std::string first_text(std::string_view mine) {
    constexpr std::size_t most = 1000;
    std::array<char, most + 1> text{};  // ends with 0
    std::copy_n(mine.data(), (std::min)(mine.size(), most), text.data());
    for (Index bit = 1; bit < ranks_; bit *= 2) {
      const std::byte* const others =
          swap_bytes(rank_ ^ bit, text.size(), text.size(), [&](std::byte* out) { std::memcpy(out, text.data(), text.size()); });
      const bool other_is_lower = (rank_ & bit) != 0, other_has_text = others[0] != std::byte{0};
      if (other_has_text && (other_is_lower || text[0] == '\0')) std::memcpy(text.data(), others, text.size());
    }
    return text.data();
  }

  /// Calls `work`, in which all ranks take part, and returns its result. Where it throws on this rank, the other ranks are told why: those
  /// that wait for this one, now or later, throw RankError with the reason. Trainer::fit calls it.
  template <class Work>
  auto together(const Work& work) {
    begin_apart();
    const detail::ScopeExit end([&] { begin_apart(); });  // so that later exchanges are apart from those of `work`
#if defined(__cpp_exceptions)
    try {
      return work();
    } catch (const std::exception& error) {
      give_up(error.what());
      throw;
    } catch (...) {
      give_up("an exception that is no std::exception");
      throw;
    }
#else
    return work();
#endif
  }

  /// Adds `tails` doubles behind `count` numbers to the same sum over ranks; Trainer sends losses with gradients in this way.
  template <class Scalar>
  void sum_numbers(Scalar* numbers, Index count, double* tail, Index tails) {
    TreeSum<Scalar> sum;
    sum.begin(plain_, numbers, count, tail, tails);
    sum.wait();
  }

  /// How many exchanges may be in progress at once: that of a sum which the caller waits for, and those of a ShardSum during backward
  /// passes.
  static constexpr Index max_channels = 32;
  /// Whether another Channel can be made.
  bool has_free_channel() const { return channels_in_use_ != ~std::uint32_t{0}; }

  /// The channel of exchanges for which the caller waits, such as those of sum.
  Channel& plain_channel() { return plain_; }

 protected:
  /// For derived classes. Throws ValueError for a number of ranks or of shards that is no power of two, more ranks than shards, a timeout
  /// that is not above 0 and below 1e9, or a negative number of bytes.
  Ranks(Index rank, Index ranks, RankOptions options) : rank_{rank}, ranks_{ranks}, options_{options} {
    const auto is_power_of_two = [](Index n) { return n >= 1 && (n & (n - 1)) == 0; };
    if (!is_power_of_two(ranks)) detail::raise<ValueError>("ranks: the number of ranks must be a power of two, got ", ranks);
    if (!is_power_of_two(options.shards))
      detail::raise<ValueError>("ranks: the number of shards must be a power of two, got ", options.shards);
    if (options.shards < ranks)
      detail::raise<ValueError>("ranks: there are ", ranks, " ranks, but only ", options.shards, " shards; set .shards to at least ",
                                ranks);
    if (!(options.timeout > 0 && options.timeout < 1e9))
      detail::raise<ValueError>("ranks: the timeout must be above 0 and below 1e9 seconds, got ", options.timeout);
    if (options.bucket_bytes < 0) detail::raise<ValueError>("ranks: .bucket_bytes must be at least 0, got ", options.bucket_bytes);
  }

  /// Begins to send `out` to another rank and to receive `in` from it, either of which may be empty; the other rank begins an exchange on
  /// the same channel, from 0 to max_channels - 1, with as many bytes to receive and to send. On each channel there is one exchange after
  /// the other; those of different channels may be complete in any order. An implementation may wait here for the other rank, but then
  /// nothing is computed meanwhile; or it may do everything in wait_for. Throws RankError where the network is broken.
  virtual void begin_exchange(Index channel, Index partner, std::span<const std::byte> out, std::span<std::byte> in) = 0;
  /// Whether the exchange of this channel is complete. Does not wait, and may be false as long as wait_for was not called. Throws RankError
  /// where the network is broken.
  virtual bool is_complete(Index channel) = 0;
  /// Waits until the exchange of this channel is complete. Throws RankError after `timeout` seconds, and as soon as it learns that a rank
  /// has given up since `begin`.
  virtual void wait_for(Index channel) = 0;
  /// Gives up the exchange of this channel, whose memory is never freed.
  virtual void abandon(Index channel) noexcept = 0;
  /// Begins another training, in which messages that ranks have sent before must not be received.
  virtual void begin() = 0;
  /// Tells all other ranks that this one has given up, and why. Does not throw and does not wait for them.
  virtual void give_up(const std::string& reason) noexcept = 0;

 private:
  friend Channel;

  // Calls write(out), sends out to the partner, and returns what the partner has sent.
  template <class Write>
  const std::byte* swap_bytes(Index partner, std::size_t out_bytes, std::size_t in_bytes, const Write& write) {
    plain_.begin(partner, out_bytes, in_bytes, write);
    plain_.wait();
    return plain_.received();
  }
  // Keeps messages that were sent before from being received in the exchanges that follow.
  void begin_apart() {
    begin();
    has_abandoned_ = false;
  }
  Index take_channel() {
    Index number = 0;
    while (number < max_channels && (channels_in_use_ >> number & 1) != 0) ++number;
    if (number == max_channels) detail::raise<StateError>("ranks: there are ", max_channels, " channels already");
    channels_in_use_ |= std::uint32_t{1} << number;
    return number;
  }

  Index rank_, ranks_;
  RankOptions options_;
  std::uint32_t channels_in_use_ = 0;  // a bit for each number
  bool has_abandoned_ = false;         // whether a message of an abandoned exchange may still arrive
  Channel plain_{*this};
};

namespace detail {

template <class T>
inline constexpr bool is_ranks = std::is_base_of_v<Ranks, std::remove_cvref_t<T>>;

/// The first Ranks among the observers of a training.
template <class First, class... Rest>
Ranks& ranks_among(First& first, Rest&... rest) {
  if constexpr (is_ranks<First>)
    return first;
  else
    return ranks_among(rest...);
}

}  // namespace detail
}  // namespace chainrule
