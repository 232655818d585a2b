#include <chainrule/threads/team.hpp>
#include <thread>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// A team as a user may write it, on threads of his own: here two, new ones for every run. It counts how often it is asked.
class Halves : public Team {
 public:
  Index threads() const override { return 2; }
  void run(Index items, Work work) override {
    ++runs;
    std::thread other([&] {
      for (Index i = items / 2; i < items; ++i) work(i);
    });
    for (Index i = 0; i < items / 2; ++i) work(i);
    other.join();
  }
  int runs = 0;
};

std::vector<Index> squares(Team* team, Index items) {
  std::vector<Index> results(static_cast<std::size_t>(items), -1);
  detail::for_items(team, items, [&results](Index i) { results[static_cast<std::size_t>(i)] += 1 + i * i; });
  return results;
}

}  // namespace

TEST_CASE("without a team, items are done one after the other, here") {
  std::vector<Index> order;
  detail::for_items(nullptr, 4, [&order](Index i) { order.push_back(i); });
  CHECK(order == std::vector<Index>{0, 1, 2, 3});
  detail::for_items(nullptr, 0, [&order](Index i) { order.push_back(i); });
  CHECK(order.size() == 4);
}

TEST_CASE("a team of the user's does the items, each once") {
  Halves team;
  CHECK(squares(&team, 5) == std::vector<Index>{0, 1, 4, 9, 16});
  CHECK(team.runs == 1);
}

TEST_CASE("a team is not asked for one item or none") {
  Halves team;
  CHECK(squares(&team, 1) == std::vector<Index>{0});
  CHECK(squares(&team, 0).empty());
  CHECK(team.runs == 0);
}
