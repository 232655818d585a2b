#pragma once

#include <chainrule/threads/team.hpp>

namespace chainrule::testing {

/// A Team for tests that claims to have several threads but runs all items on the calling thread, the last one first. A result that
/// depends on the order of the items, or on the thread that runs them, then differs from that of a real team.
class ReversedTeam final : public Team {
 public:
  /// Claims to have this number of threads.
  explicit ReversedTeam(Index threads) : threads_{threads} {}

  Index threads() const override { return threads_; }
  void run(Index items, Work work) override {
    for (Index i = items; i-- > 0;) work(i);
    was_used_ = true;
  }
  /// Whether run() has been called.
  bool was_used() const { return was_used_; }

 private:
  Index threads_;
  bool was_used_ = false;
};

}  // namespace chainrule::testing
