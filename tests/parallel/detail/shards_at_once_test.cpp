#include <chainrule/parallel/detail/shards_at_once.hpp>
#include <numeric>

#include "support/catch.hpp"
#include "support/thread_ranks.hpp"

using namespace chainrule;
using chainrule_test::on_ranks;

namespace {

using Reduction = ShardReduction<double>;

/// low <- 2 low + 3 high, which depends on the order and the tree
void merge(double* low, const double* high, Index count) {
  for (Index i = 0; i < count; ++i) low[i] = 2 * low[i] + 3 * high[i];
}

}  // namespace

TEST_CASE("shards merge their numbers in one binary tree, whatever rank has them") {
  const auto pair = [](double low, double high) { return 2 * low + 3 * high; };
  const double expected = pair(pair(pair(0, 1), pair(4, 9)), pair(pair(16, 25), pair(36, 49)));
  for (const Index count : {1, 2, 4, 8})
    for (const auto& results : on_ranks(count, {}, [&](Ranks& ranks) {
           detail::ShardsAtOnce<double> shards(ranks);
           std::vector<double> results(static_cast<std::size_t>(ranks.shards_here()));
           for (int job = 0; job < 3; ++job)
             shards.run([&](std::size_t s, Reduction& reduction) {
               const double number = static_cast<double>(ranks.first_shard()) + static_cast<double>(s);
               for (const Index numbers : {3, 1, 70}) {
                 double* const all = reduction.numbers(numbers);
                 std::fill_n(all, numbers, number * number);
                 reduction.reduce(merge);
                 results[s] = all[numbers - 1];
               }
             });
           return results;
         }))
      CHECK(results == std::vector<double>(static_cast<std::size_t>(8 / count), expected));
}

TEST_CASE("where a shard throws, the others of all ranks end, and its exception arrives") {
  std::vector<std::string> errors;
  for (const std::size_t thrower : {std::size_t{0}, std::size_t{3}})
    for (int repetition = 0; repetition < 20; ++repetition) {
      on_ranks(
          2, {},
          [&](Ranks& ranks) {
            return ranks.together([&] {
              detail::ShardsAtOnce<double> shards(ranks);
              shards.run([&](std::size_t s, Reduction& reduction) {
                for (int i = 0; i < 3; ++i) {
                  if (i == 1 && ranks.rank() == 1 && s == thrower) throw ValueError("no luck");
                  *reduction.numbers(1) = 1;
                  reduction.reduce(merge);
                }
              });
              return 0;
            });
          },
          &errors);
      REQUIRE(errors == std::vector<std::string>{"rank 1 has stopped: no luck", "no luck"});
    }
}

TEST_CASE("shards can merge again after one has thrown, and must make the same reductions") {
  on_ranks(1, {.shards = 4}, [](Ranks& ranks) {
    detail::ShardsAtOnce<float> shards(ranks);
    const auto times = [&](const auto& reductions_of) {
      shards.run([&](std::size_t s, ShardReduction<float>& reduction) {
        for (Index i = 0; i < reductions_of(s); ++i) {
          *reduction.numbers(1 + i) = 1;
          reduction.reduce(merge);
        }
      });
    };
    const auto twice = [](std::size_t) { return 2; };
    for (const std::size_t other : {std::size_t{0}, std::size_t{2}}) {
      CHECK_THROWS_SAYING(times([&](std::size_t s) { return s == other ? 1 : 2; }), StateError,
                          "in some shards of a batch but not in others");
      times(twice);
      CHECK_THROWS_SAYING(times([&](std::size_t s) -> Index {
                            if (s == other) throw ValueError("no luck");
                            return 1;
                          }),
                          ValueError, "no luck");
      times(twice);
    }
    CHECK_THROWS_SAYING(shards.run([&](std::size_t s, ShardReduction<float>& reduction) {
      reduction.numbers(s == 1 ? 2 : 3);
      reduction.reduce(merge);
    }),
                        StateError, "in some shards of a batch but not in others");
    return 0;
  });
  std::vector<std::string> errors;
  on_ranks(
      2, {.timeout = 30},
      [](Ranks& ranks) {
        return ranks.together([&] {
          detail::ShardsAtOnce<double> shards(ranks);
          shards.run([&](std::size_t, Reduction& reduction) {
            reduction.numbers(2 + ranks.rank());
            reduction.reduce(merge);
          });
          return 0;
        });
      },
      &errors);
  CHECK(!errors[0].empty());
  CHECK(!errors[1].empty());
}
