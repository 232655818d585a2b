#pragma once
// The nets of the playground: fully connected, with the layers, the activation and the loss that are chosen in the page.

#include <chainrule/activations/identity.hpp>
#include <chainrule/activations/leaky_relu.hpp>
#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_activation.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <cstdint>
#include <vector>

namespace playground {

namespace cr = chainrule;
using cr::Index;

// The numbers of these are those of the page's lists (settings.js).
enum class Function { sigmoid, tanh, relu, leaky_relu, identity };
enum class Loss { cross_entropy, squared_error, huber };

/// The choices that make a net: its shape, its functions and the seed of its first weights. It has one output.
struct NetChoice {
  Index inputs = 2;
  std::vector<Index> hidden{8, 8};
  Function activation = Function::tanh;
  Loss loss = Loss::cross_entropy;
  std::uint64_t seed = 1;
};

/// An activation f whose f'(z) is written with a = f(z), as it is for all those of the playground.
template <class Scalar>
using Activation = cr::AnyActivation<Scalar, true>;

template <class Scalar>
Activation<Scalar> make_activation(Function function) {
  switch (function) {
    case Function::sigmoid:
      return Activation<Scalar>{cr::Sigmoid{}};
    case Function::tanh:
      return Activation<Scalar>{cr::Tanh{}};
    case Function::relu:
      return Activation<Scalar>{cr::ReLU{}};
    case Function::leaky_relu:
      return Activation<Scalar>{cr::LeakyReLU{0.1}};
    case Function::identity:
      break;
  }
  return Activation<Scalar>{cr::Identity{}};
}

/// The losses take targets in [0, 1]: classes 0 and 1, or the height of a surface.
template <class Scalar>
cr::AnyLoss<Scalar> make_loss(Loss loss) {
  switch (loss) {
    case Loss::cross_entropy:
      break;
    case Loss::squared_error:
      return cr::SquaredError{};
    case Loss::huber:
      return cr::Huber{.delta = 0.2};
  }
  return cr::BinaryCrossEntropy{};
}

/// Makes the net with weights drawn from its seed. The last layer has no activation, because cross-entropy brings its own sigmoid.
template <class Scalar>
cr::AnyNetwork<Scalar> make_net(const NetChoice& choice) {
  using F = Activation<Scalar>;
  cr::AnyLayers<Scalar> layers;
  Index width = choice.inputs;
  for (const Index units : choice.hidden) {
    layers.add(cr::Dense<cr::Dynamic, cr::Dynamic, F>{width, units, make_activation<Scalar>(choice.activation)});
    width = units;
  }
  layers.add(cr::Dense<cr::Dynamic, cr::Dynamic>{width, 1});
  return {cr::Seed{choice.seed}, make_loss<Scalar>(choice.loss), layers};
}

}  // namespace playground
