#pragma once
// The batches of a training on several ranks. The data set is cut into as many parts as a batch has shards, and shard s of a batch comes
// from part s, in a random order of this part, so that a rank needs only its own parts and the batches do not depend on the number of
// ranks.

#include <algorithm>
#include <chainrule/bytes/crc64.hpp>
#include <chainrule/core/weighting.hpp>
#include <chainrule/data/batches.hpp>
#include <chainrule/parallel/ranks.hpp>
#include <chainrule/training/detail/synchronized_shards.hpp>
#include <chainrule/training/fit_options.hpp>
#include <chainrule/training/progress_bar.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace chainrule::detail {

/// The shards of this rank in each batch of an epoch.
template <class Scalar, class Targets>
class ShardBatches {
 public:
  using View = DataView<Scalar, Targets>;

  /// `part`: the samples of this rank, of `samples` samples on all ranks. `samples_per_shard`: in a batch.
  ShardBatches(const Ranks& ranks, const View& part, Index samples, Index samples_per_shard, bool shuffle, Seed seed, double mean_weight) {
    const Index begin_of_part = ranks.range_of(samples).first;
    shards_.reserve(static_cast<std::size_t>(ranks.shards_here()));
    gathered_.resize(static_cast<std::size_t>(ranks.shards_here()));
    for (Index s = ranks.first_shard(); s < ranks.first_shard() + ranks.shards_here(); ++s) {
      const SampleRange range = DataPart{s, ranks.shards()}.range_of(samples);
      shards_.emplace_back(samples_in_range(part, {range.first - begin_of_part, range.count}), (std::min)(samples_per_shard, range.count),
                           BatchOptions{shuffle, derived_seed(seed, static_cast<std::uint64_t>(s)), false, mean_weight});
    }
  }

  /// Puts the samples in the order of this epoch.
  void start_epoch(Index epoch) {
    for (auto& shard : shards_) shard.start_epoch(epoch);
  }
  /// Whether shard number `shard` of this rank has samples in this batch; in the last batch of an epoch it may have none.
  bool has(std::size_t shard, Index batch) const { return batch < shards_[shard].batches(); }
  /// The samples of a shard in a batch, valid until another batch of this shard is asked for.
  auto samples(std::size_t shard, Index batch) { return shards_[shard][batch]; }
  /// Gathers the samples of a shard in a batch, which `gathered` returns until the next call for this shard.
  void gather(std::size_t shard, Index batch) { gathered_[shard].emplace(samples(shard, batch)); }
  const auto& gathered(std::size_t shard) const { return *gathered_[shard]; }  ///< see gather
  /// The samples of the first shard in a batch.
  auto operator[](Index batch) { return samples(0, batch); }

 private:
  std::vector<Batches<Scalar, Targets>> shards_;
  std::vector<std::optional<typename Batches<Scalar, Targets>::Batch>> gathered_;
};

/// The number of samples on all ranks. Throws ShapeError unless each rank has as many as Ranks::range_of says.
inline Index samples_on_ranks(Ranks& ranks, Index samples_here) {
  const std::vector<double> sizes = ranks.gather(static_cast<double>(samples_here));
  Index samples = 0;
  for (const double size : sizes) samples += static_cast<Index>(size);
  for (Index rank = 0; rank < ranks.ranks(); ++rank) {
    const Index expected = DataPart{rank, ranks.ranks()}.range_of(samples).count,
                found = static_cast<Index>(sizes[static_cast<std::size_t>(rank)]);
    if (found != expected)
      raise<ShapeError>("fit: of ", samples, " samples on ", ranks.ranks(), " ranks, rank ", rank, " must have ", expected, ", but it has ",
                        found, "; Ranks::range_of(", samples, ") says which");
  }
  return samples;
}

/// The mean weight of the samples of all ranks, the weights of their classes included, summed in the tree of the shards.
template <class Net, class Scalar, class Targets>
double mean_weight_on_ranks(const Net& net, Ranks& ranks, const DataView<Scalar, Targets>& part, Index samples) {
  std::vector<double> sums;
  for (Index s = ranks.first_shard(); s < ranks.first_shard() + ranks.shards_here(); ++s) {
    const SampleRange range = DataPart{s, ranks.shards()}.range_of(samples);
    const Index first = range.first - ranks.range_of(samples).first;
    sums.push_back(total_weight(net.loss_function(), WeightedTargets<Scalar, Targets>{columns_of(part.targets, first, range.count),
                                                                                      weights_of(part, first, range.count)}));
  }
  for (; sums.size() > 1; sums.resize(sums.size() / 2))
    for (std::size_t i = 0; i < sums.size() / 2; ++i) sums[i] = sums[2 * i] + sums[2 * i + 1];
  ranks.sum(sums[0]);
  return checked_mean_weight("fit", sums[0], samples);
}

/// Throws ValueError on all ranks unless all of them begin with the same network, optimizer state and settings, because otherwise their
/// networks would differ without a word.
template <class Net, class State>
void check_same_on_ranks(Ranks& ranks, const Net& net, const State& state, const std::string& settings) {
  const auto checksum = [](const auto& numbers) {
    return crc64(std::string_view(reinterpret_cast<const char*>(numbers.data()),
                                  static_cast<std::size_t>(numbers.size()) * sizeof(*numbers.data())));
  };
  const auto check = [&](const char* what, std::uint64_t sum) {
    const std::vector<double> sums = ranks.gather(static_cast<double>(sum >> 11));  // 53 bits
    const auto other = std::find_if(sums.begin(), sums.end(), [&](double one) { return one != sums.front(); });
    if (other != sums.end())
      raise<ValueError>("fit: rank ", other - sums.begin(), " has ", what,
                        " than rank 0, but all ranks must begin alike: give them the same code, options and seeds, or the same file");
  };
  check("another network, optimizer, or other options", checksum(settings));
  check("other parameters or buffers", checksum(net.parameters()) ^ (checksum(net.buffers()) << 1));
  check("another state of the optimizer", checksum(state.flat()) ^ state.steps);
}

/// An observer that lets all ranks stop after an epoch where an observer of one of them has stopped the training. It stands behind the
/// user's observers, and before the one that writes the checkpoint.
struct AgreementOnStop {
  Ranks* ranks;  // nullptr in a training of a single process

  template <class RunType>
  void epoch_ended(RunType& run) const {
    if (ranks == nullptr) return;
    if (const std::string reason = ranks->first_text(run.stopped_because); !reason.empty()) run.stop(reason);
  }
};

/// The observer itself, or on other ranks than the first a silent ProgressBar in place of one that draws.
template <class T>
T& shown_by_first(const Ranks& ranks, T& observer, [[maybe_unused]] ProgressBar& silent) {
  if constexpr (std::is_same_v<T, ProgressBar>)
    return ranks.is_first() ? observer : silent;
  else
    return observer;
}

/// The steps of an epoch over the samples of all ranks, of which a pass takes batch_size/shards. Throws ValueError or ShapeError for
/// options with which a training on several ranks does not work.
template <class Net, class Options>
StepsOfEpoch steps_on_ranks(const Net& net, const Ranks& ranks, Index samples, const Options& options) {
  const Index shards = ranks.shards();
  if (options.accumulate != 1)
    raise<ValueError>("fit: on ranks .accumulate must be 1, because each rank adds its shards of a batch already; set .shards, got ",
                      options.accumulate);
  if (options.training_metrics)
    raise<ValueError>(
        "fit: on ranks there are no .training_metrics, because each rank has a part of the samples; pass some as .validation");
  if (options.batch_size < 1 || options.batch_size % shards != 0)
    raise<ShapeError>("fit: batch_size is that of all ranks together and must be a multiple of the ", shards, " shards, got ",
                      options.batch_size);
  if (samples < shards)
    raise<ShapeError>("fit: there are ", samples, " samples on all ranks together, but each of the ", shards, " shards needs at least one");
  StepsOfEpoch steps = steps_of_epoch(samples, options);
  const Index most_of_part = (samples + shards - 1) / shards;
  steps.batch_size = (std::min)(options.batch_size / shards, most_of_part);
  Index fewest = net.fewest_training_samples();
  if (merges_statistics(net, ranks)) {
    if (fewest == 2) fewest = 1;  // BatchNorm learns from the whole batch, so a shard may have one sample
    if (samples / shards <= (steps.steps - 1) * steps.batch_size)
      raise<ShapeError>(
          "fit: with .sync_batch_norm each shard needs a sample in each batch, but of the ", samples / shards, " to ", most_of_part,
          " samples of a shard in an epoch, the last batch would have none of some shards; take another batch_size, or .drop_last = true");
  }
  if (fewest > 1)
    for (Index s = 0; s < shards; ++s) {
      const Index of_part = DataPart{s, shards}.range_of(samples).count;
      const Index trained = (std::min)(of_part, steps.steps * steps.batch_size), rest = trained % steps.batch_size;
      if (steps.batch_size < fewest || (rest > 0 && rest < fewest))
        raise<ShapeError>("fit: a layer (BatchNorm) needs at least ", fewest, " samples in each shard of a batch, but of the ", of_part,
                          " to ", most_of_part, " samples of a shard in an epoch, ", rest > 0 ? "the last batch" : "a batch",
                          " would have ", rest > 0 ? rest : steps.batch_size, "; take another batch_size",
                          options.drop_last ? "" : ", or .drop_last = true");
    }
  return steps;
}

}  // namespace chainrule::detail
