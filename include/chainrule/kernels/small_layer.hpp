#pragma once
// The passes of a dense layer of at most 16 inputs and outputs, one kernel per pass: such a pass takes tens of nanoseconds, less than
// calling and dispatching a kernel for each product. One template serves compile-time and run-time extents. Sums are added in the order of
// LayerProducts (layer_products.hpp), so the bits are the same. Below it: vectors.hpp. Above it: layers/dense.hpp.
//
//     forward    z = W x + b,  a = f(z)
//     backward   delta = dJ/da * f'(z),  dJ/dx = W^T delta,  dJ/dW = delta x^T,  dJ/db = row sums of delta

#include <algorithm>
#include <chainrule/kernels/sum_order.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <utility>

namespace chainrule::kernels {

/// The largest number of inputs or outputs of a small layer with compile-time extents.
inline constexpr Index max_small_extent = 16;
/// Whether a layer with compile-time extents is small; false if one of them is Dynamic.
constexpr bool is_small_layer(int outputs, int inputs) {
  return outputs != Dynamic && inputs != Dynamic && outputs <= max_small_extent && inputs <= max_small_extent;
}
/// Whether a layer can turn out to be small at run time, given that Dynamic extents can have any value.
constexpr bool may_be_small(int outputs, int inputs) {
  return (outputs == Dynamic || outputs <= max_small_extent) && (inputs == Dynamic || inputs <= max_small_extent);
}

/// The arguments of a small layer's forward pass. Columns of x are x_step apart, those of a follow one another. (`samples` stands between w
/// and x for speed: if two members were neighbours in the caller's view too, g++ would copy both with one 16-byte load, which cannot be
/// forwarded from the two stores that wrote them and waits for both.)
template <class Scalar>
struct SmallForward {
  Index outputs;
  const Scalar* w;
  Index inputs;
  Index samples;
  const Scalar* x;
  Index x_step;
  const Scalar* bias;
  Scalar* a;
};

/// The arguments of a small layer's backward pass. delta holds dJ/da and may be overwritten. dX is nullptr if dJ/dx is not wanted. With a
/// factor, dW and db point to W and b themselves, which become W + factor dJ/dW and b + factor dJ/db after dX has been computed.
template <class Scalar>
struct SmallBackward {
  Index outputs;
  const Scalar* w;
  Index inputs;
  Index samples;
  const Scalar* x;
  Index x_step;
  const Scalar* a;
  Scalar* delta;
  Scalar* dW;
  Scalar* db;
  Scalar* dX;
  Index dX_step;
  const Scalar* factor = nullptr;
};

/// The activation of a small layer and its extents, each a compile-time number or Dynamic.
template <int Out, int In, class F>
struct SmallLayerOf {
  [[no_unique_address]] F f;
};

/// The identity, for layers whose activation is not fused but applied outside of the kernel.
struct NoActivation {
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return z;
  }
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V) const {
    return 1;
  }
};

/// An activation that a kernel can apply while z is still in a register: it has f(z) and f'(z) as formulas, the latter written with a =
/// f(z).
template <class F, class Scalar>
concept CanBeFused = requires(const F& f, const baseline::Simd<Scalar>& z) {
  f.f(z);
  f.f_prime_from_output(z);
};

}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/small_layer.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

/// The passes of a layer with Out outputs and In inputs, each a compile-time number or Dynamic, on the best instruction set.
template <class Scalar, int Out, int In>
struct SmallLayer {
  /// Whether these passes can be used for these extents on this machine. Run-time extents need masked loads and stores (AVX2 or AVX-512)
  /// and may be at most 16 floats or 8 doubles: one register of AVX-512 or two of AVX2.
  static bool is_small([[maybe_unused]] Index outputs, [[maybe_unused]] Index inputs) {
    if constexpr (is_small_layer(Out, In))
      return true;
    else
      return (std::max)(outputs, inputs) <= dispatch<Scalar>([](auto set) { return max_units<Scalar>(set); });
  }

  /// a = f(W x + b)        (outputs x samples)
  template <class F>
  static void forward(const F& f, const SmallForward<Scalar>& pass) {
    dispatch_small([&](auto set) { small_forward(set, SmallLayerOf<Out, In, F>{f}, pass); });
  }

  /// dJ/dW, dJ/db and, if wanted, dJ/dx from a = f(z) and delta = dJ/da; or the updated W and b, if pass.factor is set.
  template <class F>
  static void backward(const F& f, const SmallBackward<Scalar>& pass) {
    dispatch_small([&](auto set) { small_backward(set, SmallLayerOf<Out, In, F>{f}, pass); });
  }

 private:
  // Extents that are types need no masked stores, so AVX2 serves on machines with AVX-512 too: a third less to compile.
  template <class Call>
  static void dispatch_small(const Call& call) {
#if CHAINRULE_DISPATCH >= 2
    if constexpr (is_small_layer(Out, In) && HasWiderLanes<Scalar>)
      return best_instruction_set() == InstructionSet::baseline ? call(baseline::Tag{}) : call(avx2::Tag{});
    else
#endif
      return dispatch<Scalar>(call);
  }
};

}  // namespace chainrule::kernels
