#pragma once

#include <chainrule/core/detail/views.hpp>
#include <chainrule/inspect/detail/z_and_delta.hpp>
#include <chainrule/network.hpp>
#include <string>
#include <vector>

namespace chainrule {

/// z, a and delta of one layer for a batch, each outputs x batch. Where a layer has no activation inside (BatchNorm, Dropout, Residual,
/// Dense with Identity), f is the identity: z = a, and delta = dJ/da.
template <class Scalar>
struct LayerValues {
  std::string name;        ///< the layer's name: Dense
  std::string activation;  ///< the name of the activation inside; empty if there is none
  Matrix<Scalar> z;        ///< z(l+1) = W(l) a(l) + b(l) for Dense; the layer's input for Activate and PReLU
  Matrix<Scalar> a;        ///< a(l+1) = f(z(l+1)), the layer's output
  Matrix<Scalar> delta;    ///< delta(l+1) = dJ/dz(l+1) of one sample, divided by the batch (or by the weights), because J is a mean
};

/// z(l), a(l) and delta(l) of each layer, from the first to the last, for the samples of the last `forward(x, work)`. x and y: as for
/// backward; the last forward pass must have been made on this x. Computes z where forward kept only a, and runs a backward pass in memory
/// of its own, so it allocates and takes longer than a training step; it changes neither the network nor the workspace. StateError without
/// a forward pass of this network in the workspace; else the errors of backward; ValueError for a layer of your own that has an activation,
/// but no z_and_delta.
///
///     delta(L+1) = dJ/dy_hat * f'(z(L+1)),  delta(l) = W(l)^T delta(l+1) * f'(z(l))
template <class Net, class X, class Y, class Scalar, int MaxBatch, class Sequence>
std::vector<LayerValues<Scalar>> layer_values(const Net& net, const Eigen::DenseBase<X>& x, const Y& y,
                                              const Workspace<Scalar, MaxBatch, Sequence>& work) {
  constexpr const char* who = "layer_values";
  const auto& sequence = detail::NetworkAccess::sequence(net);
  const auto& layers = sequence.layers();
  const Scalar* const theta = net.parameters().data();
  const auto target = detail::checked_target<Scalar>(who, sequence, detail::NetworkAccess::identity(net), net.loss_function(), y, work);
  const ConstMatrixView<Scalar> input = detail::checked_input<Scalar>(who, sequence, x);
  const Index samples = work.cached_samples();
  detail::check_samples(who, "x", input.cols(), samples, "the last forward(x, work)");
  static_cast<void>(work.team());  // throws where the team of the forward pass was destroyed
  const auto view = [](Matrix<Scalar>& m) { return detail::matrix_view(m.data(), m.rows(), m.cols()); };

  auto caches = work.caches();  // a copy, because a layer's backward pass may change its cache
  Vector<Scalar> gradient(net.parameters().size());
  Matrix<Scalar> dJ_da(net.outputs(), samples);
  detail::loss_gradient(net.loss_function(), ConstMatrixView<Scalar>(detail::last_of(work.caches()).output.first(samples)), target,
                        view(dJ_da));
  std::vector<LayerValues<Scalar>> all(detail::size_of(layers));
  detail::for_each_index_backwards(layers, [&](auto i) {
    const auto& layer = detail::element(layers, i);
    auto& cache = detail::element(caches, i);
    const Index offset = sequence.parameter_offset(i);
    const ConstMatrixView<Scalar> layer_input =
        i == 0 ? input : ConstMatrixView<Scalar>(detail::element(work.caches(), detail::before(i)).output.first(samples));
    LayerValues<Scalar>& values = all[i];
    values.name = layer.name;
    values.activation = layer.activation_name();
    values.a = cache.output.first(samples);
    values.z = values.a;
    values.delta = dJ_da;
    using detail::z_and_delta_of;  // found by its arguments where any/any_layer.hpp is included later
    z_and_delta_of(layer, theta + offset, layer_input, std::as_const(cache), view(values.z), view(values.delta));
    if (i == 0) return;
    Matrix<Scalar> dJ_da_before(layer.inputs(), samples);
    MatrixView<Scalar> before = view(dJ_da_before);
    layer.backward(theta + offset, layer_input, cache, view(dJ_da), gradient.data() + offset, &before);
    dJ_da.swap(dJ_da_before);
  });
  return all;
}

/// z(l), a(l) and delta(l) of each layer for x and y, after a forward pass in training mode in a workspace of its own: with Dropout's mask
/// of step 0 and Seed{0}, and BatchNorm's statistics of this batch. Throws what forward and backward throw.
template <class Net, class X, class Y>
std::vector<LayerValues<typename Net::ScalarType>> layer_values(const Net& net, const Eigen::DenseBase<X>& x, const Y& y) {
  detail::check_batch("layer_values", x.cols());
  auto work = net.make_workspace(x.cols());
  net.forward(x, work);
  return layer_values(net, x, y, work);
}

}  // namespace chainrule
