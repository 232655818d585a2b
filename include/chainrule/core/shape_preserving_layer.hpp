#pragma once
// What layers have in common whose outputs are as many as their inputs, and those that have nothing to learn.

#include <array>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/hyperparameter.hpp>

namespace chainrule::detail {

/// N units in, N units out. `Inferred`: as many as the layer before has.
template <int N>
class SameShape {
  static_assert(N >= 1 || N == Dynamic || N == Inferred,
                "chainrule: the number of units of a layer is at least 1; or Dynamic, or left out where a layer is before it");

 public:
  static constexpr int inputs_at_compile_time = N;
  static constexpr int outputs_at_compile_time = N;

  Index inputs() const { return units_.value(); }
  Index outputs() const { return units_.value(); }
  std::string_view activation_name() const { return ""; }

 protected:
  SameShape() requires(N != Dynamic) = default;
  SameShape(const char* who, Index units) : units_{units} {
    if (units < 1) raise<ShapeError>(who, ": the number of units must be at least 1, got ", units);
    if (units != units_.value()) raise<ShapeError>(who, ": its type says ", units_.value(), " units, but it got ", units);
  }

 private:
  [[no_unique_address]] Extent<N> units_;
};

/// Nothing to learn.
struct WithoutParameters {
  static constexpr Index parameters_at_compile_time = 0;
  std::array<TensorShape, 0> tensors() const { return {}; }

  struct NoParameters {};  ///< stands where others have weight and bias
  /// Nothing.
  template <class Scalar>
  NoParameters parameters(Scalar*) const {
    return {};
  }
  /// Nothing to draw.
  template <class Scalar>
  void initialize(Scalar*, Random&) const {}
};

}  // namespace chainrule::detail

namespace chainrule {
using detail::SameShape;  // for layers of your own
using detail::WithoutParameters;
}  // namespace chainrule
