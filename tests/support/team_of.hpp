#pragma once

#include <chainrule/threads/team.hpp>

namespace chainrule_test {

/// Says how many threads it has, and how far they are apart; does all items itself, in order.
struct TeamOf final : chainrule::Team {
  explicit TeamOf(chainrule::Index n, bool is_far = false) : number{n}, far{is_far} {}
  chainrule::Index threads() const override { return number; }
  bool far_apart() const override { return far; }
  void run(chainrule::Index items, Work work) override {
    for (chainrule::Index i = 0; i < items; ++i) work(i);
  }
  chainrule::Index number;
  bool far;
};

}  // namespace chainrule_test
