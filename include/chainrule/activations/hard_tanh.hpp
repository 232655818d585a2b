#pragma once

#include <chainrule/core/error.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <limits>
#include <string_view>

namespace chainrule {

/// z, clipped to [low, high] (Collobert 2004); PyTorch's Hardtanh. HardTanh{0, 6} is ReLU6.
/// Throws ValueError unless low < high, both finite.
class HardTanh {
 public:
  static constexpr std::string_view name = "HardTanh";

  /// Throws ValueError unless low < high, both finite.
  constexpr explicit HardTanh(double low = -1, double high = 1) : low_{low}, high_{high} {
    constexpr double largest = std::numeric_limits<double>::max();
    if (!(low >= -largest && low < high && high <= largest))
      detail::raise<ValueError>("HardTanh: low must be below high and both finite, got ", low, " and ", high);
  }

  constexpr double low() const { return low_; }    ///< the smallest a
  constexpr double high() const { return high_; }  ///< the largest a
  auto hyperparameters() const { return std::tuple{Hyperparameter{"low", low_}, Hyperparameter{"high", high_}}; }

  XavierUniform default_initializer() const { return {}; }

  ///     HardTanh(z) = min(max(z, low), high); NaN stays NaN
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return (z < low<Chunk>()).select(low<Chunk>(), (z > high<Chunk>()).select(high<Chunk>(), z));
  }

  ///     HardTanh'(z) = 1 between low and high, which is where low < a < high; at the kinks it is taken as 0, as PyTorch does
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    return (a > low<Chunk>() && a < high<Chunk>()).select(Chunk::Ones(), Chunk::Zero());
  }

 private:
  template <class Chunk>
  Chunk low() const {
    return Chunk::Constant(static_cast<typename Chunk::Scalar>(low_));
  }
  template <class Chunk>
  Chunk high() const {
    return Chunk::Constant(static_cast<typename Chunk::Scalar>(high_));
  }

  double low_;
  double high_;
};

}  // namespace chainrule
