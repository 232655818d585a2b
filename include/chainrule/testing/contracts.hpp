#pragma once
// For tests of activations, losses, layers and optimizers of your own: whether each keeps the contract of its family. One line in any
// test framework, as in REQUIRE(check_activation<float>(Mine{})), EXPECT_TRUE(report) << report.to_string() or assert(report).
// chainrule.hpp leaves these headers out, because only tests want them.

#include <chainrule/testing/activation_contract.hpp>
#include <chainrule/testing/layer_contract.hpp>
#include <chainrule/testing/loss_contract.hpp>
#include <chainrule/testing/optimizer_contract.hpp>
