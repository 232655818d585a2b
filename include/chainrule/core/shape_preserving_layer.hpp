#pragma once
// Base classes of layers that have as many outputs as inputs, and of layers without parameters.

#include <array>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/hyperparameter.hpp>

namespace chainrule {

/// Base class of layers with as many outputs as inputs: N, or the number of outputs of the layer before if N is Inferred.
template <int N>
class SameShape {
  static_assert(N >= 1 || N == Dynamic || N == Inferred,
                "chainrule: the number of units of a layer is at least 1; or Dynamic, or left out where a layer is before it");

 public:
  static constexpr int inputs_at_compile_time = N;   ///< the number of inputs, or Dynamic, or Inferred
  static constexpr int outputs_at_compile_time = N;  ///< the number of outputs, or Dynamic, or Inferred

  Index inputs() const { return units_.value(); }          ///< the number of inputs, which is the number of rows of x
  Index outputs() const { return units_.value(); }         ///< the number of outputs, which is the number of rows of the output
  std::string_view activation_name() const { return ""; }  ///< empty, because there is no activation inside

 protected:
  /// For a number of units given by N or inferred from the layer before.
  SameShape() requires(N != Dynamic) = default;
  /// For a number of units known at run time. Throws ShapeError, with the name `who`, if it is below 1 or contradicts N.
  SameShape(const char* who, Index units) : units_{units} {
    if (units < 1) detail::raise<ShapeError>(who, ": the number of units must be at least 1, got ", units);
    if (units != units_.value()) detail::raise<ShapeError>(who, ": its type says ", units_.value(), " units, but it got ", units);
  }

 private:
  [[no_unique_address]] detail::Extent<N> units_;
};

/// Base class of layers without parameters.
struct WithoutParameters {
  static constexpr Index parameters_at_compile_time = 0;     ///< the number of parameters
  std::array<TensorShape, 0> tensors() const { return {}; }  ///< names and shapes of the parameters: none

  /// Takes the place of a struct with weight and bias.
  struct NoParameters {
    /// Prints nothing.
    template <class Stream>
    friend Stream& operator<<(Stream& out, const NoParameters&) {
      return out;
    }
  };
  /// Returns an empty struct, because there are no parameters.
  template <class Scalar>
  NoParameters parameters(Scalar*) const {
    return {};
  }
  /// Does nothing, because there are no parameters.
  template <class Scalar>
  void initialize(Scalar*, Random&) const {}
};

}  // namespace chainrule
