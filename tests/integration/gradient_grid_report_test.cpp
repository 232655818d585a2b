#include <cstdio>

#include "integration/gradient_grid.hpp"

// Prints the figures of the whole grid. Hidden from the usual test run; `chainrule_tests "[.report]"` runs it.
TEST_CASE("worst relative error of the gradient over the whole grid", "[.report]") {
  using namespace chainrule_test;
  const GridResult results[] = {squared_error_grid(), mean_squared_error_grid(), binary_cross_entropy_grid(), softmax_cross_entropy_grid()};
  GridResult all;
  for (const GridResult& result : results) {
    all.worst_error = std::max(all.worst_error, result.worst_error);
    all.entries += result.entries;
    all.nets += result.nets;
  }
  std::printf("gradient grid: %d nets, %ld entries, worst relative error in double %.2g\n", all.nets, static_cast<long>(all.entries),
              all.worst_error);
  CHECK(all.worst_error < 1e-7);
}
