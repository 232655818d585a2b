#pragma once
// Sample weights for every loss, user-defined ones too. With one weight w_j >= 0 for each sample,
//     J = sum w_j J_j / sum w_j        where J_j is the loss of sample j alone
//     dJ/dy_hat(:, j) = w_j / sum w_j dJ_j/dy_hat(:, j)
// Weights of 1 give the same gradient, bit for bit, as no weights. Where all weights of a batch are 0, J and its gradient are 0.

#include <chainrule/core/detail/checks.hpp>
#include <chainrule/core/targets.hpp>

namespace chainrule {

/// A view on targets and on a weight for each sample. Without weights all samples count the same.
template <class Scalar, class View>
struct WeightedTargets {
  View targets;                                 ///< Labels, or outputs x samples numbers
  ConstVectorView<Scalar> weights{nullptr, 0};  ///< one for each sample, or none at all
};

/// Attaches sample weights to targets, for `net.loss(weighted(y, w), work)` and `net.backward(x, weighted(y, w), work, dJ)`. Both are
/// viewed, not copied.
/// w: a vector of the network's scalar type, one weight for each sample, each finite and at least 0. The call that uses it throws
/// ShapeError or ValueError otherwise. (scikit-learn's sample_weight; J is divided by sum w_j, as PyTorch divides by its class weights.)
template <class Y, class W>
auto weighted(const Y& y, const W& w) {
  using Scalar = std::remove_cvref_t<decltype(*w.data())>;
  if constexpr (detail::EigenDense<W>)
    static_assert(W::IsVectorAtCompileTime && W::InnerStrideAtCompileTime == 1, "chainrule: weights must be one contiguous vector");
  auto view = detail::target_view<Scalar>(y);
  return WeightedTargets<Scalar, decltype(view)>{view, {w.data(), static_cast<Index>(w.size())}};
}

namespace detail {

template <class Scalar, class View>
WeightedTargets<Scalar, View> target_view(const WeightedTargets<Scalar, View>& y) {
  return y;
}
template <class Scalar, class Other, class View>
requires(!std::is_same_v<Scalar, Other>) WeightedTargets<Scalar, View> target_view(const WeightedTargets<Other, View>& y) {
  static_assert(
      std::is_same_v<Scalar, Other>,
      "chainrule: the weights have another scalar type than the network; convert them once: Eigen::VectorXf v = w.cast<float>();");
  return {y.targets};
}
template <class Scalar, class View>
Index samples_of(const WeightedTargets<Scalar, View>& y) {
  return samples_of(y.targets);
}

/// The targets without their weights, if they have any.
template <class View>
const View& without_weights(const View& y) {
  return y;
}
template <class Scalar, class View>
const View& without_weights(const WeightedTargets<Scalar, View>& y) {
  return y.targets;
}

/// The targets, or predictions, of sample j alone.
template <class View>
View sample_of(const View& y, Index j) {
  return columns_of(y, j, 1);
}

/// Throws ShapeError or ValueError unless there are no weights, or one for each sample, each finite and at least 0.
template <class View>
void check_weights(const View&) {}
template <class Scalar, class View>
void check_weights(const WeightedTargets<Scalar, View>& y) {
  if (y.weights.size() == 0) return;
  if (y.weights.size() != samples_of(y.targets))
    raise<ShapeError>("target: there are ", y.weights.size(), " weights for ", samples_of(y.targets), " samples");
  for (Index j = 0; j < y.weights.size(); ++j)
    if (!(is_finite(y.weights[j]) && y.weights[j] >= 0))
      raise<ValueError>("target: the weight of sample ", j, " is ", y.weights[j], ", but weights are finite and at least 0");
}

/// The weight of a batch in a mean over several batches: the sum of its weights; without weights, its number of samples.
template <class Scalar, class View>
double total_weight(const WeightedTargets<Scalar, View>& y) {
  if (y.weights.size() == 0) return static_cast<double>(samples_of(y.targets));
  double total = 0;
  for (Index j = 0; j < y.weights.size(); ++j) total += static_cast<double>(y.weights[j]);
  return total;
}

/// The weighted loss from the loss of each sample alone, for weights w(j):
///     J = sum w_j J_j / sum w_j
template <class L, class Scalar, class View, class WeightOf>
Scalar weighted_value(const L& loss, ConstMatrixView<Scalar> y_hat, const View& y, const WeightOf& w) {
  Accumulator<Scalar> sum = 0;
  Accumulator<Scalar> total = 0;
  for (Index j = 0; j < y_hat.cols(); ++j) {
    const Accumulator<Scalar> weight = w(j);
    if (weight > 0) sum += weight * loss.value(sample_of(y_hat, j), sample_of(y, j));
    total += weight;
  }
  return static_cast<Scalar>(total > 0 ? sum / total : Accumulator<Scalar>{0});
}

/// The gradient of the weighted loss for weights w(j): the gradient of the plain mean, with column j times w_j batch / sum w.
template <class L, class Scalar, class View, class WeightOf>
void weighted_gradient(const L& loss, ConstMatrixView<Scalar> y_hat, const View& y, MatrixView<Scalar> dJ, const WeightOf& w) {
  loss.gradient(y_hat, y, dJ);
  Accumulator<Scalar> total = 0;
  for (Index j = 0; j < dJ.cols(); ++j) total += w(j);
  const Accumulator<Scalar> factor = total > 0 ? static_cast<Accumulator<Scalar>>(dJ.cols()) / total : Accumulator<Scalar>{0};
  for (Index j = 0; j < dJ.cols(); ++j) {
    if (w(j) > 0)
      dJ.col(j) *= static_cast<Scalar>(w(j) * factor);
    else
      dJ.col(j).setZero();
  }
}

/// J where sample j has the weight w(j). A loss that weighs samples itself (ClassWeighted) is given the weights.
template <class L, class Scalar, class View, class WeightOf>
Scalar loss_value(const L& loss, ConstMatrixView<Scalar> y_hat, const View& y, const WeightOf& w) {
  if constexpr (requires { loss.value(y_hat, y, w); })
    return loss.value(y_hat, y, w);
  else
    return weighted_value(loss, y_hat, y, w);
}
/// dJ <- dJ/dy_hat where sample j has the weight w(j). A loss that weighs samples itself (ClassWeighted) is given the weights.
template <class L, class Scalar, class View, class WeightOf>
void loss_gradient(const L& loss, ConstMatrixView<Scalar> y_hat, const View& y, MatrixView<Scalar> dJ, const WeightOf& w) {
  if constexpr (requires { loss.gradient(y_hat, y, dJ, w); })
    loss.gradient(y_hat, y, dJ, w);
  else
    weighted_gradient(loss, y_hat, y, dJ, w);
}

/// J for targets with or without weights.
template <class L, class Scalar, class View>
Scalar loss_value(const L& loss, const ConstMatrixView<Scalar>& y_hat, const View& y) {
  return loss.value(y_hat, y);
}
template <class L, class Scalar, class View>
Scalar loss_value(const L& loss, const ConstMatrixView<Scalar>& y_hat, const WeightedTargets<Scalar, View>& y) {
  if (y.weights.size() == 0) return loss.value(y_hat, y.targets);
  return loss_value(loss, y_hat, y.targets, [&](Index j) { return static_cast<Accumulator<Scalar>>(y.weights[j]); });
}

/// dJ <- dJ/dy_hat for targets with or without weights.
template <class L, class Scalar, class View>
void loss_gradient(const L& loss, const ConstMatrixView<Scalar>& y_hat, const View& y, MatrixView<Scalar> dJ) {
  loss.gradient(y_hat, y, dJ);
}
template <class L, class Scalar, class View>
void loss_gradient(const L& loss, const ConstMatrixView<Scalar>& y_hat, const WeightedTargets<Scalar, View>& y, MatrixView<Scalar> dJ) {
  if (y.weights.size() == 0) return loss.gradient(y_hat, y.targets, dJ);
  loss_gradient(loss, y_hat, y.targets, dJ, [&](Index j) { return static_cast<Accumulator<Scalar>>(y.weights[j]); });
}

}  // namespace detail
}  // namespace chainrule
