#pragma once
/// \file
/// Everything of chainrule that needs Eigen alone.

#include <chainrule/activations/identity.hpp>
#include <chainrule/activations/leaky_relu.hpp>
#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/core/version.hpp>
#include <chainrule/initializers/he.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <chainrule/initializers/zeros.hpp>
#include <chainrule/inspect/check_gradient.hpp>
#include <chainrule/inspect/summary.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/sgd.hpp>
