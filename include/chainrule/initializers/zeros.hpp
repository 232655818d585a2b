#pragma once

#include <algorithm>
#include <chainrule/core/random.hpp>
#include <chainrule/core/types.hpp>
#include <span>
#include <string_view>

namespace chainrule {

/// All weights 0. For a last layer that shall start without an opinion; a hidden layer of zeros never learns.
struct Zeros {
  static constexpr std::string_view name = "Zeros";

  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index, Index, Random&) const {
    std::fill(weights.begin(), weights.end(), Scalar{0});
  }
};

}  // namespace chainrule
