// chainrule with layers and loss known only at run time (AnyNetwork).

#include <chainrule/any/any_network.hpp>

#include "ours.hpp"

namespace bench {
namespace {

cr::AnyLayer<Scalar> layer(Activation activation, cr::Index inputs, cr::Index outputs) {
  const auto with = [&](auto f) { return cr::Dense<cr::Dynamic, cr::Dynamic, decltype(f)>{inputs, outputs, f}; };
  if (activation == Activation::relu) return with(cr::ReLU{});
  if (activation == Activation::tanh) return with(cr::Tanh{});
  return with(cr::Sigmoid{});
}

}  // namespace

std::unique_ptr<Learner> make_any(const Problem& problem) {
  const auto& widths = problem.row.widths;
  cr::AnyLayers<Scalar> layers;
  for (std::size_t i = 0; i + 2 < widths.size(); ++i) layers.add(layer(problem.row.activation, widths[i], widths[i + 1]));
  layers.add(cr::Dense<cr::Dynamic, cr::Dynamic>{widths[widths.size() - 2], widths.back()});
  const bool labels = problem.row.loss == Loss::softmax;
  const cr::AnyLoss<Scalar> loss = labels ? cr::AnyLoss<Scalar>(cr::SoftmaxCrossEntropy{}) : cr::AnyLoss<Scalar>(cr::SquaredError{});
  return std::make_unique<Ours<cr::AnyNetwork<Scalar>, cr::Dynamic, cr::Dynamic>>(cr::AnyNetwork<Scalar>{cr::Seed{1}, loss, layers},
                                                                                  problem, 1);
}

}  // namespace bench
