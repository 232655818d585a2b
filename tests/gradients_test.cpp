#include <chainrule/activations/relu.hpp>
#include <chainrule/gradients.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("Gradients have the size of theta, and their layers are views on the flat vector") {
  const Network<float, SquaredError, Dense<2, 3, ReLU>, Dense<3, 1>> net{Seed{1}};
  auto gradients = net.make_gradients();
  CHECK(gradients.size() == net.parameters().size());
  CHECK(gradients.flat().isZero(0));

  gradients.layer<0>().weight(2, 1) = 5;  // W(1) is 3 x 2 and stored by columns, so this is the last of its 6 entries
  CHECK(gradients.flat()[5] == 5);
  gradients.flat()[12] = 7;  // W(1), b(1) and W(2), with 6 + 3 + 3 entries, come before b(2)
  CHECK(gradients.layer<1>().bias[0] == 7);
}

TEST_CASE("copied Gradients are independent of the original") {
  const Network<double, SquaredError, Dense<1, 1>> net{Seed{1}};
  auto gradients = net.make_gradients();
  const auto copy = gradients;
  gradients.flat()[0] = 3;
  CHECK(copy.flat()[0] == 0);
}
