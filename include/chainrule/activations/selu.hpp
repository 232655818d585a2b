#pragma once

#include <chainrule/activations/by_formula.hpp>
#include <chainrule/initializers/lecun.hpp>
#include <string_view>

namespace chainrule {

/// The scaled ELU of self-normalizing networks: with weights from LecunNormal, activations of mean 0 and variance 1 keep both
/// from layer to layer (Klambauer, Unterthiner, Mayr and Hochreiter 2017).
///     SELU(z) = lambda z for z > 0 and lambda alpha (e^z - 1) for z <= 0: the sum of both, of which one is 0
///     SELU'(z) = lambda for z > 0 and lambda alpha e^z = a + lambda alpha for z <= 0, where a has the sign of z
struct SELU : detail::FromOutput<SELU, kernels::Formula::elu> {
  static constexpr std::string_view name = "SELU";

  /// The solution of equations 4 and 5 of the paper for the fixed point (0, 1).
  static constexpr long double alpha = 1.673263242354377284817042991671652038L;
  static constexpr long double lambda = 1.050700987355480493419334985294606352L;  ///< the other of the two

  LecunNormal default_initializer() const { return {}; }

  /// p and q of the formula.
  template <class Scalar>
  std::array<Scalar, 2> constants() const {
    return {static_cast<Scalar>(lambda), static_cast<Scalar>(lambda * alpha)};
  }
};

}  // namespace chainrule
