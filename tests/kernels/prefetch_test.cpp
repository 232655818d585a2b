#include <chainrule/kernels/prefetch.hpp>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using kernels::Prefetch;

TEST_CASE("Prefetch::next takes a few columns at a time and stops at the last one") {
  const std::vector<float> m(5 * 20);
  Prefetch columns(m.data(), 17, 20, 5);
  CHECK(columns.left() == 5);
  columns.next(2);
  CHECK(columns.left() == 3);
  columns.next(0);
  CHECK(columns.left() == 3);
  columns.next(4);
  CHECK(columns.left() == 0);
  columns.next(1);
  CHECK(columns.left() == 0);
  CHECK(Prefetch().left() == 0);
}

TEST_CASE("Ahead::fetch prefetches the given number of columns of A per tile, until none is left") {
  const std::vector<double> m(100);
  kernels::Ahead ahead{{m.data(), 10, 10, 10}, 4};
  for (const Index left : {6, 2, 0, 0}) {
    ahead.fetch(m.data(), 10, 10, 4, 4);
    CHECK(ahead.a.left() == left);
  }
  ahead.fetch(m.data() + 60, 10, 10, 4, 0);  // the last tile, with no columns to its right
  CHECK(ahead.a.left() == 0);
}
