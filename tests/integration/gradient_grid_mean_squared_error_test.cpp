#include "integration/gradient_grid.hpp"

chainrule_test::GridResult chainrule_test::mean_squared_error_grid() { return check_grid<cr::MeanSquaredError>(); }

TEST_CASE("the gradient of MeanSquaredError is right on the grid of shapes, activations and scalars, fixed and dynamic") {
  CHECK(chainrule_test::mean_squared_error_grid().nets == chainrule_test::grid_nets<chainrule::MeanSquaredError>);
}
