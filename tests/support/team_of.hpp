#pragma once

#include <chainrule/threads/team.hpp>

namespace chainrule_test {

/// A Team that claims to have n threads, far apart if is_far is set, but runs all items on the calling thread, in order.
struct TeamOf final : chainrule::Team {
  explicit TeamOf(chainrule::Index n, bool is_far = false) : number{n}, far{is_far} {}
  chainrule::Index threads() const override { return number; }
  bool no_shared_cache() const override { return far; }
  void run(chainrule::Index items, Work work) override {
    for (chainrule::Index i = 0; i < items; ++i) work(i);
  }
  chainrule::Index number;
  bool far;
};

}  // namespace chainrule_test
