#pragma once

#include <chainrule/initializers/xavier.hpp>
#include <string_view>

namespace chainrule {

/// A sigmoid of three straight lines, for where an exponential is too dear: 0 below -3, 1 above 3. Slope 1/6 as in PyTorch and
/// Keras 3 (Courbariaux, Bengio and David 2015 had 1/2, Keras 2 had 1/5).
struct HardSigmoid {
  static constexpr std::string_view name = "HardSigmoid";

  XavierUniform default_initializer() const { return {}; }

  ///     HardSigmoid(z) = min(max(z/6 + 1/2, 0), 1), as (z + 3)/6 because that is exact near -3; NaN stays NaN
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return (z <= -3).select(Chunk::Zero(), (z >= 3).select(Chunk::Ones(), (z + 3) / 6));
  }

  ///     HardSigmoid'(z) = 1/6 for |z| < 3, which is where 0 < a < 1; at the kinks it is taken as 0, as PyTorch does
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    using Scalar = typename Chunk::Scalar;
    return (a > 0 && a < 1).select(Chunk::Constant(Scalar{1} / 6), Chunk::Zero());
  }
};

}  // namespace chainrule
