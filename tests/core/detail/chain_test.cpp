#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/core/detail/chain.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>

#include "support/catch.hpp"

using namespace chainrule;
using detail::Chain;

namespace {

struct LayerWithoutActivation {};

}  // namespace

// Layers with fixed extents that do not fit together do not compile: tests/must_not_compile/mismatched_layers.cpp.
TEST_CASE("Chain has the inputs of its first layer and the outputs of its last") {
  using Three = Chain<Dense<5, 4>, Dense<4, 3>, Dense<3, 2>>;
  STATIC_REQUIRE(Three::fits());
  STATIC_REQUIRE(Three::size == 3);
  STATIC_REQUIRE(Three::inputs_at_compile_time == 5);
  STATIC_REQUIRE(Three::outputs_at_compile_time == 2);
  STATIC_REQUIRE(std::is_same_v<Three::At<1>, Dense<4, 3>>);
  STATIC_REQUIRE(Chain<Dense<5, 4>>::fits());
}

TEST_CASE("Chain accepts a run-time extent next to any other at compile time") {
  STATIC_REQUIRE(Chain<Dense<Dynamic, Dynamic>, Dense<4, 3>>::fits());
  STATIC_REQUIRE(Chain<Dense<5, 4>, Dense<Dynamic, 3>>::fits());
  STATIC_REQUIRE(Chain<Dense<Dynamic, 4>, Dense<4, Dynamic>>::inputs_at_compile_time == Dynamic);
  STATIC_REQUIRE(Chain<Dense<Dynamic, 4>, Dense<4, Dynamic>>::outputs_at_compile_time == Dynamic);
}

// Only a net with fixed extents can be made from a seed alone.
TEST_CASE("Chain knows whether all extents are fixed at compile time") {
  STATIC_REQUIRE(Chain<Dense<5, 4>, Dense<4, 3>>::all_extents_are_types());
  STATIC_REQUIRE_FALSE(Chain<Dense<Dynamic, 4>, Dense<4, 3>>::all_extents_are_types());
  STATIC_REQUIRE_FALSE(Chain<Dense<5, 4>, Dense<4, Dynamic>>::all_extents_are_types());
}

TEST_CASE("checked_chain names layers with run-time extents that do not fit, and the extents") {
  using Any = Dense<Dynamic, Dynamic>;
  CHECK_NOTHROW(detail::checked_chain(SquaredError{}, std::tuple(Any{5, 4})));
  CHECK_NOTHROW(detail::checked_chain(SquaredError{}, std::tuple(Any{5, 4}, Any{4, 3}, Any{3, 2})));
  CHECK_THROWS_SAYING(detail::checked_chain(SquaredError{}, std::tuple(Any{5, 4}, Any{5, 3}, Any{3, 2})), ShapeError,
                      "layer<1> expects 5 inputs, but layer<0> gives 4 outputs");
  CHECK_THROWS_SAYING(detail::checked_chain(SquaredError{}, std::tuple(Any{5, 4}, Any{4, 3}, Any{2, 2})), ShapeError,
                      "layer<2> expects 2 inputs, but layer<1> gives 3 outputs");
  CHECK_THROWS_SAYING(detail::checked_chain(SquaredError{}, std::tuple(Any{5, 4}, Dense<3, 2>{})), ShapeError,
                      "layer<1> expects 3 inputs, but layer<0> gives 4 outputs");
}

TEST_CASE("checked_chain rejects one output for a loss that needs two") {
  using Any = Dense<Dynamic, Dynamic>;
  CHECK_NOTHROW(detail::checked_chain(SquaredError{}, std::tuple(Any{5, 1})));
  CHECK_THROWS_SAYING(detail::checked_chain(SoftmaxCrossEntropy{}, std::tuple(Any{5, 1})), ShapeError,
                      "SoftmaxCrossEntropy needs at least 2 outputs, but the last layer has 1");
}

struct LayerThatCallsItsActivationIdentity {
  struct ActivationType {
    static constexpr std::string_view name = "Identity";
  };
};

TEST_CASE("gives_raw_outputs is true for a layer without activation or with Identity") {
  STATIC_REQUIRE(detail::gives_raw_outputs<Dense<3, 2>>());
  STATIC_REQUIRE(detail::gives_raw_outputs<Dense<3, 2, Identity>>());
  STATIC_REQUIRE(detail::gives_raw_outputs<LayerWithoutActivation>());
  STATIC_REQUIRE_FALSE(detail::gives_raw_outputs<Dense<3, 2, Sigmoid>>());
  STATIC_REQUIRE_FALSE(detail::gives_raw_outputs<LayerThatCallsItsActivationIdentity>());
}
