#pragma once

#include <chainrule/activations/by_formula.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <string_view>

namespace chainrule {

/// z/(1 + |z|), between -1 and 1 as tanh, but slower to saturate (Turian, Bergstra and Bengio 2009).
///     Softsign(z) = z/(1 + |z|); +-1 where 1 + |z| is all but infinite
///     Softsign'(z) = 1/(1 + |z|)^2 = (1 - |a|)^2
struct Softsign : detail::FromOutput<Softsign, kernels::Formula::softsign> {
  static constexpr std::string_view name = "Softsign";

  XavierUniform default_initializer() const { return {}; }
};

}  // namespace chainrule
