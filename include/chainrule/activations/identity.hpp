#pragma once

#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <string_view>

namespace chainrule {

/// No activation, a = z. The last layer uses it if the loss works on raw outputs.
struct Identity final : ElementwiseActivation<Identity> {
  static constexpr std::string_view name = "Identity";  ///< the name in descriptions, files and messages
  static constexpr bool is_identity = true;             ///< a = z, so outputs of a layer with it are raw

  XavierUniform default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

  ///     f(z) = z
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return z;
  }
  ///     f'(z) = 1
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V) const {
    return 1;
  }
  ///     f''(z) = 0
  template <class V>
  CHAINRULE_FORMULA V f_double_prime_from_output(V) const {
    return 0;
  }
  ///     f'''(z) = 0
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime_from_output(V) const {
    return 0;
  }
};

}  // namespace chainrule
