#include <chainrule/training/divergence.hpp>

#include <chainrule/layers/dense.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("the first number of theta that is not finite, by name") {
  const std::tuple layers{Dense<2, 3>{}, Dense<3, 1>{}};  // 6 + 3, 3 + 1 numbers
  std::vector<double> theta(13, 0.5);
  CHECK(detail::first_not_finite(layers, theta.data()).empty());
  theta[12] = std::numeric_limits<double>::quiet_NaN();
  CHECK(detail::first_not_finite(layers, theta.data()) == "layer<1>.bias(0, 0), which is nan");
  theta[4] = -std::numeric_limits<double>::infinity();
  CHECK(detail::first_not_finite(layers, theta.data()) == "layer<0>.weight(1, 1), which is -inf");
}

TEST_CASE("a divergence is an Error, and says where, what and what to try") {
  CHECK_THROWS_SAYING(detail::raise_divergence("epoch 3, batch 17 of 100", "the loss is nan", 0.5), Error,
                      "training stopped in epoch 3, batch 17 of 100: the loss is nan", "the learning rate, 0.5 here", "Standardizer");
}
