#include <algorithm>
#include <chainrule/kernels/pieces.hpp>

#include "support/catch.hpp"
#include "support/team_of.hpp"

using namespace chainrule;
using chainrule_test::TeamOf;
using kernels::cut;
using kernels::Pieces;

namespace {

/// Whether the pieces cover 0 .. extent without gaps, start at multiples of the unit, are not empty, and differ in length by at most
/// one unit.
bool cover(const Pieces& pieces, Index extent, Index unit) {
  Index next = 0, shortest = extent, longest = 0;
  for (Index piece = 0; piece < pieces.count(); ++piece) {
    if (pieces.first(piece) != next || next % unit != 0 || pieces.length(piece) < 1) return false;
    next += pieces.length(piece);
    const Index units = (pieces.length(piece) + unit - 1) / unit;
    shortest = std::min(shortest, units);
    longest = std::max(longest, units);
  }
  return next == extent && longest <= shortest + 1;
}

constexpr double much = 1e12;  // operations: enough for the largest number of pieces

}  // namespace

TEST_CASE("Pieces divides an extent into pieces of whole units, as equal as possible") {
  const Pieces pieces{100, 16, 3};  // 7 units, the last one with 4 of 16 rows
  CHECK(pieces.count() == 3);
  CHECK(pieces.first(0) == 0);
  CHECK(pieces.length(0) == 32);
  CHECK(pieces.first(1) == 32);
  CHECK(pieces.length(1) == 32);
  CHECK(pieces.first(2) == 64);
  CHECK(pieces.length(2) == 36);
  CHECK(Pieces(96, 48, 8).count() == 2);  // no more pieces than units
  CHECK(Pieces(1, 48, 8).count() == 1);
  CHECK(Pieces(1, 48, 8).length(0) == 1);
}

TEST_CASE("much work is cut into four pieces per thread, of whole units") {
  const TeamOf two(2);
  CHECK(cut(640, 8, much, &two).count() == 8);  // 80 units: 10 each
  CHECK(cut(640, 8, much, &two).length(3) == 80);
  CHECK(cut(784, 48, much, &two).count() == 8);  // 17 units: seven pieces of 2 and one of 3
  CHECK(cut(784, 48, much, &two).length(0) == 96);
  CHECK(cut(784, 48, much, &two).length(7) == 784 - 14 * 48);
}

TEST_CASE("two threads get equal shares of the units, up to one unit") {
  const TeamOf two(2);
  const Pieces pieces = cut(784, 16, 2.6e7, &two);  // 49 units, 6 pieces
  CHECK(pieces.count() == 6);
  CHECK(pieces.first(3) == 24 * 16);
}

TEST_CASE("little work is cut into one piece per thread, more work into up to four") {
  const TeamOf two(2), sixteen(16);
  CHECK(cut(1000, 1, 1e5, &two).count() == 2);
  CHECK(cut(1000, 1, 8e6, &two).count() == 2);
  CHECK(cut(1000, 1, 1.59e7, &two).count() == 2);
  CHECK(cut(1000, 1, 1.6e7, &two).count() == 4);
  CHECK(cut(1000, 1, 3.2e7, &two).count() == 8);
  CHECK(cut(1000, 1, 1e5, &sixteen).count() == 16);
}

TEST_CASE("work stays whole without a second thread, or if it is too short to share") {
  const TeamOf one(1), two(2), sixteen(16);
  for (const Index extent : {1, 7, 8, 1000}) {
    CAPTURE(extent);
    CHECK(cut(extent, 8, much, nullptr).count() == 1);
    CHECK(cut(extent, 8, much, &one).count() == 1);
    CHECK(cut(extent, 8, 9.9e4, &sixteen).count() == 1);
    CHECK(cut(extent, 8, 9.9e4, &sixteen).length(0) == extent);
  }
  CHECK(cut(8, 8, much, &sixteen).count() == 1);  // a single unit is never divided
  CHECK(cut(9, 8, much, &sixteen).count() == 2);
}

TEST_CASE("worth_sharing asks for 1e6 operations, or 1.2e7 if the threads share no cache") {
  const TeamOf one(1), two(2), far(2, true);
  CHECK_FALSE(kernels::worth_sharing(much, nullptr));
  CHECK_FALSE(kernels::worth_sharing(much, &one));
  CHECK_FALSE(kernels::worth_sharing(9.9e5, &two));
  CHECK(kernels::worth_sharing(1e6, &two));
  CHECK_FALSE(kernels::worth_sharing(1.1e7, &far));
  CHECK(kernels::worth_sharing(1.2e7, &far));
}

TEST_CASE("an empty extent is cut into no pieces") {
  const TeamOf two(2);
  CHECK(cut(0, 8, 0, nullptr).count() == 0);
  CHECK(cut(0, 1, 0, &two).count() == 0);
  CHECK(cut(0, 8, much, &two).count() == 0);
}

TEST_CASE("cut covers every extent in multiples of the unit, with at most four pieces per thread") {
  for (const Index threads : {2, 3, 16}) {
    const TeamOf team(threads);
    for (const Index unit : {Index{1}, kernels::sample_unit, Index{8}, Index{16}}) {
      CAPTURE(threads, unit);
      int wrong = 0;
      for (Index extent = 1; extent <= 1000; ++extent)
        for (const double operations : {0.0, 99999.0, 1e5, 7e6, 3e7, much}) {
          const Pieces pieces = cut(extent, unit, operations, &team);
          const bool few_enough = pieces.count() <= (operations < 1e5 ? 1 : operations < 8e6 ? threads : 4 * threads);
          wrong += !(few_enough && cover(pieces, extent, unit));
        }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("unit_block is 16 if the number of units is a multiple of 16, so that pieces start at cache lines, else 8") {
  STATIC_REQUIRE(kernels::unit_block(784) == 16);
  STATIC_REQUIRE(kernels::unit_block(300) == 8);
  STATIC_REQUIRE(kernels::unit_block(16) == 16);
}

TEST_CASE("columns() returns a view of the same memory") {
  float numbers[] = {11, 21, 31, 0, 12, 22, 32, 0, 13, 23, 33};
  const MatrixView<float> last = kernels::columns(MatrixView<float>(numbers, 3, 3, Eigen::OuterStride<>(4)), 1, 2);
  CHECK((last.rows() == 3 && last.cols() == 2 && last.outerStride() == 4));
  CHECK((last(0, 0) == 12 && last(2, 1) == 33));
}
