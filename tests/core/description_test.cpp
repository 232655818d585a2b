#include <chainrule/activations/hard_tanh.hpp>
#include <chainrule/activations/relu.hpp>
#include <chainrule/core/description.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/class_weighted.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("describe gives the name, extents, hyperparameters and parts of a layer") {
  CHECK(describe(Dense<3, 4, ReLU>{}) == Description{"Dense", 3, 4, {}, {{"ReLU", 0, 0, {}, {}}}});
  CHECK(describe(HardTanh{-2, 3}) == Description{"HardTanh", 0, 0, {{"low", -2}, {"high", 3}}, {}});
  const Network<float, Huber, Dense<3, 4>, Residual<Dropout<>, BatchNorm<>>> net{Seed{1}};
  const Description inside{"Dropout", 4, 4, {{"rate", 0.5}}, {}};
  const Description norm{"BatchNorm", 4, 4, {{"momentum", 0.1}, {"epsilon", 1e-5}}, {}};
  CHECK(describe_layers(net) ==
        std::vector<Description>{{"Dense", 3, 4, {}, {{"Identity", 0, 0, {}, {}}}}, {"Residual", 4, 4, {}, {inside, norm}}});
}

TEST_CASE("describe gives the name and hyperparameters of a loss, and the loss inside it") {
  CHECK(describe(Huber{.delta = 2}) == Description{"Huber", 0, 0, {{"delta", 2}}, {}});
  CHECK(describe(ClassWeighted<Huber>{{1, 3}, Huber{.delta = 2}}) ==
        Description{"ClassWeighted", 0, 0, {{"weight", 1}, {"weight", 3}}, {{"Huber", 0, 0, {{"delta", 2}}, {}}}});
}
