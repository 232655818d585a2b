#include <algorithm>
#include <chainrule/kernels/partition.hpp>

#include "support/catch.hpp"
#include "support/team_of.hpp"

using namespace chainrule;
using chainrule_test::TeamOf;
using kernels::partition;
using kernels::Partition;

namespace {

/// Whether the parts cover 0 .. extent without gaps, start at multiples of the granularity, are not empty, and differ in length by at most
/// one granularity.
bool cover(const Partition& parts, Index extent, Index granularity) {
  Index next = 0, shortest = extent, longest = 0;
  for (Index part = 0; part < parts.count(); ++part) {
    if (parts.first(part) != next || next % granularity != 0 || parts.length(part) < 1) return false;
    next += parts.length(part);
    const Index granules = (parts.length(part) + granularity - 1) / granularity;
    shortest = std::min(shortest, granules);
    longest = std::max(longest, granules);
  }
  return next == extent && longest <= shortest + 1;
}

constexpr double much = 1e12;  // operations: enough for the largest number of parts

}  // namespace

TEST_CASE("Partition divides an extent into multiples of the granularity, as equal as possible") {
  const Partition parts{100, 16, 3};  // 7 granules, the last one with 4 of 16 rows
  CHECK(parts.count() == 3);
  CHECK(parts.first(0) == 0);
  CHECK(parts.length(0) == 32);
  CHECK(parts.first(1) == 32);
  CHECK(parts.length(1) == 32);
  CHECK(parts.first(2) == 64);
  CHECK(parts.length(2) == 36);
  CHECK(Partition(96, 48, 8).count() == 2);  // no more parts than granules
  CHECK(Partition(1, 48, 8).count() == 1);
  CHECK(Partition(1, 48, 8).length(0) == 1);
}

TEST_CASE("much work is divided into four parts per thread") {
  const TeamOf two(2);
  CHECK(partition(640, 8, much, &two).count() == 8);  // 80 granules: 10 each
  CHECK(partition(640, 8, much, &two).length(3) == 80);
  CHECK(partition(784, 48, much, &two).count() == 8);  // 17 granules: seven parts of 2 and one of 3
  CHECK(partition(784, 48, much, &two).length(0) == 96);
  CHECK(partition(784, 48, much, &two).length(7) == 784 - 14 * 48);
}

TEST_CASE("two threads get equal shares, up to one granularity") {
  const TeamOf two(2);
  const Partition parts = partition(784, 16, 2.6e7, &two);  // 49 granules, 6 parts
  CHECK(parts.count() == 6);
  CHECK(parts.first(3) == 24 * 16);
}

TEST_CASE("little work is divided into one part per thread, more work into up to four") {
  const TeamOf two(2), sixteen(16);
  CHECK(partition(1000, 1, 1e5, &two).count() == 2);
  CHECK(partition(1000, 1, 8e6, &two).count() == 2);
  CHECK(partition(1000, 1, 1.59e7, &two).count() == 2);
  CHECK(partition(1000, 1, 1.6e7, &two).count() == 4);
  CHECK(partition(1000, 1, 3.2e7, &two).count() == 8);
  CHECK(partition(1000, 1, 1e5, &sixteen).count() == 16);
}

TEST_CASE("work stays whole without a second thread, or if it is too short to share") {
  const TeamOf one(1), two(2), sixteen(16);
  for (const Index extent : {1, 7, 8, 1000}) {
    CAPTURE(extent);
    CHECK(partition(extent, 8, much, nullptr).count() == 1);
    CHECK(partition(extent, 8, much, &one).count() == 1);
    CHECK(partition(extent, 8, 9.9e4, &sixteen).count() == 1);
    CHECK(partition(extent, 8, 9.9e4, &sixteen).length(0) == extent);
  }
  CHECK(partition(8, 8, much, &sixteen).count() == 1);  // a single granule is never divided
  CHECK(partition(9, 8, much, &sixteen).count() == 2);
}

TEST_CASE("worth_sharing asks for 1e6 operations; where memory is slow from thread to thread 1.2e7 to 3e6") {
  const TeamOf one(1), two(2), far(2, true);
  CHECK_FALSE(kernels::worth_sharing(much, nullptr));
  CHECK_FALSE(kernels::worth_sharing(much, &one));
  CHECK_FALSE(kernels::worth_sharing(9.9e5, &two));
  CHECK(kernels::worth_sharing(1e6, &two));
  CHECK_FALSE(kernels::worth_sharing(1.1e7, &far));
  CHECK(kernels::worth_sharing(1.2e7, &far));
  CHECK(kernels::worth_sharing(1e6, &two, kernels::far_minimum_of_predictions(16)));
  CHECK_FALSE(kernels::worth_sharing(9.9e5, &two, kernels::far_minimum_of_predictions(16)));
  CHECK_FALSE(kernels::worth_sharing(2.9e6, &far, kernels::far_minimum_of_predictions(16)));
  CHECK(kernels::worth_sharing(3e6, &far, kernels::far_minimum_of_predictions(16)));
  CHECK_FALSE(kernels::worth_sharing(7.9e6, &far, kernels::far_minimum_of_predictions(15)));
  CHECK(kernels::worth_sharing(8e6, &far, kernels::far_minimum_of_predictions(15)));
  CHECK_FALSE(kernels::worth_sharing(5.9e6, &far, kernels::far_minimum_of_training(40)));
  CHECK(kernels::worth_sharing(6e6, &far, kernels::far_minimum_of_training(40)));
  CHECK_FALSE(kernels::worth_sharing(1.1e7, &far, kernels::far_minimum_of_training(39)));
}

TEST_CASE("an empty extent has no parts") {
  const TeamOf two(2);
  CHECK(partition(0, 8, 0, nullptr).count() == 0);
  CHECK(partition(0, 1, 0, &two).count() == 0);
  CHECK(partition(0, 8, much, &two).count() == 0);
}

TEST_CASE("partition covers every extent in multiples of the granularity, with at most four parts per thread") {
  for (const Index threads : {2, 3, 16}) {
    const TeamOf team(threads);
    for (const Index granularity : {Index{1}, kernels::sample_granularity, Index{8}, Index{16}}) {
      CAPTURE(threads, granularity);
      int wrong = 0;
      for (Index extent = 1; extent <= 1000; ++extent)
        for (const double operations : {0.0, 99999.0, 1e5, 7e6, 3e7, much}) {
          const Partition parts = partition(extent, granularity, operations, &team);
          const bool few_enough = parts.count() <= (operations < 1e5 ? 1 : operations < 8e6 ? threads : 4 * threads);
          wrong += !(few_enough && cover(parts, extent, granularity));
        }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("unit_granularity is 16 if the number of units is a multiple of 16, so that parts start at cache lines, else 8") {
  STATIC_REQUIRE(kernels::unit_granularity(784) == 16);
  STATIC_REQUIRE(kernels::unit_granularity(300) == 8);
  STATIC_REQUIRE(kernels::unit_granularity(16) == 16);
}
