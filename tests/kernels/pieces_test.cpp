#include <chainrule/kernels/pieces.hpp>

#include "support/catch.hpp"

using namespace chainrule;
using kernels::cut;
using kernels::Pieces;

namespace {

/// Says how many threads it has, and how far they are apart, which is all that is asked of it here.
struct TeamOf final : Team {
  explicit TeamOf(Index n, bool is_far = false) : number{n}, far{is_far} {}
  Index threads() const override { return number; }
  bool far_apart() const override { return far; }
  void run(Index items, Work work) override {
    for (Index i = 0; i < items; ++i) work(i);
  }
  Index number;
  bool far;
};

/// Whether the pieces are 0 .. extent without gaps, each but the last as long as the others and a multiple of the unit, none empty.
bool cover(const Pieces& pieces, Index extent, Index unit) {
  Index next = 0;
  for (Index piece = 0; piece < pieces.count(); ++piece) {
    if (pieces.first(piece) != next || pieces.length(piece) < 1) return false;
    next += pieces.length(piece);
    if (piece < pieces.count() - 1 && (pieces.length(piece) != pieces.size || pieces.size % unit != 0)) return false;
  }
  return next == extent;
}

constexpr double much = 1e12;  // operations: enough for as many pieces as there may be

}  // namespace

TEST_CASE("pieces of an extent, the last one shorter") {
  constexpr Pieces pieces{100, 48};
  CHECK(pieces.count() == 3);
  CHECK(pieces.first(0) == 0);
  CHECK(pieces.first(2) == 96);
  CHECK(pieces.length(1) == 48);
  CHECK(pieces.length(2) == 4);
  CHECK(Pieces{96, 48}.count() == 2);
  CHECK(Pieces{1, 48}.count() == 1);
}

TEST_CASE("four pieces for each thread where there is much to do, of whole units") {
  const TeamOf two(2);
  CHECK(cut(640, 8, much, &two).size == 80);  // 80 units for 8 pieces
  CHECK(cut(640, 8, much, &two).count() == 8);
  CHECK(cut(784, 48, much, &two).size == 144);  // 17 units: 3 each, so that 6 pieces are enough
  CHECK(cut(784, 48, much, &two).count() == 6);
}

TEST_CASE("a piece for each thread where there is little to do, and more as they become long") {
  const TeamOf two(2), sixteen(16);
  CHECK(cut(1000, 1, 1e5, &two).count() == 2);
  CHECK(cut(1000, 1, 8e6, &two).count() == 2);
  CHECK(cut(1000, 1, 1.2e7, &two).count() == 3);
  CHECK(cut(1000, 1, 3.2e7, &two).count() == 8);
  CHECK(cut(1000, 1, 1e5, &sixteen).count() == 16);
}

TEST_CASE("one piece where nobody shares the work, or it is over at once") {
  const TeamOf one(1), two(2), sixteen(16);
  for (const Index extent : {1, 7, 8, 1000}) {
    CAPTURE(extent);
    CHECK(cut(extent, 8, much, nullptr).count() == 1);
    CHECK(cut(extent, 8, much, &one).count() == 1);
    CHECK(cut(extent, 8, 9.9e4, &sixteen).count() == 1);
    CHECK(cut(extent, 8, 9.9e4, &sixteen).length(0) == extent);
  }
  CHECK(cut(8, 8, much, &sixteen).count() == 1);  // one unit is not cut
  CHECK(cut(9, 8, much, &sixteen).count() == 2);
}

TEST_CASE("a pass is worth sharing from some operations on, from more where the threads are far apart") {
  const TeamOf one(1), two(2), far(2, true);
  CHECK_FALSE(kernels::worth_sharing(much, nullptr));
  CHECK_FALSE(kernels::worth_sharing(much, &one));
  CHECK_FALSE(kernels::worth_sharing(9.9e5, &two));
  CHECK(kernels::worth_sharing(1e6, &two));
  CHECK_FALSE(kernels::worth_sharing(1.1e7, &far));
  CHECK(kernels::worth_sharing(1.2e7, &far));
}

TEST_CASE("nothing is no pieces") {
  const TeamOf two(2);
  CHECK(cut(0, 8, 0, nullptr).count() == 0);
  CHECK(cut(0, 1, 0, &two).count() == 0);
  CHECK(cut(0, 8, much, &two).count() == 0);
}

TEST_CASE("pieces cover the extent in multiples of the unit, at most four for each thread") {
  for (const Index threads : {2, 3, 16}) {
    const TeamOf team(threads);
    for (const Index unit : {Index{1}, kernels::sample_unit, kernels::unit_block}) {
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

TEST_CASE("columns and rows of a view are views on the same memory") {
  float numbers[] = {11, 21, 31, 0, 12, 22, 32, 0, 13, 23, 33};
  const MatrixView<float> m(numbers, 3, 3, Eigen::OuterStride<>(4));
  const MatrixView<float> last = kernels::columns(m, 1, 2);
  CHECK((last.rows() == 3 && last.cols() == 2 && last.outerStride() == 4));
  CHECK((last(0, 0) == 12 && last(2, 1) == 33));
  const ConstMatrixView<float> middle = kernels::rows(detail::as_const(m), 1, 1);
  CHECK((middle.rows() == 1 && middle.cols() == 3 && middle.outerStride() == 4));
  CHECK((middle(0, 0) == 21 && middle(0, 2) == 23));
  CHECK(middle.data() == numbers + 1);
}
