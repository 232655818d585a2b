#pragma once

#include <chainrule/core/types.hpp>
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

  /// Whether the threads run on processors that share no cache, so that memory written by one takes long to reach another. Then only large
  /// work is worth sharing.
  virtual bool no_shared_cache() const { return false; }

  /// Does the items 0 .. items - 1, each once, in any order, and returns when all are done. Precondition: the work neither throws nor calls
  /// this team.
  virtual void run(Index items, Work work) = 0;

 protected:
  Team() = default;                        ///< for derived classes
  Team(const Team&) = default;             ///< for derived classes
  Team& operator=(const Team&) = default;  ///< for derived classes
  ~Team() = default;
};

namespace detail {

/// Calls f(i) for all i < items: by the team, or one after the other where team is nullptr.
template <class F>
void for_items(Team* team, Index items, const F& f) {
  const Team::Work work{[](const void* context, Index i) { (*static_cast<const F*>(context))(i); }, &f};
  if (team != nullptr && items > 1) return team->run(items, work);
  for (Index i = 0; i < items; ++i) work(i);
}

}  // namespace detail
}  // namespace chainrule
