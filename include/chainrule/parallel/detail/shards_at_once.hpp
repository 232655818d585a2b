#pragma once
// Makes the passes of all shards of a rank at the same time, during which they merge statistics with one another and with other ranks.

#include <algorithm>
#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/shard_reduction.hpp>
#include <chainrule/parallel/ranks.hpp>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace chainrule::detail {

/// Gives each shard of a rank a thread of its own, because shards wait for one another in ShardReduction::reduce. (A ThreadTeam would not
/// do: one of its threads may take over the work of others.) The first shard runs on the calling thread, the only one that exchanges
/// messages with other ranks, as MPI_THREAD_FUNNELED demands. After the first job nothing is allocated.
template <class Scalar>
class ShardsAtOnce {
  using Number = typename ShardReduction<Scalar>::Number;
  using Merge = typename ShardReduction<Scalar>::Merge;
  struct WithoutThreads {};

 public:
  /// Starts a thread for each shard of this rank but the first. Throws std::system_error where the system refuses to start one.
  explicit ShardsAtOnce(Ranks& ranks) : ShardsAtOnce(ranks, WithoutThreads{}) {
    // If a thread cannot be started, the destructor joins those that run: it is called, because the delegated constructor has returned.
    for (std::size_t s = 1; s < shards_.size(); ++s) shards_[s].thread = std::thread([this, s] { work_loop(s); });
  }
  ShardsAtOnce(const ShardsAtOnce&) = delete;
  ShardsAtOnce& operator=(const ShardsAtOnce&) = delete;
  ~ShardsAtOnce() {
    {
      const std::lock_guard lock(mutex_);
      is_destroyed_ = true;
      changed_.notify_all();
    }
    for (Shard& shard : shards_)
      if (shard.thread.joinable()) shard.thread.join();
  }

  /// Calls work(s, reduction) for all shards s of this rank at once, and returns when all have ended. Where some throw, the others end at
  /// their next reduction, and the exception of the first of those shards is thrown here. Throws RankError where another rank does not take
  /// part in a reduction, StateError where the shards do not make the same reductions.
  template <class Work>
  void run(const Work& work) {
    const Job job{
        [](const void* context, std::size_t s, ShardReduction<Scalar>& reduction) { (*static_cast<const Work*>(context))(s, reduction); },
        &work};
    {
      const std::lock_guard lock(mutex_);
      job_ = job;
      ++jobs_;
      running_ = shards_.size();
      arrived_ = 0;
      has_ended_ = false;
      changed_.notify_all();
    }
    run_shard(0);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return running_ == 0; });
    rethrow();
  }

 private:
  struct Job {
    void (*call)(const void* context, std::size_t shard, ShardReduction<Scalar>& reduction) = nullptr;
    const void* context = nullptr;
  };

  // Thrown in a shard that waits for one that has ended.
  class OtherHasEnded : public Error {
    using Error::Error;
  };

  struct Shard final : ShardReduction<Scalar> {
    Number* numbers(Index n) override {
      count = static_cast<std::size_t>(n);
      if (memory.size() < count) memory.resize(count);
      return memory.data();
    }
    void reduce(Merge by) override {
      merge = by;
      all->reduce(*this);
    }

    ShardsAtOnce* all = nullptr;
    std::vector<Number> memory;
    std::size_t count = 0;
    Merge merge = nullptr;
    std::thread thread;
    std::exception_ptr error;
    bool has_waited_in_vain = false;
  };

  ShardsAtOnce(Ranks& ranks, WithoutThreads) : ranks_{ranks}, channel_{ranks}, shards_(static_cast<std::size_t>(ranks.shards_here())) {
    for (Shard& shard : shards_) shard.all = this;
  }

  // the main function of each thread
  void work_loop(std::size_t s) {
    for (std::uint64_t done = 0;; ++done) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return is_destroyed_ || jobs_ != done; });
        if (is_destroyed_) return;
      }
      run_shard(s);
    }
  }

  void run_shard(std::size_t s) {
    Shard& shard = shards_[s];
    const ScopeExit ended([&] {
      const std::lock_guard lock(mutex_);
      has_ended_ = true;
      --running_;
      changed_.notify_all();
    });
#if defined(__cpp_exceptions)
    try {
      job_.call(job_.context, s, shard);
    } catch (const OtherHasEnded&) {
      shard.has_waited_in_vain = true;
    } catch (...) {
      shard.error = std::current_exception();
    }
#else
    job_.call(job_.context, s, shard);
#endif
  }

  // Throws what the shards have thrown.
  void rethrow() {
    std::exception_ptr first;
    bool in_vain = false;
    for (Shard& shard : shards_) {
      std::exception_ptr error = std::exchange(shard.error, nullptr);
      if (first == nullptr) first = std::move(error);
      in_vain |= std::exchange(shard.has_waited_in_vain, false);
    }
#if defined(__cpp_exceptions)
    if (first != nullptr) std::rethrow_exception(first);
#endif
    if (in_vain) raise_not_alike();
  }

  // Merges the numbers of all shards: the first shard does it when all have arrived, and the others wait.
  void reduce(Shard& shard) {
    std::unique_lock lock(mutex_);
    const std::uint64_t before = reductions_;
    const bool is_first = &shard == &shards_.front();
    ++arrived_;
    if (is_first) {
      changed_.wait(lock, [&] { return has_ended_ || arrived_ == shards_.size(); });
    } else {
      if (arrived_ == shards_.size()) changed_.notify_all();
      changed_.wait(lock, [&] { return has_ended_ || reductions_ != before; });
      if (reductions_ != before) return;
    }
    if (has_ended_) raise<OtherHasEnded>("another shard has ended");
    merge_shards(shard);
    merge_ranks(shard);
    for (Shard& other : shards_)
      if (&other != &shard) std::copy_n(shard.memory.begin(), shard.count, other.memory.begin());
    arrived_ = 0;
    ++reductions_;
    changed_.notify_all();
  }

  // first <- the numbers of the shards of this rank, merged in a binary tree
  void merge_shards(const Shard& first) {
    for (const Shard& other : shards_)
      if (other.count != first.count || other.merge != first.merge) raise_not_alike();
    for (std::size_t stride = 1; stride < shards_.size(); stride *= 2)
      for (std::size_t s = 0; s < shards_.size(); s += 2 * stride)
        first.merge(shards_[s].memory.data(), shards_[s + stride].memory.data(), static_cast<Index>(first.count));
  }

  // first <- the numbers of all ranks, merged in the same tree
  void merge_ranks(Shard& first) {
    const std::size_t bytes = first.count * sizeof(Number);
    if (theirs_.size() < first.count) theirs_.resize(first.count);
    for (Index bit = 1; bit < ranks_.ranks(); bit *= 2) {
      channel_.begin(ranks_.rank() ^ bit, bytes, bytes, [&](std::byte* out) { std::memcpy(out, first.memory.data(), bytes); });
      channel_.wait();
      std::memcpy(theirs_.data(), channel_.received(), bytes);
      const bool other_is_lower = (ranks_.rank() & bit) != 0;
      if (other_is_lower)
        std::swap_ranges(theirs_.begin(), theirs_.begin() + static_cast<std::ptrdiff_t>(first.count), first.memory.begin());
      first.merge(first.memory.data(), theirs_.data(), static_cast<Index>(first.count));
    }
  }

  [[noreturn]] static void raise_not_alike() {
    raise<StateError>("fit: a layer merges numbers in some shards of a batch but not in others, so they cannot be complete");
  }

  Ranks& ranks_;
  Ranks::Channel channel_;
  std::vector<Number> theirs_;
  std::mutex mutex_;
  std::condition_variable changed_;  // mutex_ guards all that follows, except what a shard alone uses in its pass
  std::vector<Shard> shards_;
  Job job_;
  std::uint64_t jobs_ = 0, reductions_ = 0;        // begun jobs, complete reductions
  std::size_t running_ = 0, arrived_ = 0;          // shards that work on the job, and that wait in the next reduction
  bool has_ended_ = false, is_destroyed_ = false;  // has_ended_: a shard has done the job, or thrown
};

}  // namespace chainrule::detail
