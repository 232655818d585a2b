#pragma once

#include <atomic>
#include <chainrule/core/detail/team_pointer.hpp>
#include <chainrule/core/types.hpp>
#include <exception>
#include <type_traits>

namespace chainrule {

/// The interface by which kernels share work among threads: implemented by chainrule::ThreadTeam, or by your own class on an existing
/// thread pool. How work is divided into items does not depend on which thread does which, so results are the same bits for any team and
/// for none.
class Team {
 public:
  /// Work that consists of independent items: call(context, i) does item i.
  struct Work {
    void (*call)(const void* context, Index item);              ///< the function that does one item
    const void* context;                                        ///< first argument of `call`
    void operator()(Index item) const { call(context, item); }  ///< does one item
  };

  /// How many threads may work at once, including the one that calls run.
  virtual Index threads() const = 0;

  /// Whether memory that one thread has written takes long to reach another, because their processors share no cache, or only a distant
  /// one, as the L3 cache of Intel's servers is. Then only large work is worth sharing.
  virtual bool no_shared_cache() const { return false; }

  /// Does the items 0 .. items - 1, each once, in any order, and returns when all are done. The work that the library gives to a team does
  /// not throw: where a layer, activation or loss of yours throws, the library keeps the exception, skips the items that have not begun,
  /// and throws the exception in the calling thread after run. Precondition: the work does not call this team.
  virtual void run(Index items, Work work) = 0;

 protected:
  /// For derived classes.
  Team() : lifetime_{new detail::TeamLifetime} {
    lifetime_->destroy = [](detail::TeamLifetime* lifetime) { delete lifetime; };
  }
  Team(const Team&) : Team() {}                            ///< for derived classes
  Team& operator=(const Team&) noexcept { return *this; }  ///< for derived classes
  ~Team() {
    lifetime_->team_exists.store(false, std::memory_order_relaxed);
    lifetime_->release();
  }

 private:
  friend class detail::TeamPointer;
  detail::TeamLifetime* lifetime_;
};

namespace detail {

/// Work whose exceptions are kept, so that they need not leave a thread of a team: after the first one no other item begins.
class CatchingWork {
 public:
  explicit CatchingWork(Team::Work work) : work_{work} {}

  /// The work to give to a team. It does not throw.
  Team::Work work() const {
    return {[](const void* context, Index i) { static_cast<const CatchingWork*>(context)->run(i); }, this};
  }
  /// Throws the first exception, if there was one. To be called after the team has done all items.
  void rethrow() const {
#if defined(__cpp_exceptions)
    if (failed_.load(std::memory_order_relaxed)) std::rethrow_exception(first_);
#endif
  }

 private:
  void run(Index item) const {
#if defined(__cpp_exceptions)
    if (failed_.load(std::memory_order_relaxed)) return;
    try {
      work_(item);
    } catch (...) {
      if (!failed_.exchange(true, std::memory_order_relaxed)) first_ = std::current_exception();
    }
#else
    work_(item);
#endif
  }

  Team::Work work_;
#if defined(__cpp_exceptions)
  mutable std::atomic<bool> failed_{false};
  mutable std::exception_ptr first_;  // written by the thread that sets failed_; read after the team has done all items
#endif
};

/// Calls f(i) for all i < items: by the team, or one after the other where team is nullptr. What f throws arrives here, the first exception
/// of all threads.
template <class F>
void for_items(Team* team, Index items, const F& f) {
  const Team::Work work{[](const void* context, Index i) { (*static_cast<const F*>(context))(i); }, &f};
  if (team != nullptr && items > 1) {
    const CatchingWork catching(work);
    team->run(items, catching.work());
    return catching.rethrow();
  }
  for (Index i = 0; i < items; ++i) work(i);
}

}  // namespace detail
}  // namespace chainrule
