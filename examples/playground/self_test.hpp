#pragma once
// A training of 100 steps, whose result is stored as a hash of all bits of theta. The page repeats it in the browser, and the library's
// tests repeat it on the processor: both must find the stored hash.

#include <chainrule/core/random.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <cstring>

#include "net.hpp"

namespace playground {

/// The hash that every processor with fused multiply-adds must find, and the page in the browser too.
inline constexpr std::uint64_t stored_hash = 0xa7d7'8508'718d'47f5;

/// FNV-1a hash of the bits of theta.
template <class Net>
std::uint64_t hash_of_parameters(const Net& net) {
  std::uint64_t hash = 14695981039346656037u;
  for (const float number : net.parameters()) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    for (int byte = 0; byte < 4; ++byte) hash = (hash ^ ((bits >> (8 * byte)) & 0xff)) * 1099511628211u;
  }
  return hash;
}

/// Trains the net 2-8-8-1 with Adam for 100 steps of 10 points each, whose class is 1 where x1 and x2 have the same sign, and returns the
/// hash of theta. The points are exact in every arithmetic, so no bit depends on the functions of the system's library.
inline std::uint64_t hash_of_training() {
  auto net = make_net<float>({.inputs = 2, .hidden = {8, 8}, .activation = Function::tanh, .loss = Loss::cross_entropy, .seed = 7});
  auto work = net.make_workspace(10);
  auto dJ = net.make_gradients();
  const cr::Adam adam{.learning_rate = 0.02};
  auto state = adam.make_state(net);
  cr::Random random{cr::Seed{7}};
  cr::Matrix<float> x(2, 10), y(1, 10);
  for (int step = 0; step < 100; ++step) {
    for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(2 * random.uniform() - 1);
    for (Index j = 0; j < 10; ++j) y(0, j) = (x(0, j) < 0) == (x(1, j) < 0) ? 1.0f : 0.0f;
    net.forward(x, work);
    net.backward(x, y, work, dJ);
    adam.step(net.parameters(), dJ, state);
  }
  return hash_of_parameters(net);
}

}  // namespace playground
