#include "integration/gradient_grid.hpp"

chainrule_test::GridResult chainrule_test::softmax_cross_entropy_grid() { return check_grid<cr::SoftmaxCrossEntropy>(); }

TEST_CASE("the gradient of SoftmaxCrossEntropy is right on the grid of shapes, activations and scalars, fixed and dynamic") {
  CHECK(chainrule_test::softmax_cross_entropy_grid().nets == chainrule_test::grid_nets<chainrule::SoftmaxCrossEntropy>);
}
