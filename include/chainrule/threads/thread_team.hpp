#pragma once
// The library's own team: threads that spin for a moment after each piece of work, because the next one is near, and then sleep.

#include <algorithm>
#include <atomic>
#include <chainrule/core/error.hpp>
#include <chainrule/threads/detail/round_trip.hpp>
#include <chainrule/threads/team.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace chainrule {

/// A team of threads for as long as the object lives: @code{.cpp}
/// ThreadTeam team{2};    // two, the calling one among them; ThreadTeam{}: as many as the machine runs at once
/// work.set_team(&team);  // the passes on this workspace share their work out, with the same bits as without
/// @endcode A run costs well below a microsecond more than its items where the threads are awake. A thread that is late, asleep or
/// preempted is never waited for unless it has begun an item: the caller does what nobody else has begun. Any thread may call run; while
/// one is in it, others do their items alone. Nothing is allocated after construction.
class ThreadTeam final : public Team {
 public:
  static constexpr Index max_threads = 1024;  ///< ValueError for more

  /// The calling thread and threads - 1 more, of which no more are kept awake than `processors` can run at once. Throws ValueError
  /// for a number below 1 or above max_threads, std::system_error where the system gives no more threads.
  explicit ThreadTeam(Index threads = of_machine(), Index processors = of_machine()) : ThreadTeam(Checked{threads, processors}) {
    // where one cannot be started, the destructor joins those that were: the object is complete since the other constructor ended
    for (Worker& worker : workers_) worker.thread = std::thread([this, &worker] { live(worker); });
  }

  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  ~ThreadTeam() {
    {
      const std::lock_guard lock(bed_);
      stop_ = true;
      for (Worker& worker : workers_) worker.bell.notify_one();
    }
    for (Worker& worker : workers_)
      if (worker.thread.joinable()) worker.thread.join();
  }

  Index threads() const override { return static_cast<Index>(workers_.size()) + 1; }

  /// As measured when a run is asked for: at first and then every thousand runs, for systems move threads about.
  bool no_shared_cache() const override { return no_shared_cache_.load(std::memory_order_relaxed); }

  void run(Index items, Work work) override {
    const bool alone = items < 2 || items > most_items || workers_.empty() || busy_.test_and_set(std::memory_order_acquire);
    for (Index i = 0; alone && i < items; ++i) work(i);
    if (alone) return;
    if (runs_until_measured_-- == 0) measure_distance();
    share_out(items, work);
    busy_.clear(std::memory_order_release);
  }

 private:
  static constexpr Index most_items = 0x7fffffff;  // an Index may have 32 bits
  static constexpr std::size_t line = 128;         // bytes that processors fetch together, at most
  static constexpr unsigned turns = 512;           // of waiting, between two looks at the clock: some ten microseconds

  // To wake a thread costs the caller some 5 to 40 us, and the thread begins some 40 to 80 us later. So workers wait for about as long
  // before they sleep, and are woken when the caller has worked without them for so long that it would have been worth it.
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::microseconds patience{100};
  static constexpr Clock::duration worth_waking = std::chrono::microseconds{100};

  // A ticket: items that are nobody's yet, the first of them in the lower half, their end in the upper one. Each thread has one for its
  // share of a job and takes from its front; with its own done it helps others, from the back. So neighbours in memory, and from one
  // job to the next the same place, stay with one thread, and threads write to one line only where one of them helps.
  using Ticket = std::uint64_t;
  static Ticket ticket_of(Index first, Index end) { return static_cast<Ticket>(end) << 32 | static_cast<Ticket>(first); }
  static Index front(Ticket ticket) { return static_cast<Index>(ticket & 0xffffffff); }
  static Index back(Ticket ticket) { return static_cast<Index>(ticket >> 32) - 1; }
  static Ticket without_front(Ticket ticket) { return ticket + 1; }
  static Ticket without_back(Ticket ticket) { return ticket - (Ticket{1} << 32); }
  static bool has_work(Ticket ticket) { return front(ticket) <= back(ticket); }
  struct alignas(line) Share {
    std::atomic<Ticket> ticket{0};
  };

  // A cache line goes from a processor to one that shares a cache and back in some 100 ns; without a shared cache in more than 400.
  void measure_distance() {
    constexpr std::chrono::nanoseconds long_way{300};
    const auto trip = awake() == 0 ? Clock::duration::max() : round_trip_.measure(wait_a_little);
    runs_until_measured_ = trip == Clock::duration::max() ? 50 : 1000;
    if (runs_until_measured_ == 1000) no_shared_cache_.store(trip > long_way, std::memory_order_relaxed);
  }

  struct Worker {
    std::thread thread;
    std::condition_variable bell;
    bool asleep = false;  // and nobody has woken it; under bed_
  };

  // Why this is right.
  // Claiming is a compare-exchange that takes an item out of a ticket, so each item is claimed once, and what is claimed is an item of
  // the job that runs now, even by a worker that read the ticket long ago: it finds another number there, or the same, which is as good.
  // Only who has claimed reads work_: the caller wrote it before all tickets, which the claim acquires (between them lie only claims, and
  // read-modify-writes keep a release sequence). The caller writes the next work_ only after it has seen done_ count every item of the
  // workers, each counted with release after the item: so it sees what they wrote, and none of them still reads work_.
  // Who sleeps or wakes whom is a matter of speed alone, since the caller does every unclaimed item itself. Still no worker sleeps
  // through a job by bad luck: its ticket and sleepers_ are stored, and then the other one is read, all seq_cst, so either the caller
  // sees the sleeper or the sleeper sees the job.
  void share_out(Index items, Work work) {
    work_ = work;
    done_.store(0, std::memory_order_relaxed);
    for (Index t = 0; t < threads(); ++t) share(t).store(ticket_of(items * t / threads(), items * (t + 1) / threads()));

    const Index useful = std::min(items - 1, most_awake_);
    bool more_would_help = awake() < useful;
    Clock::time_point before = more_would_help ? Clock::now() : Clock::time_point{};
    bool woken = false;
    Index of_workers = items;
    for (;; --of_workers) {
      if (more_would_help && without_help_ >= worth_waking) {
        wake(useful);
        without_help_ = {};
        woken = true;
        more_would_help = false;
      }
      const Index i = claim(0);
      if (i < 0) break;
      work(i);
      if (more_would_help) {
        const Clock::time_point now = Clock::now();
        without_help_ += now - std::exchange(before, now);
      }
    }
    for (unsigned turn = 1; done_.load(std::memory_order_acquire) != of_workers; ++turn) wait_a_little(turn);
    if (woken && of_workers > 0) without_help_ = worth_waking;  // they came in time: so they may the next time
  }

  std::atomic<Ticket>& share(Index thread) { return shares_[static_cast<std::size_t>(thread)].ticket; }

  // an item that is nobody's yet, for this thread: of its own share, or of the next one that has any; -1: there is none
  Index claim(Index thread) {
    Index i = claim(share(thread), front, without_front);
    for (Index t = thread + 1; i < 0 && t < thread + threads(); ++t) i = claim(share(t % threads()), back, without_back);
    return i;
  }
  template <class Which, class Without>
  static Index claim(std::atomic<Ticket>& from, const Which& which, const Without& without) {
    Ticket ticket = from.load(std::memory_order_relaxed);
    while (has_work(ticket))
      if (from.compare_exchange_weak(ticket, without(ticket), std::memory_order_acquire, std::memory_order_relaxed)) return which(ticket);
    return -1;
  }

  // what each worker does
  void live(Worker& worker) {
    const Index thread = &worker - workers_.data() + 1;
    const bool surplus = thread > most_awake_;
    do {
      Index done = 0;
      for (Index i; (i = claim(thread)) >= 0; ++done) work_(i);
      if (done > 0) done_.fetch_add(done, std::memory_order_release);
    } while (spin(share(thread), thread == 1, surplus ? Clock::duration::zero() : patience) || sleep(worker, share(thread)));
  }

  // waits for work; false: none came in time
  bool spin(const std::atomic<Ticket>& share, bool answers, Clock::duration time) {
    const Clock::time_point end = Clock::now() + time;
    for (unsigned turn = 1; !has_work(share.load(std::memory_order_relaxed)); ++turn) {
      if (answers) round_trip_.answer();
      wait_a_little(turn);
      if (turn % turns == 0 && Clock::now() > end) return false;
    }
    return true;
  }

  // Now and then the processor is offered to other threads, which costs little where there are none, and is what lets those that
  // have work run where there are fewer processors than threads.
  static void wait_a_little(unsigned turn) {
    if (turn % turns == 0) return std::this_thread::yield();
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb");
#endif
  }

  // until a caller wakes it; false: the team comes to its end
  bool sleep(Worker& worker, const std::atomic<Ticket>& share) {
    std::unique_lock lock(bed_);
    set_asleep(worker, true);
    if (has_work(share.load()) && awake() < most_awake_) set_asleep(worker, false);
    worker.bell.wait(lock, [&] { return !worker.asleep || stop_; });
    return !stop_;
  }

  // wakes sleepers until so many workers are awake; always the first ones, whom the system has found processors of their own before
  void wake(Index useful) {
    const std::unique_lock lock(bed_, std::try_to_lock);  // a worker that is preempted with it is not waited for
    if (!lock) return;
    for (Worker& worker : workers_) {
      if (awake() >= useful) return;
      if (!worker.asleep) continue;
      set_asleep(worker, false);
      worker.bell.notify_one();
    }
  }

  void set_asleep(Worker& worker, bool asleep) {
    worker.asleep = asleep;
    sleepers_.store(sleepers_.load(std::memory_order_relaxed) + (asleep ? 1 : -1));
  }

  Index awake() const { return static_cast<Index>(workers_.size()) - sleepers_.load(); }

  static Index of_machine() { return std::clamp<Index>(static_cast<Index>(std::thread::hardware_concurrency()), 1, max_threads); }

  struct Checked {
    Index threads;
    Index processors;
  };
  explicit ThreadTeam(Checked number)
      : most_awake_{checked("processors", number.processors) - 1},
        workers_(static_cast<std::size_t>(checked("threads", number.threads) - 1)),
        shares_(static_cast<std::size_t>(number.threads)) {}

  static Index checked(const char* what, Index number) {
    if (number < 1 || number > max_threads)
      detail::raise<ValueError>("ThreadTeam: the number of ", what, " must be 1 to ", max_threads, ", got ", number);
    return number;
  }

  // What many threads look at all the time, what they write to when they are done, and what is rarely touched lie apart.
  alignas(line) Work work_{};
  alignas(line) std::atomic<Index> done_{0};
  kernels::RoundTrip round_trip_;  // to the first worker
  alignas(line) std::atomic_flag busy_;
  unsigned runs_until_measured_ = 0;  // under busy_, like all up to sleepers_
  std::atomic<bool> no_shared_cache_{false};
  Clock::duration without_help_ = worth_waking;   // of the caller, while workers were asleep
  alignas(line) std::atomic<Index> sleepers_{0};  // of the workers; written under bed_
  bool stop_ = false;                             // under bed_
  std::mutex bed_;
  Index most_awake_;  // workers; with the caller they are as many as there are processors
  std::vector<Worker> workers_;
  std::vector<Share> shares_;  // the caller's first
};

}  // namespace chainrule
