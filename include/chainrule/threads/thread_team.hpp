#pragma once
// The library's own Team: threads that wait actively for a moment after each job, because the next one comes soon, and then sleep.

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

/// A team of threads that exists as long as the object: @code{.cpp}
/// ThreadTeam team{2};    // two threads, including the calling one; ThreadTeam{}: as many as the machine runs at once
/// work.set_team(&team);  // passes on this workspace share their work among the threads, with the same bits as without a team
/// @endcode A run takes well below a microsecond longer than its items where the threads are awake. It waits for another thread only where
/// that has begun an item: items that a late, sleeping or preempted thread has not begun are done by the caller. Any thread may call run;
/// while one call is in progress, other callers do their items alone. Work may throw: the first exception arrives at the caller of run,
/// items that have not begun are skipped, and the team stays usable. Nothing is allocated after construction.
class ThreadTeam final : public Team {
 public:
  static constexpr Index max_threads = 1024;  ///< the largest number of threads of a team

  /// Makes a team of the calling thread and threads - 1 more; no more of them are kept awake than `processors` can run at once. Throws
  /// ValueError for a number below 1 or above max_threads, std::system_error where the system refuses to start a thread.
  explicit ThreadTeam(Index threads = hardware_threads(), Index processors = hardware_threads())
      : ThreadTeam(Checked{threads, processors}) {
    // where a thread cannot be started, the destructor joins those that were: it runs, because the delegated constructor has ended
    for (Worker& worker : workers_) worker.thread = std::thread([this, &worker] { work_loop(worker); });
  }

  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  ~ThreadTeam() {
    {
      const std::lock_guard lock(sleep_mutex_);
      stop_ = true;
      for (Worker& worker : workers_) worker.wake_up.notify_one();
    }
    for (Worker& worker : workers_)
      if (worker.thread.joinable()) worker.thread.join();
  }

  Index threads() const override { return static_cast<Index>(workers_.size()) + 1; }

  /// Measured in the first run and then in every thousandth, because operating systems move threads between processors.
  bool no_shared_cache() const override { return no_shared_cache_.load(std::memory_order_relaxed); }

  void run(Index items, Work work) override {
    const bool alone = items < 2 || items > max_items || workers_.empty() || in_use_.test_and_set(std::memory_order_acquire);
    for (Index i = 0; alone && i < items; ++i) work(i);
    if (alone) return;
    if (runs_until_measured_-- == 0) measure_round_trip();
    const detail::CatchingWork catching(work);
    run_shared(items, catching.work());
    in_use_.clear(std::memory_order_release);
    catching.rethrow();
  }

 private:
  static constexpr Index max_items = 0x7fffffff;        // fits into half of a Ticket
  static constexpr std::size_t line = 128;              // the most bytes that a processor fetches at once: two cache lines on x86
  static constexpr unsigned spins_between_looks = 512;  // calls of pause between two looks at the clock: about 10 us

  // Waking a thread costs the caller 5 to 40 us, and the thread begins 40 to 80 us later. So workers stay awake for about as long without
  // work before they sleep, and the caller wakes them when it has worked without them for so long that waking them would have paid off.
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::microseconds awake_without_work{100};
  static constexpr Clock::duration worth_waking = std::chrono::microseconds{100};

  // A ticket holds a range of items that no thread has claimed yet: the first in the lower 32 bits, the end in the upper 32 bits. Each
  // thread has a ticket for its share of a job and claims items from the front; when its own share is done, it claims from the back of
  // others' shares. So a thread works on neighbouring items, on the same ones in each job, and two threads write to one ticket only where
  // one helps.
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

  // A cache line goes to another processor and back, as measured here, in about 100 ns between cores of Zen 4 that share a cache, in 220 ns
  // between cores of Sapphire Rapids, and in more than 400 ns where no cache is shared. On Sapphire Rapids two threads took up to 1.4 times
  // as long as one for training steps of 2 to 10 million operations, because every layer's activations move.
  void measure_round_trip() {
    constexpr std::chrono::nanoseconds without_shared_cache{150};
    const auto trip = awake() == 0 ? (Clock::duration::max)() : round_trip_.measure(pause);
    runs_until_measured_ = trip == (Clock::duration::max)() ? 50 : 1000;
    if (runs_until_measured_ == 1000) no_shared_cache_.store(trip > without_shared_cache, std::memory_order_relaxed);
  }

  struct Worker {
    std::thread thread;
    std::condition_variable wake_up;
    bool asleep = false;  // until it is woken; guarded by sleep_mutex_
  };

  // Why this is correct:
  // 1. Each item is claimed once. A claim is a compare-exchange that takes an item out of a ticket. A worker that read the ticket during an
  //    earlier job finds a different value there and fails, or finds the same value, which then means items of the current job.
  // 2. No thread reads work_ while it is written. Only a thread that has claimed an item reads work_. The caller writes work_ before all
  //    tickets, and the claim acquires the ticket (between the two lie only claims, which as read-modify-writes continue the release
  //    sequence). The caller writes the next work_ only after done_ has counted all items of the workers; each is counted with release
  //    order after the item was done. So the caller also sees what the items wrote.
  // 3. Sleeping and waking affect only speed, since the caller does every unclaimed item itself. A worker that falls asleep while a job
  //    begins is not overlooked: the caller stores the ticket and then reads sleepers_, the worker stores sleepers_ and then reads the
  //    ticket, all seq_cst, so the caller sees the sleeper or the worker sees the job.
  void run_shared(Index items, Work work) {
    work_ = work;
    done_.store(0, std::memory_order_relaxed);
    for (Index t = 0; t < threads(); ++t) share(t).store(ticket_of(items * t / threads(), items * (t + 1) / threads()));

    const Index useful = (std::min)(items - 1, max_awake_);
    bool more_would_help = awake() < useful;
    Clock::time_point before = more_would_help ? Clock::now() : Clock::time_point{};
    bool woken = false;
    Index items_of_workers = items;
    for (;; --items_of_workers) {
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
    for (unsigned turn = 1; done_.load(std::memory_order_acquire) != items_of_workers; ++turn) pause(turn);
    if (woken && items_of_workers > 0) without_help_ = worth_waking;  // waking paid off, so wake them at once the next time
  }

  std::atomic<Ticket>& share(Index thread) { return shares_[static_cast<std::size_t>(thread)].ticket; }

  // claims an item for this thread, from its own share or else from the next share that has any; -1 where none is left
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

  // the main function of each worker
  void work_loop(Worker& worker) {
    const Index thread = &worker - workers_.data() + 1;
    const bool exceeds_processors = thread > max_awake_;
    do {
      Index done = 0;
      for (Index i; (i = claim(thread)) >= 0; ++done) work_(i);
      if (done > 0) done_.fetch_add(done, std::memory_order_release);
    } while (spin(share(thread), thread == 1, exceeds_processors ? Clock::duration::zero() : awake_without_work) ||
             sleep(worker, share(thread)));
  }

  // waits actively for work; false where none came in time
  bool spin(const std::atomic<Ticket>& share, bool answers, Clock::duration time) {
    const Clock::time_point end = Clock::now() + time;
    for (unsigned turn = 1; !has_work(share.load(std::memory_order_relaxed)); ++turn) {
      if (answers) round_trip_.answer();
      pause(turn);
      if (turn % spins_between_looks == 0 && Clock::now() > end) return false;
    }
    return true;
  }

  // Every spins_between_looks calls it yields the processor to other threads. That costs little where there are none, and lets threads that
  // have work run where there are more threads than processors.
  static void pause(unsigned turn) {
    if (turn % spins_between_looks == 0) return std::this_thread::yield();
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb");
#endif
  }

  // sleeps until a caller wakes this worker; false where the team is being destroyed
  bool sleep(Worker& worker, const std::atomic<Ticket>& share) {
    std::unique_lock lock(sleep_mutex_);
    set_asleep(worker, true);
    if (has_work(share.load()) && awake() < max_awake_) set_asleep(worker, false);
    worker.wake_up.wait(lock, [&] { return !worker.asleep || stop_; });
    return !stop_;
  }

  // wakes workers until `useful` of them are awake: always the first ones, which the system has run on processors of their own before
  void wake(Index useful) {
    const std::unique_lock lock(sleep_mutex_, std::try_to_lock);  // does not wait for a preempted worker that holds the mutex
    if (!lock) return;
    for (Worker& worker : workers_) {
      if (awake() >= useful) return;
      if (!worker.asleep) continue;
      set_asleep(worker, false);
      worker.wake_up.notify_one();
    }
  }

  void set_asleep(Worker& worker, bool asleep) {
    worker.asleep = asleep;
    sleepers_.store(sleepers_.load(std::memory_order_relaxed) + (asleep ? 1 : -1));
  }

  Index awake() const { return static_cast<Index>(workers_.size()) - sleepers_.load(); }

  static Index hardware_threads() { return std::clamp<Index>(static_cast<Index>(std::thread::hardware_concurrency()), 1, max_threads); }

  struct Checked {
    Index threads;
    Index processors;
  };
  explicit ThreadTeam(Checked number)
      : max_awake_{checked("processors", number.processors) - 1},
        workers_(static_cast<std::size_t>(checked("threads", number.threads) - 1)),
        shares_(static_cast<std::size_t>(number.threads)) {}

  static Index checked(const char* what, Index number) {
    if (number < 1 || number > max_threads)
      detail::raise<ValueError>("ThreadTeam: the number of ", what, " must be 1 to ", max_threads, ", got ", number);
    return number;
  }

  // On separate cache lines: what all threads read all the time, what they write when they are done, and what is rarely used.
  alignas(line) Work work_{};
  alignas(line) std::atomic<Index> done_{0};
  detail::RoundTrip round_trip_;  // between the caller and the first worker
  alignas(line) std::atomic_flag in_use_;
  unsigned runs_until_measured_ = 0;  // guarded by in_use_, like the members up to sleepers_
  std::atomic<bool> no_shared_cache_{false};
  Clock::duration without_help_ = worth_waking;   // how long the caller has worked while workers were asleep
  alignas(line) std::atomic<Index> sleepers_{0};  // how many workers; written under sleep_mutex_
  bool stop_ = false;                             // guarded by sleep_mutex_
  std::mutex sleep_mutex_;
  Index max_awake_;  // workers: one less than processors, because the caller is awake too
  std::vector<Worker> workers_;
  std::vector<Share> shares_;  // the caller's share is the first
};

}  // namespace chainrule
