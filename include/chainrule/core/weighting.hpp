#pragma once
// Weights of samples, for every loss, user-defined ones too. With a weight w_j >= 0 for each sample j of a batch,
//     J = sum w_j J_j / (batch m)                                where J_j is the loss of sample j alone
//     dJ/dy_hat(:, j) = w_j/(batch m) dJ_j/dy_hat(:, j)      and its derivative along a direction (gradient_jvp) has the same factor
// m is the mean weight of the samples of the whole data set, the same number for every batch. A sample of weight 2 therefore counts as two
// samples in every batch, even alone, and the mean of J over the batches of an epoch is the weighted mean sum w_j J_j / sum w_j over the
// data set. (Dividing each batch by its own weights would take away their effect in small batches.) A loss may weigh samples itself, as
// ClassWeighted does; w_j is then the product of both weights.

#include <chainrule/core/detail/checks.hpp>
#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/core/targets.hpp>
#include <concepts>

namespace chainrule {

/// A view on targets and on a weight for each sample. Without weights all samples count the same.
template <class Scalar, class View>
struct WeightedTargets {
  View targets;                                 ///< Labels, or outputs x samples numbers
  ConstVectorView<Scalar> weights{nullptr, 0};  ///< one for each sample, or none at all
  double mean_weight = 0;                       ///< mean weight of a sample of the data set; 0 where it is not known
};

/// Attaches sample weights to targets, for `net.loss(weighted(y, w), work)` and `net.backward(x, weighted(y, w), work, dJ)`. Both are
/// viewed, not copied.
///
///     J = sum w_j J_j / (batch mean_weight)        (sum over the samples j of the batch)
///
/// w: a vector of the network's scalar type, one weight for each sample, each finite and at least 0. The call that uses it throws
/// ShapeError or ValueError otherwise.
///
/// mean_weight: the mean weight of the samples of the whole data set, of which y is a batch; Batches and Trainer set it. It divides J by
/// the same number in every batch, so that a weight means the same at every batch size. Where it is left out, loss and backward divide by
/// the batch alone, as for a mean weight of 1, and `evaluate` takes the mean of w and returns the weighted mean sum w_j J_j / sum w_j.
///
/// Other libraries: Keras always divides by the batch alone, as for a mean weight of 1. PyTorch's class weights are divided by sum w_j of
/// each batch, so that they have no effect in a batch of one sample and little in small ones.
template <class Y, class W>
auto weighted(Y&& y, W&& w, double mean_weight = 0) {
  using Weights = std::remove_cvref_t<W>;
  using Scalar = std::remove_cvref_t<decltype(*w.data())>;
  static_assert(detail::may_be_viewed<Y>() && detail::may_be_viewed<W>(),
                "chainrule: weighted() keeps views of y and of the weights, so neither can be a temporary; give it a name first: "
                "const std::vector<float> w = make_weights();");
  if constexpr (detail::EigenDense<Weights>)
    static_assert(Weights::IsVectorAtCompileTime && Weights::InnerStrideAtCompileTime == 1,
                  "chainrule: weights must be one contiguous vector");
  auto view = detail::target_view<Scalar>(y);
  return WeightedTargets<Scalar, decltype(view)>{view, {w.data(), static_cast<Index>(w.size())}, mean_weight};
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
  if (!(y.mean_weight >= 0 && is_finite(y.mean_weight)))
    raise<ValueError>("target: the mean weight is ", y.mean_weight, ", but it must be finite and above 0, or 0 where it is not known");
  if (y.weights.size() == 0) return;
  if (y.weights.size() != samples_of(y.targets))
    raise<ShapeError>("target: there are ", y.weights.size(), " weights for ", samples_of(y.targets), " samples");
  for (Index j = 0; j < y.weights.size(); ++j)
    if (!(is_finite(y.weights[j]) && y.weights[j] >= 0))
      raise<ValueError>("target: the weight of sample ", j, " is ", y.weights[j], ", but weights are finite and at least 0");
}

/// A loss that weighs samples itself, by their targets: ClassWeighted, and AnyLoss, which may hold one. It multiplies the weights of y with
/// its own. Its total_weight(y) is the sum of these products.
template <class L, class Scalar, class View>
concept WeighsSamples = requires(const L& loss, ConstMatrixView<Scalar> y_hat, const WeightedTargets<Scalar, View>& y,
                                 MatrixView<Scalar> dJ) {
  { loss.weighted_value(y_hat, y) } -> std::same_as<Scalar>;
  loss.weighted_gradient(y_hat, y, dJ);
  { loss.total_weight(y) } -> std::same_as<double>;
};

/// The targets as WeightedTargets, without weights if they have none.
template <class Scalar, class View>
WeightedTargets<Scalar, View> as_weighted(const View& y) {
  return {y};
}
template <class Scalar, class View>
WeightedTargets<Scalar, View> as_weighted(const WeightedTargets<Scalar, View>& y) {
  return y;
}

/// j -> the weight of sample j, 1 where there are no weights. One type for the targets of all losses, so what uses it is compiled once.
template <class Scalar>
struct WeightOfSample {
  const ConstVectorView<Scalar>& weights;  // not a copy, which took 8 ns of a call
  Accumulator<Scalar> operator()(Index j) const {
    return weights.size() == 0 ? Accumulator<Scalar>{1} : static_cast<Accumulator<Scalar>>(weights[j]);
  }
};

/// The weight of sample j, 1 where there are no weights.
template <class Scalar, class View>
Accumulator<Scalar> weight_of(const WeightedTargets<Scalar, View>& y, Index j) {
  return WeightOfSample<Scalar>{y.weights}(j);
}

/// The mean weight by which J is divided: that of the data set, or 1 where it is not known.
template <class Scalar, class View>
Accumulator<Scalar> divisor_of(const WeightedTargets<Scalar, View>& y) {
  return y.mean_weight == 0 ? Accumulator<Scalar>{1} : static_cast<Accumulator<Scalar>>(y.mean_weight);
}

/// The sum of the weights of all samples, the loss's own weights included; without weights, the number of samples.
template <class L, class Scalar, class View>
double total_weight(const L& loss, const WeightedTargets<Scalar, View>& y) {
  if constexpr (WeighsSamples<L, Scalar, View>) {
    return loss.total_weight(y);
  } else {
    if (y.weights.size() == 0) return static_cast<double>(samples_of(y.targets));
    return pairwise_sum<double>(y.weights.size(), WeightOfSample<Scalar>{y.weights});
  }
}

/// total / samples, after checking that it is a number by which a loss can be divided. `who` begins the message.
inline double checked_mean_weight(const char* who, double total, Index samples) {
  if (total == 0) raise<ValueError>(who, ": all weights of the samples are 0, so they have no weighted mean");
  if (!(total > 0 && is_finite(total)))
    raise<ValueError>(who, ": the weights of the samples sum to ", total, ", but the sum must be finite and above 0; scale the weights");
  return total / static_cast<double>(samples);
}

/// The mean weight of these samples, the loss's own weights included. Throws ValueError where all weights are 0.
template <class L, class Scalar, class View>
double mean_weight_of(const char* who, const L& loss, const WeightedTargets<Scalar, View>& y) {
  return checked_mean_weight(who, total_weight(loss, y), samples_of(y.targets));
}

/// The targets with the mean weight of the data set, which is that of these samples where y does not say it.
template <class Scalar, class L, class View>
WeightedTargets<Scalar, View> with_mean_weight(const char* who, const L& loss, WeightedTargets<Scalar, View> y) {
  if (y.mean_weight == 0) y.mean_weight = mean_weight_of(who, loss, y);
  return y;
}
template <class Scalar, class L, class View>
auto with_mean_weight(const char* who, const L& loss, const View& y) {
  if constexpr (WeighsSamples<L, Scalar, View>)
    return with_mean_weight<Scalar>(who, loss, as_weighted<Scalar>(y));
  else
    return y;
}

/// The weighted loss from the loss of each sample alone, for weights w(j) and the mean weight m of the data set:
///     J = sum w_j J_j / (batch m)
template <class L, class Scalar, class View, class WeightOf>
Scalar weighted_value(const L& loss, ConstMatrixView<Scalar> y_hat, const View& y, const WeightOf& w, Accumulator<Scalar> m) {
  using Sum = Accumulator<Scalar>;
  return static_cast<Scalar>(mean_of(static_cast<Sum>(y_hat.cols()) * m, [&](Sum divisor) {
    PairwiseSum<Sum> sum;
    for (Index j = 0; j < y_hat.cols(); ++j) {
      const Sum weight = divided<Sum>(w(j), divisor);
      sum += weight > 0 ? weight * static_cast<Sum>(loss.value(sample_of(y_hat, j), sample_of(y, j))) : Sum{0};
    }
    return sum.total();
  }));
}

/// Multiplies column j by w_j / m, or sets it to 0 where w_j is 0, whatever numbers it holds.
template <class Scalar, class WeightOf>
void weigh_columns(MatrixView<Scalar> columns, const WeightOf& w, Accumulator<Scalar> m) {
  for (Index j = 0; j < columns.cols(); ++j) {
    const Accumulator<Scalar> weight = w(j);
    if (weight > 0)
      columns.col(j) *= static_cast<Scalar>(weight / m);
    else
      columns.col(j).setZero();
  }
}

/// The gradient of the weighted loss: the gradient of the plain mean, with column j times w_j / m.
template <class L, class Scalar, class View, class WeightOf>
void weighted_gradient(const L& loss, ConstMatrixView<Scalar> y_hat, const View& y, MatrixView<Scalar> dJ, const WeightOf& w,
                       Accumulator<Scalar> m) {
  loss.gradient(y_hat, y, dJ);
  weigh_columns(dJ, w, m);
}

/// The derivative of weighted_gradient along a direction.
template <class L, class Scalar, class View, class WeightOf>
void weighted_gradient_jvp(const L& loss, ConstMatrixView<Scalar> y_hat, const View& y, ConstMatrixView<Scalar> direction,
                           MatrixView<Scalar> out, const WeightOf& w, Accumulator<Scalar> m) {
  loss.gradient_jvp(y_hat, y, direction, out);
  weigh_columns(out, w, m);
}

/// J for targets with or without weights.
template <class L, class Scalar, class View>
Scalar loss_value(const L& loss, const ConstMatrixView<Scalar>& y_hat, const View& y) {
  return loss.value(y_hat, y);
}
template <class L, class Scalar, class View>
Scalar loss_value(const L& loss, const ConstMatrixView<Scalar>& y_hat, const WeightedTargets<Scalar, View>& y) {
  if constexpr (WeighsSamples<L, Scalar, View>) {
    return loss.weighted_value(y_hat, y);
  } else {
    if (y.weights.size() == 0 && divisor_of(y) == 1) return loss.value(y_hat, y.targets);
    return weighted_value(loss, y_hat, y.targets, WeightOfSample<Scalar>{y.weights}, divisor_of(y));
  }
}

/// dJ <- dJ/dy_hat for targets with or without weights.
template <class L, class Scalar, class View>
void loss_gradient(const L& loss, const ConstMatrixView<Scalar>& y_hat, const View& y, MatrixView<Scalar> dJ) {
  loss.gradient(y_hat, y, dJ);
}
template <class L, class Scalar, class View>
void loss_gradient(const L& loss, const ConstMatrixView<Scalar>& y_hat, const WeightedTargets<Scalar, View>& y, MatrixView<Scalar> dJ) {
  if constexpr (WeighsSamples<L, Scalar, View>) {
    loss.weighted_gradient(y_hat, y, dJ);
  } else {
    if (y.weights.size() == 0 && divisor_of(y) == 1) return loss.gradient(y_hat, y.targets, dJ);
    weighted_gradient(loss, y_hat, y.targets, dJ, WeightOfSample<Scalar>{y.weights}, divisor_of(y));
  }
}

/// out <- d/de dJ/dy_hat(y_hat + e direction) at e = 0, for targets with or without weights. The loss needs a gradient_jvp.
template <class L, class Scalar, class View>
void loss_gradient_jvp(const L& loss, const ConstMatrixView<Scalar>& y_hat, const View& y, const ConstMatrixView<Scalar>& direction,
                       MatrixView<Scalar> out) {
  loss.gradient_jvp(y_hat, y, direction, out);
}
template <class L, class Scalar, class View>
void loss_gradient_jvp(const L& loss, const ConstMatrixView<Scalar>& y_hat, const WeightedTargets<Scalar, View>& y,
                       const ConstMatrixView<Scalar>& direction, MatrixView<Scalar> out) {
  if constexpr (WeighsSamples<L, Scalar, View>) {
    loss.weighted_gradient_jvp(y_hat, y, direction, out);
  } else {
    if (y.weights.size() == 0 && divisor_of(y) == 1) return loss.gradient_jvp(y_hat, y.targets, direction, out);
    weighted_gradient_jvp(loss, y_hat, y.targets, direction, out, WeightOfSample<Scalar>{y.weights}, divisor_of(y));
  }
}

}  // namespace detail
}  // namespace chainrule
