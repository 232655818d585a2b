#pragma once
// Measures how the gradient flows back through a network. The chain rule multiplies it by two factors in each layer,
//     delta(l) = W(l)^T delta(l+1) * f'(z(l))
// If these factors are mostly below 1, the gradient vanishes; if they are mostly above 1, it explodes (Hochreiter 1991; Bengio, Simard and
// Frasconi 1994). Norms per layer and the fraction of saturated units are the diagnostics of Glorot and Bengio (2010).

#include <algorithm>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/inspect/detail/unit_statistics.hpp>
#include <chainrule/inspect/flow_report.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/clip.hpp>
#include <cmath>
#include <limits>

namespace chainrule {

namespace detail {

struct WeightNorm {
  Index count = 0;  ///< number of weights
  double norm = 0;  ///< Euclidean norm; infinite if a number of the layer is not finite
};

/// Whether the norms of a layer cover this tensor: they cover its weights, or all its parameters if it has no weights.
template <class Tensors>
bool in_norms(const Tensors& tensors, const TensorShape& tensor) {
  return tensor.decays || std::none_of(tensors.begin(), tensors.end(), [](const TensorShape& one) { return one.decays; });
}

/// Norm of a layer's weights, or of all its parameters if it has no weights. `numbers` is the layer's slice of theta, or of another vector
/// with the layout of theta, such as dJ/dtheta.
template <class L, class Scalar>
WeightNorm norm_of_weights(const L& layer, const Scalar* numbers) {
  const auto tensors = layer.tensors();
  WeightNorm result;
  if (!kernels::all_finite(size_of_tensors(tensors), numbers)) result.norm = std::numeric_limits<double>::infinity();
  for (const TensorShape& tensor : tensors) {
    if (in_norms(tensors, tensor)) {
      result.count += tensor.size();
      if (is_finite(result.norm)) result.norm = std::hypot(result.norm, static_cast<double>(norm(tensor.size(), numbers)));
    }
    numbers += tensor.size();
  }
  return result;
}

/// Measures the flow after a forward and a backward pass. x is the input of the passes; its data may be nullptr if x is not at hand.
template <class Net, class Work, class Gradients, class Scalar>
GradientFlow gradient_flow_of(const Net& net, ConstMatrixView<Scalar> x, const Work& work, const Gradients& gradients) {
  GradientFlow flow;
  flow.samples = x.cols();
  const Scalar* theta = net.parameters().data();
  const Scalar* gradient = gradients.flat().data();
  Index begin = 0;
  for_each_layer(net.layers(), [&](const auto& layer) {
    LayerFlow one;
    one.name = layer.name;
    one.activation = layer.activation_name();
    const WeightNorm weights = norm_of_weights(layer, theta);
    one.weights = weights.count;
    one.weight_norm = weights.norm;
    one.gradient_norm = norm_of_weights(layer, gradient).norm;
    flow.layers.push_back(one);
    const Index size = size_of_tensors(layer.tensors());
    bool learns = false;
    for (const auto tensors = layer.tensors(); const TensorShape& tensor : tensors) {
      const bool is_frozen = net.frozen() != nullptr && net.frozen()->contains(begin, begin + tensor.size());
      learns = learns || (in_norms(tensors, tensor) && !is_frozen);
      begin += tensor.size();
    }
    flow.layers.back().frozen = size > 0 && !learns;
    theta += size;
    gradient += size;
  });
  auto next = flow.layers.begin();
  for_each_unit_statistics(net.layers(), x, work.caches(), [&](const UnitStatistics& units) {
    const auto fraction = [](Index count, Index total) { return static_cast<double>(count) / static_cast<double>(total); };
    if (units.can_saturate > 0) next->saturated = fraction(units.saturated, units.can_saturate);
    if (units.can_die > 0) next->dead = fraction(units.dead, units.can_die);
    ++next;
  });
  flow.update_warnings();
  return flow;
}

/// Runs a forward and a backward pass and measures the flow.
template <class Net, class Scalar, class Y>
[[gnu::noinline]] GradientFlow gradient_flow_of(const Net& net, ConstMatrixView<Scalar> x, const Y& y) {
  auto work = net.make_workspace(x.cols());
  auto gradients = net.make_gradients();
  net.forward(x, work);
  net.backward(x, y, work, gradients);
  return gradient_flow_of(net, x, work, gradients);
}

}  // namespace detail

/// Measures how the gradient flows back through the network for these samples: norms of weights and gradients per layer, and the fractions
/// of saturated and dead units. Runs one forward pass in training mode and one backward pass; does not change the network. Use about 100
/// samples or more, because the unit statistics are taken over these samples. Throws what forward and backward throw.
template <class Net, class X, class Y>
GradientFlow gradient_flow(const Net& net, const Eigen::DenseBase<X>& x, const Y& y) {
  const auto input = detail::const_view<typename Net::ScalarType>(x);
  detail::check_batch("gradient_flow", input.cols());
  return detail::gradient_flow_of(net, input, y);
}

/// Measures how the gradient flows from passes already made: call it after net.forward(x, work) and net.backward(x, y, work, dJ), before
/// the step. If the first layer is an Activate whose f' needs z, such as Activate<GELU>, its unit statistics are unknown (NaN), because the
/// workspace does not hold x. Throws StateError before the first forward pass and after one of another network, ShapeError for a workspace
/// or gradients of another network.
template <class Net, class Scalar, int MaxBatch, class Sequence>
GradientFlow gradient_flow(const Net& net, const Workspace<Scalar, MaxBatch, Sequence>& work, const Gradients<Scalar, Sequence>& dJ) {
  detail::check_forward_pass("gradient_flow", net.layers(), detail::NetworkAccess::identity(net), work);
  detail::check_gradients(detail::NetworkAccess::sequence(net), dJ.sequence());
  const ConstMatrixView<Scalar> x{nullptr, net.inputs(), work.cached_samples(), Eigen::OuterStride<>(net.inputs())};
  return detail::gradient_flow_of(net, x, work, dJ);
}

template <class Net, class V>
void GradientFlow::measure_update(const Net& net, const Eigen::MatrixBase<V>& before) {
  if (before.size() != net.parameters().size())
    detail::raise<ShapeError>("measure_update: the network has ", net.parameters().size(), " parameters, but `before` has ", before.size());
  const Vector<typename Net::ScalarType> update = net.parameters() - before;
  const auto* numbers = update.data();
  auto next = layers.begin();
  detail::for_each_layer(net.layers(), [&](const auto& layer) {
    (next++)->update_norm = detail::norm_of_weights(layer, numbers).norm;
    numbers += detail::size_of_tensors(layer.tensors());
  });
  update_warnings();
}

}  // namespace chainrule
