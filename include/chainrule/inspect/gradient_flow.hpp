#pragma once
// How the gradient comes through a network, layer by layer. delta(l) = W(l)^T delta(l+1) * f'(z(l)) gains a factor on its way through each
// layer: where most are below 1 it vanishes, above 1 it explodes (Hochreiter 1991; Bengio, Simard and Frasconi 1994). The norms per layer
// and the share of saturated units are what Glorot and Bengio (2010) look at.

#include <algorithm>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/inspect/detail/unit_statistics.hpp>
#include <chainrule/inspect/flow_report.hpp>
#include <chainrule/network.hpp>
#include <cmath>
#include <limits>

namespace chainrule {

namespace detail {

struct NormOf {
  Index count = 0;  ///< of how many numbers
  double norm = 0;
};

/// Of a layer's weights, or of what stands in the place of weights in another vector of theta's shape.
template <class L, class Scalar>
NormOf norm_of_weights(const L& layer, const Scalar* numbers) {
  const auto tensors = layer.tensors();
  const bool has_weights = std::any_of(tensors.begin(), tensors.end(), [](const TensorShape& tensor) { return tensor.decays; });
  NormOf of;
  if (!all_finite(numbers, size_of_tensors(tensors))) of.norm = std::numeric_limits<double>::infinity();
  for (const TensorShape& tensor : tensors) {
    if (tensor.decays == has_weights) {
      of.count += tensor.size();
      if (of.norm < std::numeric_limits<double>::infinity())
        of.norm = std::hypot(of.norm, ConstVectorView<Scalar>(numbers, tensor.size()).template cast<double>().stableNorm());
    }
    numbers += tensor.size();
  }
  return of;
}

/// x: that of the last forward pass; its data may be nullptr.
template <class Net, class Work, class Gradients, class Scalar>
GradientFlow gradient_flow_of(const Net& net, ConstMatrixView<Scalar> x, const Work& work, const Gradients& gradients) {
  GradientFlow flow;
  flow.samples = x.cols();
  const Scalar* theta = net.parameters().data();
  const Scalar* gradient = gradients.flat().data();
  for_each_layer(net.layers(), [&](const auto& layer) {
    LayerFlow one;
    one.name = layer.name;
    one.activation = layer.activation_name();
    const NormOf weights = norm_of_weights(layer, theta);
    one.weights = weights.count;
    one.weight_norm = weights.norm;
    one.gradient_norm = norm_of_weights(layer, gradient).norm;
    flow.layers.push_back(one);
    const Index size = size_of_tensors(layer.tensors());
    theta += size;
    gradient += size;
  });
  auto next = flow.layers.begin();
  for_each_activity(
      net.layers(), x, [&](auto i) -> const auto& { return work.template cache<i>(); },
      [&](const Activity& units) {
        const auto share = [](Index count, Index of) { return static_cast<double>(count) / static_cast<double>(of); };
        if (units.can_saturate > 0) next->saturated = share(units.saturated, units.can_saturate);
        if (units.can_die > 0) next->dead = share(units.dead, units.can_die);
        ++next;
      });
  flow.judge();
  return flow;
}

/// With passes of its own.
template <class Net, class Scalar, class Y>
[[gnu::noinline]] GradientFlow gradient_flow_of(const Net& net, ConstMatrixView<Scalar> x, const Y& y) {
  auto work = net.make_workspace(x.cols());
  auto gradients = net.make_gradients();
  net.forward(x, work);
  net.backward(x, y, work, gradients);
  return gradient_flow_of(net, x, work, gradients);
}

}  // namespace detail

/// How the gradient flows through the network for these samples: one forward pass, as of a training step, and one backward pass; of the
/// network nothing changes. Take some 100 samples or more: what is said of units holds for these. Throws what the passes throw.
template <class Net, class X, class Y>
GradientFlow gradient_flow(const Net& net, const Eigen::DenseBase<X>& x, const Y& y) {
  const auto input = detail::const_view<typename Net::ScalarType>(x);
  detail::check_batch("gradient_flow", input.cols());
  return detail::gradient_flow_of(net, input, y);
}

/// The same after passes of your own: net.forward(x, work), net.backward(x, y, work, dJ), and no step yet. (Only of a first layer that is
/// an Activate whose f' needs z, such as Activate<GELU>, it says nothing about units, because x is not there.) Throws StateError before
/// forward, ShapeError for a workspace or gradients of another network.
template <class Net, class Scalar, int MaxBatch, class Sequence>
GradientFlow gradient_flow(const Net& net, const Workspace<Scalar, MaxBatch, Sequence>& work, const Gradients<Scalar, Sequence>& dJ) {
  detail::check_workspace("gradient_flow", net.layers(), work);
  detail::check_forward_ran("gradient_flow", work.cached_samples());
  detail::check_gradients(net.layers(), dJ.layers());
  const ConstMatrixView<Scalar> x{nullptr, net.inputs(), work.cached_samples(), Eigen::OuterStride<>(net.inputs())};
  return detail::gradient_flow_of(net, x, work, dJ);
}

template <class Net, class V>
void GradientFlow::measure_update(const Net& net, const Eigen::MatrixBase<V>& before) {
  if (before.size() != net.parameters().size())
    detail::raise<ShapeError>("measure_update: the network has ", net.parameters().size(), " parameters, but before the step there were ",
                              before.size());
  const Vector<typename Net::ScalarType> update = net.parameters() - before;
  const auto* numbers = update.data();
  auto next = layers.begin();
  detail::for_each_layer(net.layers(), [&](const auto& layer) {
    (next++)->update_norm = detail::norm_of_weights(layer, numbers).norm;
    numbers += detail::size_of_tensors(layer.tensors());
  });
  judge();
}

}  // namespace chainrule
