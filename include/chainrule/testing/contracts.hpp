#pragma once
// Contract checks for your own activations, losses, layers and optimizers, usable in one line of any test framework:
// REQUIRE(check_activation<float>(Mine{})), EXPECT_TRUE(report) << report.to_string() or assert(report).
// chainrule.hpp does not include these headers, because only tests need them.

#include <chainrule/testing/activation_contract.hpp>
#include <chainrule/testing/layer_contract.hpp>
#include <chainrule/testing/loss_contract.hpp>
#include <chainrule/testing/optimizer_contract.hpp>
