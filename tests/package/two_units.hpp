#pragma once
// A network that first_unit.cpp makes and second_unit.cpp trains.

#include <all_headers.hpp>
#include <array>

namespace two_units {

using Net = chainrule::Network<float, chainrule::SoftmaxCrossEntropy, chainrule::Dense<4, 8, chainrule::ReLU>, chainrule::Dense<8, 3>>;

/// Sizes and alignments of objects that hold numbers inside themselves, in this translation unit.
template <class... T>
constexpr std::array<std::size_t, 2 * sizeof...(T)> layouts() {
  return {sizeof(T)..., alignof(T)...};
}
constexpr auto layouts_here() {
  return layouts<Net, Net::Gradients, Net::Workspace<1>, Net::Workspace<8>, chainrule::OptimizerState<float>,
                 chainrule::BatchStorage<float, 8, 1>, chainrule::BatchStorage<double, 6, 1>, chainrule::Chunk<float>>();
}

/// One training step on a single sample of class 1.
inline void step_here(Net& net, Net::Workspace<1>& work, Net::Gradients& dJ, const Eigen::Vector4f& x) {
  const std::array<int, 1> y{1};
  net.forward(x, work);
  net.backward(x, y, work, dJ);
  chainrule::SGD{.learning_rate = 0.1}.step(net.parameters(), dJ);
}

decltype(layouts_here()) layouts_in_the_second_unit();
void step_in_the_second_unit(Net& net, Net::Workspace<1>& work, Net::Gradients& dJ, const Eigen::Vector4f& x);

}  // namespace two_units
