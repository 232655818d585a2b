#include <chainrule/activations/relu.hpp>
#include <chainrule/gradients.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("gradients have theta's shape: flat, and by layer as views on the same memory") {
  const Network<float, SquaredError, Dense<2, 3, ReLU>, Dense<3, 1>> net{Seed{1}};
  auto gradients = net.make_gradients();
  CHECK(gradients.size() == net.parameters().size());
  CHECK(gradients.flat().isZero(0));

  gradients.layer<0>().weight(2, 1) = 5;  // W(1) is 3 x 2, by columns: the last of its 6 entries
  CHECK(gradients.flat()[5] == 5);
  gradients.flat()[12] = 7;  // 6 + 3 + 3 entries before b(2)
  CHECK(gradients.layer<1>().bias[0] == 7);
}

TEST_CASE("a copy of gradients is a copy of a vector") {
  const Network<double, SquaredError, Dense<1, 1>> net{Seed{1}};
  auto gradients = net.make_gradients();
  const auto copy = gradients;
  gradients.flat()[0] = 3;
  CHECK(copy.flat()[0] == 0);
}
