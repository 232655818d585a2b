#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/core/detail/network_checks.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>

#include "support/catch.hpp"

using namespace chainrule;
using detail::ProvenNetwork;

// Invalid template arguments do not compile: tests/must_not_compile has a program for each message.
TEST_CASE("ProvenNetwork resolves the inferred inputs of layers that fit together") {
  using Proven = ProvenNetwork<float, SquaredError, Dense<4, 5>, Dropout<>, Dense<5, 2, Sigmoid>>;
  STATIC_REQUIRE(std::is_same_v<Proven::Sequence, detail::Sequence<Dense<4, 5>, Dropout<5>, Dense<5, 2, Sigmoid>>>);
  STATIC_REQUIRE(std::is_same_v<Proven::Base, NetworkBase<float, Proven::Sequence>>);
  STATIC_REQUIRE(Proven::outputs == 2);
  STATIC_REQUIRE(Proven::Chain::inputs_at_compile_time == 4);
}

TEST_CASE("ProvenNetwork leaves run-time extents to be checked at construction") {
  using Proven = ProvenNetwork<double, BinaryCrossEntropy, Dense<4, Dynamic>, Dropout<>, Dense<7, Dynamic>>;
  STATIC_REQUIRE(Proven::outputs == Dynamic);
  STATIC_REQUIRE(Proven::Chain::inputs_at_compile_time == 4);
}

TEST_CASE("a loss on logits takes a last layer without activation, or with Identity") {
  STATIC_REQUIRE(ProvenNetwork<float, BinaryCrossEntropy, Dense<4, 1>, Dropout<>>::outputs == 1);
  STATIC_REQUIRE(ProvenNetwork<float, BinaryCrossEntropy, Dense<4, 1>, Activate<Identity>>::outputs == 1);
  STATIC_REQUIRE_FALSE(detail::gives_raw_outputs<Activate<Sigmoid, 1>>());
}
