#pragma once
// A dense layer of few inputs and outputs, whose passes are over sooner than the calls of a kernel for each of its products would be. One
// template for extents that are types and extents that are values. Its sums are added in the order of LayerProducts, so it gives the same
// bits.
//
//     forward    z = W x + b,  a = f(z)
//     backward   delta = dJ/da * f'(z),  dJ/dx = W^T delta,  dJ/dW = delta x^T,  dJ/db = row sums of delta

#include <algorithm>
#include <chainrule/kernels/map.hpp>
#include <utility>

namespace chainrule::kernels {

/// The most inputs and outputs that a layer with fixed extents has for this kernel.
inline constexpr Index small_layer = 16;
constexpr bool is_small_layer(int outputs, int inputs) {
  return outputs != Dynamic && inputs != Dynamic && outputs <= small_layer && inputs <= small_layer;
}
/// Whether a layer with an extent that is a value can turn out to be small.
constexpr bool may_be_small(int outputs, int inputs) {
  return (outputs == Dynamic || outputs <= small_layer) && (inputs == Dynamic || inputs <= small_layer);
}

/// What the forward pass of a small layer reads and writes. Columns of x are x_step apart, those of a follow one another. (g++ copies
/// numbers that are neighbours both here and in a view with one load, which would wait for two stores; so samples stands between w and x.)
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

/// What the backward pass of a small layer reads and writes. delta holds dJ/da and is free to be overwritten; dX may be nullptr. With a
/// factor, dW and db are W and b themselves, and become W + factor dJ/dW and b + factor dJ/db after everything else has been read.
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

/// The extents of a small layer that are types, and its activation.
template <int Out, int In, class F>
struct SmallLayerOf {
  [[no_unique_address]] F f;
};

/// Stands for the activation where it is applied apart from the layer's products.
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

/// Whether a kernel can apply F while a sum is still in a register: F says f(z) and f'(z) as formulas, the latter with a = f(z).
template <class F, class Scalar>
concept CanBeFused = requires(const F& f, const baseline::Simd<Scalar>& z) {
  f.f(z);
  f.f_prime_from_output(z);
};

}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/small_layer.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

/// A layer of In inputs and Out outputs, each a type or Dynamic.
template <class Scalar, int Out, int In>
struct SmallLayer {
  /// Whether this kernel serves for these extents on this machine. Layers whose extents are values need masked loads and stores (AVX2 or
  /// AVX-512) and have at most as many units as a register of AVX-512 or two of AVX2 hold: 16 floats or 8 doubles.
  static bool is_small([[maybe_unused]] Index outputs, [[maybe_unused]] Index inputs) {
    if constexpr (is_small_layer(Out, In))
      return true;
    else
      return std::max(outputs, inputs) <= dispatch<Scalar>([](auto set) { return most_units<Scalar>(set); });
  }

  /// a = f(W x + b)        (outputs x samples)
  template <class F>
  static void forward(const F& f, const SmallForward<Scalar>& pass) {
    dispatch_small([&](auto set) { small_forward(set, SmallLayerOf<Out, In, F>{f}, pass); });
  }

  /// The gradients from a = f(z) and delta = dJ/da.
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
