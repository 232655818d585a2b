#pragma once

#include <algorithm>
#include <chainrule/core/random.hpp>
#include <chainrule/core/types.hpp>
#include <span>
#include <string_view>

namespace chainrule {

/// Sets all weights to 0. Suits a last layer whose first predictions should not depend on the input. Not for hidden layers: with ReLU,
/// whose derivative at 0 is 0, they never learn.
struct Zeros {
  static constexpr std::string_view name = "Zeros";  ///< the name in descriptions, files and messages

  /// Fills `weights`, fan_out x fan_in numbers.
  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index, Index, Random&) const {
    std::fill(weights.begin(), weights.end(), Scalar{0});
  }
};

}  // namespace chainrule
