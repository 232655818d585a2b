#pragma once
// A small layer (small_layer.hpp) on a machine with vectors: weights, sums and activations stay in registers while the samples run
// through.

#include <chainrule/kernels/derivatives.hpp>
#include <chainrule/kernels/small_layer_pass.hpp>
#include <chainrule/kernels/vector_math.hpp>
#include <chainrule/kernels/vector_products.hpp>
#include <chainrule/kernels/vectors.hpp>

#define CHAINRULE_KERNEL <chainrule/kernels/register_layer.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>
