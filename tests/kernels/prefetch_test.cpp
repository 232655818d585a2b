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

TEST_CASE("the tiles of a panel in place prefetch each line of the next panel's columns once") {
  alignas(64) static const float m[1024] = {};
  const auto distances = [&](const float* first, Index next_rows, Index step) {
    kernels::Ahead ahead(false);
    ahead.set_next_panel(first, 48, next_rows, step);
    std::vector<Index> found;  // bytes from a column of the panel
    for (Index distance = ahead.next_distance(); distance > 0; distance = ahead.next_distance()) found.push_back(distance);
    CHECK(ahead.next_distance() == 0);
    return found;
  };
  CHECK(distances(m, 48, 64) == std::vector<Index>{192, 256, 320});
  CHECK(distances(m, 16, 64) == std::vector<Index>{192});
  CHECK(distances(m, 17, 64) == std::vector<Index>{192, 256});
  CHECK(distances(m, 48, 50) == std::vector<Index>{192, 256, 320, 384});  // columns begin within a line and may end in a fourth
  CHECK(distances(m + 1, 48, 64) == std::vector<Index>{192, 256, 320, 384});
  CHECK(kernels::Ahead(true).next_distance() == 0);
}

TEST_CASE("tiles of packed panels prefetch columns of the next one, and tiles of C") {
  const std::vector<double> m(100);
  for (const bool wants_c : {false, true}) {
    kernels::Ahead ahead(wants_c);
    ahead.set_columns({m.data(), 10, 10, 10}, 4);
    for (Index columns : {4, 4, 4, 4, 0})
      ahead.fetch(m.data(), 10, 10, columns);  // 10 columns by 4; the last tile of C has none to its right
    CHECK(ahead.next_distance() == 0);
  }
}
