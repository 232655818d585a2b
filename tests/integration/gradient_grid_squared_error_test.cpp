#include "integration/gradient_grid.hpp"

chainrule_test::GridResult chainrule_test::squared_error_grid() { return check_grid<cr::SquaredError>(); }

TEST_CASE("the gradient of SquaredError is right on the grid of shapes, activations and scalars, fixed and dynamic") {
  CHECK(chainrule_test::squared_error_grid().nets == chainrule_test::grid_nets<chainrule::SquaredError>);
}
