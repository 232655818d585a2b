#pragma once

#include <chainrule/precision/detail/bf16_products.hpp>
#include <concepts>
#include <memory>
#include <span>

namespace chainrule {

/// The products of dense layers with operands in bfloat16, a float of 8 significant bits instead of 24: W, a(l) and delta are rounded to
/// the nearest one (ties to even; subnormal numbers to 0) where they enter a product, and its sums are floats. All else stays in float: the
/// parameters, b and dJ/db, activations, losses and the optimizer. This is the convention of PyTorch's set_float32_matmul_precision
/// ("medium") and of jax_default_matmul_precision = "bfloat16".
/// @code{.cpp}
/// auto work = net.make_workspace(256, bfloat16);                   // for forward, backward, predict, ...
/// trainer.fit(train, {.batch_size = 256, .precision = bfloat16});
/// @endcode
/// It is fast on processors with AMX (Intel from Sapphire Rapids on) and, to a lesser degree, with AVX512_BF16 (AMD from Zen 4 on). Others
/// compute the same products of the same rounded numbers in float, which takes a little longer than without rounding, and is there to see
/// what the rounding does.
///
/// A product of two bfloat16 numbers is exact in float unless it is subnormal, so results differ between processors only by the rounding of
/// sums of n terms: by at most (n + 2) 2^-23 sum |term| in each number, plus n 2^-125 because some instructions take subnormal products and
/// sums as 0. On one processor they have the same bits for any number of threads, and for fixed and run-time extents. The rounding itself
/// changes each factor by up to 2^-9 of it (0.2 %).
///
/// Layers of fewer than 8 inputs or outputs, or fewer than 512 weights, and FakeQuantizedDense are computed in float. So are derivatives of
/// second order, jvp, and gradients of single samples; input_gradient is computed in bfloat16 as backward is. For batches of fewer than
/// some 32 samples float is faster, because all of W is rounded for each pass.
struct Bfloat16 {
  /// The argument of make_workspace and the value of FitOptions::precision. (A template, so that only programs that use it compile it.)
  template <std::same_as<ProductPrecision> Precision>
  constexpr operator Precision() const {
    return {
        "bfloat16", [](std::span<const TensorShape> parameters, Index max_batch) {
          return std::unique_ptr<DenseProducts<float>>(new detail::Bf16Products<float>(parameters, max_batch, kernels::best_bf16_unit()));
        }};
  }
};
/// See Bfloat16.
inline constexpr Bfloat16 bfloat16{};

}  // namespace chainrule
