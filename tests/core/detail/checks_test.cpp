#include <chainrule/core/detail/checks.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("each check of extents throws an error with the expected and the actual number") {
  CHECK_NOTHROW(detail::check_batch("forward", 1));
  CHECK_THROWS_SAYING(detail::check_batch("forward", 0), ShapeError, "forward: the batch is empty");

  CHECK_NOTHROW(detail::check_capacity("forward", 8, 8));
  CHECK_THROWS_SAYING(detail::check_capacity("forward", 9, 8), ShapeError, "forward: the batch has 9 samples", "room for 8",
                      "make_workspace(9)");

  CHECK_NOTHROW(detail::check_rows("forward", "x", 64, 64, "inputs"));
  CHECK_THROWS_SAYING(detail::check_rows("forward", "x", 63, 64, "inputs"), ShapeError, "forward: x has 63 rows", "64 inputs");

  CHECK_NOTHROW(detail::check_samples("loss", "y", 5, 5, "the last forward(x, work)"));
  CHECK_THROWS_SAYING(detail::check_samples("loss", "y", 4, 5, "the last forward(x, work)"), ShapeError, "loss: y has 4 samples", "had 5");

  CHECK_NOTHROW(detail::check_input_gradient("backward", 3, 5, 3, 5));
  CHECK_THROWS_SAYING(detail::check_input_gradient("backward", 3, 4, 3, 5), ShapeError, "backward: dJ/dx is 3 x 5", "is 3 x 4");
  CHECK_THROWS_SAYING(detail::check_input_gradient("backward", 2, 5, 3, 5), ShapeError, "backward: dJ/dx is 3 x 5", "is 2 x 5");

  CHECK_NOTHROW(detail::check_made_for("backward", "gradients", 1, 10, 10));
  CHECK_THROWS_SAYING(detail::check_made_for("backward", "gradients", 1, 10, 20), ShapeError, "gradients", "made for another network",
                      "layer<1>", "10 there and of 20 here");
}

TEST_CASE("check_forward_ran throws a StateError that names the remedy") {
  CHECK_NOTHROW(detail::check_forward_ran("backward", 1));
  CHECK_THROWS_SAYING(detail::check_forward_ran("backward", 0), StateError, "backward: the workspace holds no forward pass",
                      "call forward(x, work) first");
}
