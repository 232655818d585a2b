#pragma once

#include <algorithm>
#include <array>
#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <chainrule/data/data_part.hpp>
#include <chainrule/data/dataset.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
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
/// your own for another network implements `exchange`, `begin` and `give_up`.
///
/// Every rank calls the same functions in the same order. A sum over ranks is made in pairs: first of ranks 0 and 1, 2 and 3, ..., then of
/// these sums, and so on. Addition of two numbers is commutative, so all ranks get the same bits.
class Ranks {
 public:
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  virtual ~Ranks() = default;

  Index rank() const { return rank_; }                            ///< the number of this process, counted from 0
  Index ranks() const { return ranks_; }                          ///< the number of processes, a power of two
  Index shards() const { return options_.shards; }                ///< the number of shards of a batch, over all ranks
  Index shards_here() const { return options_.shards / ranks_; }  ///< the number of shards of a batch that this rank works on
  Index first_shard() const { return rank_ * shards_here(); }     ///< the number of this rank's first shard
  double timeout() const { return options_.timeout; }             ///< seconds after which a rank that waits throws RankError
  bool is_first() const { return rank_ == 0; }                    ///< whether this is rank 0, which prints and writes files

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
  /// that wait for this one, or will, throw RankError with the reason. Trainer::fit calls it.
  template <class Work>
  auto together(const Work& work) {
    begin();
    const detail::ScopeExit end([&] { begin(); });  // later exchanges are no part of it
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
    static_assert(std::is_trivially_copyable_v<Scalar>, "chainrule: ranks exchange plain numbers");
    const auto bytes_of = [](Index n) { return static_cast<std::size_t>(n) * sizeof(Scalar); };
    const std::size_t tail_bytes = static_cast<std::size_t>((tails + 1) / 2 * 2) * sizeof(double);  // numbers begin at a multiple of 16
    struct Slice {
      Index begin, end;
    };
    std::array<Slice, 64> ranges{};  // before each halving
    std::size_t halvings = 0;
    Slice mine{0, count};
    // Halving (Rabenseifner 2004): in step k a rank keeps one half of its range and adds what the partner has of it, so that it adds
    // count/2 + count/4 + ... numbers. Short sums are exchanged whole, which takes half as many messages. Both add in the same tree.
    const bool halves = bytes_of(count) > 8192 && ranks_ > 2;
    for (Index bit = 1; bit < ranks_; bit *= 2) {
      Slice sent = mine;
      if (halves) {
        ranges[halvings++] = mine;
        const Index middle = mine.begin + (mine.end - mine.begin) / 2;
        const Slice low{mine.begin, middle}, high{middle, mine.end};
        mine = (rank_ & bit) != 0 ? high : low;
        sent = (rank_ & bit) != 0 ? low : high;
      }
      const std::size_t out_bytes = bytes_of(sent.end - sent.begin), in_bytes = bytes_of(mine.end - mine.begin);
      const std::byte* const in = swap_bytes(rank_ ^ bit, tail_bytes + out_bytes, tail_bytes + in_bytes, [&](std::byte* out) {
        if (tails > 0) std::memcpy(out, tail, static_cast<std::size_t>(tails) * sizeof(double));
        if (out_bytes > 0) std::memcpy(out + tail_bytes, numbers + sent.begin, out_bytes);
      });
      add(in, tail, tails);
      add(in + tail_bytes, numbers + mine.begin, mine.end - mine.begin);
    }
    // Doubling: the sums of the halves go back to all ranks.
    for (Index bit = ranks_ / 2; halves && bit > 0; bit /= 2) {
      const Slice whole = ranges[--halvings];
      const Slice others = (rank_ & bit) != 0 ? Slice{whole.begin, mine.begin} : Slice{mine.end, whole.end};
      const std::size_t out_bytes = bytes_of(mine.end - mine.begin), in_bytes = bytes_of(others.end - others.begin);
      const std::byte* const in = swap_bytes(rank_ ^ bit, out_bytes, in_bytes, [&](std::byte* out) {
        if (out_bytes > 0) std::memcpy(out, numbers + mine.begin, out_bytes);
      });
      if (in_bytes > 0) std::memcpy(numbers + others.begin, in, in_bytes);
      mine = whole;
    }
  }

 protected:
  /// For derived classes. Throws ValueError for a number of ranks or of shards that is no power of two, more ranks than shards, or a
  /// timeout that is not above 0 and below 1e9.
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
  }

  /// Sends `out` to another rank and receives `in` from it, either of which may be empty; the other rank calls exchange with as many bytes
  /// to receive and to send. Throws RankError after `timeout` seconds, and as soon as it learns that a rank has given up since `begin`.
  virtual void exchange(Index partner, std::span<const std::byte> out, std::span<std::byte> in) = 0;
  /// Begins another training: messages that ranks have sent before are none of it.
  virtual void begin() = 0;
  /// Tells all other ranks that this one has given up, and why. Does not throw and does not wait for them.
  virtual void give_up(const std::string& reason) noexcept = 0;

 private:
  struct Memory {
    std::vector<std::byte> out, in;
  };

  // Calls write(out), sends out to the partner, and returns what the partner has sent.
  template <class Write>
  const std::byte* swap_bytes(Index partner, std::size_t out_bytes, std::size_t in_bytes, const Write& write) {
    if (memory_ == nullptr) memory_ = std::make_unique<Memory>();
    if (memory_->out.size() < out_bytes) memory_->out.resize(out_bytes);
    if (memory_->in.size() < in_bytes) memory_->in.resize(in_bytes);
    write(memory_->out.data());
    bool is_done = false;
    const detail::ScopeExit keep([&] {
      // A message that was not finished may still be read or written by the network, so its memory is never freed.
      if (!is_done) keep_forever(std::move(memory_));
    });
    exchange(partner, std::span<const std::byte>(memory_->out.data(), out_bytes), std::span<std::byte>(memory_->in.data(), in_bytes));
    is_done = true;
    return memory_->in.data();
  }
  static void keep_forever(std::unique_ptr<Memory> memory) {
    static std::mutex mutex;
    static auto* const kept = new std::vector<std::unique_ptr<Memory>>;
    const std::lock_guard lock(mutex);
    kept->push_back(std::move(memory));
  }

  // to += the numbers whose bytes begin at `from`
  template <class Scalar>
  static void add(const std::byte* from, Scalar* to, Index count) {
    using Numbers = Eigen::Array<Scalar, Dynamic, 1>;
    Eigen::Map<Numbers>(to, count) += Eigen::Map<const Numbers>(reinterpret_cast<const Scalar*>(from), count);
  }

  Index rank_, ranks_;
  RankOptions options_;
  std::unique_ptr<Memory> memory_;
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
