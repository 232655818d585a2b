#include <chainrule/core/forward_context.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("ForwardContext has the mode predict by default") {
  const ForwardContext<float> pass;
  CHECK(pass.mode == Mode::predict);
  CHECK(pass.buffers == nullptr);
  CHECK(pass.first_sample == 0);
}

TEST_CASE("of_layer gives a layer its own buffers, its own seed and its place among the frozen parameters") {
  const float buffers[5] = {0, 1, 2, 3, 4};
  FrozenParameters frozen;
  frozen.add(6, 9);
  const ForwardContext<float> pass{.mode = Mode::train, .buffers = buffers, .seed = Seed{42}, .first_sample = 7, .frozen = {&frozen, 0}};
  const ForwardContext<float> of_layer = pass.of_layer(1, 3, 4);
  CHECK(of_layer.mode == Mode::train);
  CHECK(*of_layer.buffers == 3);
  CHECK(of_layer.seed.value == derived_seed(Seed{42}, 1).value);
  CHECK(of_layer.first_sample == 7);
  CHECK(of_layer.of_layer(0, 1, 2).buffers == buffers + 4);
  CHECK(of_layer.of_layer(0, 1, 2).frozen.contains(0, 3));
  CHECK_FALSE(of_layer.frozen.contains(0, 3));
  CHECK(of_layer.of_layer(0, 1, 2).seed.value == derived_seed(derived_seed(Seed{42}, 1), 0).value);
}
