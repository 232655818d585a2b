#include <algorithm>
#include <chainrule/threads/thread_team.hpp>
#include <cstdint>
#include <numeric>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// How often a team does each item: once, if it is correct. Counts in plain ints, so that a thread sanitizer sees whether the caller may
/// read what the workers wrote.
std::vector<int> times_done(Team& team, Index items) {
  std::vector<int> times(static_cast<std::size_t>(items), 0);
  detail::for_items(&team, items, [&times](Index i) { ++times[static_cast<std::size_t>(i)]; });
  return times;
}

bool each_once(Team& team, Index items) { return times_done(team, items) == std::vector<int>(static_cast<std::size_t>(items), 1); }

void nap() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }

// The number of threads does not depend on the machine, so that many threads meet even on few processors.
constexpr Index processors = 8;

}  // namespace

TEST_CASE("ThreadTeam does each item once, for any number of items and threads") {
  for (const Index threads : {1, 2, 3, 5, 8}) {
    CAPTURE(threads);
    ThreadTeam team{threads, processors};
    CHECK(team.threads() == threads);
    for (const Index items : {0, 1, 2, 3, 4, 7, 64, 1000, 10000}) {
      CAPTURE(items);
      CHECK(each_once(team, items));
    }
  }
}

TEST_CASE("ThreadTeam has as many threads as the machine runs at once by default") {
  ThreadTeam team;
  CHECK(team.threads() >= 1);
  CHECK(each_once(team, 100));
}

TEST_CASE("ThreadTeam: many small jobs in a row see each other's results") {
  for (const Index threads : {2, 5}) {
    ThreadTeam team{threads, processors};
    std::int64_t sums[4] = {0, 0, 0, 0};
    bool right = true;
    for (Index job = 1; job <= 100000 / threads; ++job) {
      const Index items = 2 + job % 3;
      detail::for_items(&team, items, [&sums, job](Index i) { sums[i] += job; });
      right = right && sums[1] == std::int64_t{job} * (job + 1) / 2;
    }
    CHECK(right);
  }
}

TEST_CASE("ThreadTeam wakes sleeping workers") {
  ThreadTeam team{3, processors};
  const auto caller = std::this_thread::get_id();
  bool helped = false;
  for (int tries = 0; tries < 200 && !helped; ++tries) {
    nap();
    std::vector<std::thread::id> who(64);
    detail::for_items(&team, 64, [&who](Index i) {
      who[static_cast<std::size_t>(i)] = std::this_thread::get_id();
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    });
    helped = std::any_of(who.begin(), who.end(), [caller](const std::thread::id& id) { return id != caller; });
  }
  CHECK(helped);
}

TEST_CASE("ThreadTeam does each item once, also if its workers sleep between jobs") {
  ThreadTeam team{4, processors};
  for (int run = 0; run < 20; ++run) {
    nap();
    CHECK(each_once(team, 50));
    CHECK(each_once(team, 3));
  }
}

TEST_CASE("ThreadTeam can be destroyed right after its construction, after a run, and while its workers sleep") {
  for (int repeat = 0; repeat < 50; ++repeat) {
    { const ThreadTeam unused{4, processors}; }
    ThreadTeam team{4, processors};
    CHECK(each_once(team, 20));
    if (repeat % 10 == 0) nap();
  }
}

TEST_CASE("two threads may use one ThreadTeam at once") {
  ThreadTeam team{3, processors};
  std::vector<int> right(2, 0);
  std::vector<std::thread> callers;
  for (int& count : right)
    callers.emplace_back([&team, &count] {
      for (int run = 0; run < 500; ++run) count += each_once(team, 1 + run % 50) ? 1 : 0;
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(right == std::vector<int>(2, 500));
}

TEST_CASE("ThreadTeam: the first exception of its threads arrives at the caller, and the team works on") {
  ThreadTeam team{4, processors};
  for (int repeat = 0; repeat < 100; ++repeat) {
    const auto refuse_some = [](const void*, Index i) {
      if (i % 7 == 5) throw Index{i};
    };
    CHECK_THROWS_AS(team.run(1000, {refuse_some, nullptr}), Index);
    CHECK(each_once(team, 50));
  }
}

TEST_CASE("ThreadTeam does work that calls another team, or, against the rules, its own") {
  ThreadTeam outer{3, processors};
  ThreadTeam inner{2, processors};
  for (Team* const nested : {&inner, &outer}) {
    std::vector<int> right(30, 0);
    detail::for_items(&outer, 30, [&right, nested](Index i) { right[static_cast<std::size_t>(i)] = each_once(*nested, 10) ? 1 : 0; });
    CHECK(std::accumulate(right.begin(), right.end(), 0) == 30);
  }
}

// The result of the measurement depends on the machine, so the test only checks that measuring disturbs no work.
TEST_CASE("ThreadTeam measures how far apart its threads are while it works") {
  ThreadTeam team{3, processors};
  CHECK_FALSE(team.no_shared_cache());  // nothing measured yet
  bool right = true;
  for (int run = 0; run < 5000; ++run) right = right && each_once(team, 2 + run % 5);
  CHECK(right);
  CHECK_FALSE(ThreadTeam{1}.no_shared_cache());
}

TEST_CASE("ThreadTeam rejects an invalid number of threads") {
  CHECK_THROWS_SAYING(ThreadTeam(0), ValueError, "ThreadTeam: the number of threads must be 1 to 1024, got 0");
  CHECK_THROWS_SAYING(ThreadTeam(-1), ValueError, "got -1");
  CHECK_THROWS_SAYING(ThreadTeam(1025), ValueError, "got 1025");
  CHECK_THROWS_SAYING(ThreadTeam(2, 0), ValueError, "the number of processors must be 1 to 1024, got 0");
}

TEST_CASE("ThreadTeam with one processor: the caller works alone") {
  ThreadTeam team{3, 1};
  CHECK(each_once(team, 10));
  nap();
  CHECK(each_once(team, 5000));
}
