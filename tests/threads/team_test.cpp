#include <chainrule/threads/team.hpp>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// A user-defined team that starts two new threads for every run, and counts the runs.
class Halves final : public Team {
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

TEST_CASE("for_items without a team does the items in order on the calling thread") {
  std::vector<Index> order;
  detail::for_items(nullptr, 4, [&order](Index i) { order.push_back(i); });
  CHECK(order == std::vector<Index>{0, 1, 2, 3});
  detail::for_items(nullptr, 0, [&order](Index i) { order.push_back(i); });
  CHECK(order.size() == 4);
}

TEST_CASE("for_items with a user-defined team does each item once") {
  Halves team;
  CHECK(squares(&team, 5) == std::vector<Index>{0, 1, 4, 9, 16});
  CHECK(team.runs == 1);
}

TEST_CASE("for_items throws the first exception of all threads after all have ended, and begins no item after it") {
  Halves team;
  std::atomic<int> begun{0};
  const auto work = [&begun](Index i) {
    ++begun;
    if (i >= 500) throw std::runtime_error("item of the other thread");
  };
  CHECK_THROWS_SAYING(detail::for_items(&team, 1000, work), std::runtime_error, "item of the other thread");
  CHECK(begun <= 501);
  CHECK_THROWS_SAYING(detail::for_items(nullptr, 1000, work), std::runtime_error, "item of the other thread");
  CHECK(squares(&team, 5) == std::vector<Index>{0, 1, 4, 9, 16});
}

TEST_CASE("TeamPointer throws StateError where the team is gone, also as a copy, and not for another team or nullptr") {
  std::optional<Halves> team(std::in_place), other(std::in_place);
  detail::TeamPointer pointer = &*team;
  CHECK(pointer.get() == &*team);
  CHECK(pointer->threads() == 2);
  const detail::TeamPointer copy = pointer, none;
  team.reset();
  CHECK_THROWS_SAYING(pointer.get(), StateError, "the team of threads of this workspace or optimizer state was destroyed before it");
  CHECK_THROWS_AS(copy.get(), StateError);
  CHECK(none.get() == nullptr);
  pointer = &*other;
  CHECK(pointer == &*other);
  const Halves copied = *other;
  other.reset();
  CHECK_THROWS_AS(pointer.get(), StateError);
  CHECK(copied.threads() == 2);
  pointer = nullptr;
  CHECK(pointer == nullptr);
}

TEST_CASE("for_items does not call the team for one item or none") {
  Halves team;
  CHECK(squares(&team, 1) == std::vector<Index>{0});
  CHECK(squares(&team, 0).empty());
  CHECK(team.runs == 0);
}
