#pragma once

#include <chainrule/core/types.hpp>
#include <type_traits>

namespace chainrule {

/// Several threads that share a piece of work: chainrule::ThreadTeam, or a class of yours on the thread pool that you have.
/// Kernels see no more of threads than this. What they share out never depends on who does it, so results are the same bits for
/// any team and for none.
class Team {
 public:
  /// Work in independent items: call(context, i) does item i.
  struct Work {
    void (*call)(const void* context, Index item);              ///< does one item
    const void* context;                                        ///< what call is told beside the number of the item
    void operator()(Index item) const { call(context, item); }  ///< does this item
  };

  /// How many threads may work at once, the one that asks among them.
  virtual Index threads() const = 0;

  /// Whether what one thread writes takes long to reach another, as between processors that share no cache. Only large work is then
  /// worth sharing.
  virtual bool no_shared_cache() const { return false; }

  /// Does the items 0 .. items - 1, each once, in any order; returns when all are done. Work must not throw, nor use the team.
  virtual void run(Index items, Work work) = 0;

 protected:
  Team() = default;                        ///< for classes derived from it
  Team(const Team&) = default;             ///< likewise
  Team& operator=(const Team&) = default;  ///< likewise
  ~Team() = default;
};

namespace detail {

/// f(i) for all i < items: by the team, or one after the other where there is none.
template <class F>
void for_items(Team* team, Index items, const F& f) {
  const Team::Work work{[](const void* context, Index i) { (*static_cast<const F*>(context))(i); }, &f};
  if (team != nullptr && items > 1) return team->run(items, work);
  for (Index i = 0; i < items; ++i) work(i);
}

}  // namespace detail
}  // namespace chainrule
