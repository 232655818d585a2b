#pragma once

#include <chainrule/initializers/xavier.hpp>
#include <chainrule/kernels/derivatives.hpp>
#include <string_view>

namespace chainrule {

/// a = z. What a last layer has when the loss works on raw outputs.
struct Identity {
  static constexpr std::string_view name = "Identity";
  static constexpr kernels::Known<Identity> known{kernels::Function::identity};

  XavierUniform default_initializer() const { return {}; }

  ///     f(z) = z
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return z;
  }

  ///     f'(z) = 1
  template <class Chunk>
  Chunk derivative_from_output(const Chunk&) const {
    return Chunk::Ones();
  }
};

}  // namespace chainrule
