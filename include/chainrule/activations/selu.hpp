#pragma once

#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/initializers/lecun.hpp>
#include <string_view>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

/// The scaled ELU of self-normalizing networks: with weights from LecunNormal, activations of mean 0 and variance 1 keep this mean and
/// variance from layer to layer (Klambauer, Unterthiner, Mayr and Hochreiter 2017).
struct SELU final : ElementwiseActivation<SELU> {
  static constexpr std::string_view name = "SELU";  ///< the name in descriptions, files and messages

  /// One of the two constants that solve equations 4 and 5 of the paper for the fixed point of mean 0 and variance 1.
  static constexpr long double alpha = 1.673263242354377284817042991671652038L;
  /// One of the two constants that solve equations 4 and 5 of the paper for the fixed point of mean 0 and variance 1.
  static constexpr long double lambda = 1.050700987355480493419334985294606352L;

  LecunNormal default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

  ///     SELU(z) = lambda z for z > 0 and lambda alpha (e^z - 1) for z <= 0, computed as a sum in which one term is 0
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    using Scalar = typename V::Scalar;
    return fma(static_cast<Scalar>(lambda * alpha), expm1_nonpositive(min(z, 0)), static_cast<Scalar>(lambda) * max(z, 0));
  }
  ///     SELU'(z) = lambda for z > 0 and lambda alpha e^z = a + lambda alpha for z <= 0, decided by a, which has the sign of z
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V a) const {
    using Scalar = typename V::Scalar;
    return select(a > 0, static_cast<Scalar>(lambda), a + static_cast<Scalar>(lambda * alpha));
  }
  ///     SELU''(z) = 0 for z >= 0 and lambda alpha e^z = a + lambda alpha for z < 0; 0 at 0, as in PyTorch; NaN stays NaN
  template <class V>
  CHAINRULE_FORMULA V f_double_prime_from_output(V a) const {
    return select(a < 0, a + static_cast<typename V::Scalar>(lambda * alpha), min(a, 0));
  }
  ///     SELU'''(z) = SELU''(z)
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime_from_output(V a) const {
    return f_double_prime_from_output(a);
  }
};

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
