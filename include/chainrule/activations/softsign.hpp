#pragma once

#include <chainrule/initializers/xavier.hpp>
#include <limits>
#include <string_view>

namespace chainrule {

/// z/(1 + |z|), between -1 and 1 as tanh, but slower to saturate (Turian, Bergstra and Bengio 2009).
struct Softsign {
  static constexpr std::string_view name = "Softsign";

  XavierUniform default_initializer() const { return {}; }

  ///     Softsign(z) = z/(1 + |z|); +-1 where 1 + |z| is all but infinite
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    constexpr auto large = std::numeric_limits<typename Chunk::Scalar>::max() / 2;
    return (z.abs() > large).select(z.sign(), z / (1 + z.abs()));
  }

  ///     Softsign'(z) = 1/(1 + |z|)^2 = (1 - |a|)^2
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    return (1 - a.abs()).square();
  }
};

}  // namespace chainrule
