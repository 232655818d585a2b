#pragma once
// Initialization of networks with sines (SIREN): Sitzmann, Martel, Bergman, Lindell and Wetzstein 2020, "Implicit neural representations
// with periodic activation functions", section 3.2. For a = sin(omega z) the weights
//     first layer      W ~ U(-1/fan_in, 1/fan_in)
//     other layers     W ~ U(-r, r)  with  r = sqrt(6/fan_in)/omega
// let the sines of the first layer turn several times over inputs between -1 and 1, and give omega z a variance of about 1 in each layer
// behind it, whatever the depth.

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/types.hpp>
#include <chainrule/initializers/detail/fill_random.hpp>
#include <cmath>
#include <string_view>

namespace chainrule {

/// The initialization of a layer with Sine{omega} behind another such layer: W ~ U(-r, r) with r = sqrt(6/fan_in)/omega (Sitzmann et al.
/// 2020). The paper draws the first layer's weights, whose inputs are coordinates between -1 and 1, from U(-1/fan_in, 1/fan_in):
/// @code{.cpp}
/// auto net = make_network<float, MeanSquaredError>(Seed{1}, Dense<2, 64, Sine>{2, 64, Sine{}, SirenUniform{.is_first = true}},
///                                                  Dense<64, 64, Sine>{}, Dense<64, 1>{});
/// @endcode
struct SirenUniform {
  static constexpr std::string_view name = "SirenUniform";  ///< the name in descriptions, files and messages

  double omega = 30;      ///< the omega of the layer's Sine
  bool is_first = false;  ///< whether the layer is the first of the network

  /// Fills `weights`, fan_out x fan_in numbers. Throws ValueError unless omega is above 0 and finite.
  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index fan_in, Index, Random& random) const {
    detail::check_positive(name, "omega", omega);
    const auto n = static_cast<double>(fan_in);
    detail::fill_uniform(weights, is_first ? 1 / n : std::sqrt(6 / n) / omega, random);
  }
};

}  // namespace chainrule
