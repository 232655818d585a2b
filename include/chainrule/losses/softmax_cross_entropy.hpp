#pragma once

#include <algorithm>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/core/targets.hpp>
#include <chainrule/core/view.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/kernels/softmax.hpp>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>

namespace chainrule {

namespace detail {

/// Calls use(j, minus_log_p) for each sample j, where minus_log_p(z_k) = -ln p_k with p = softmax(z). Forms no ln 0, no 0 inf and no large
/// e^z: with m = max z
///
///     -ln p_k = (m - z_k) + ln(1 + sum_i e^(z_i - m))    with the sum over all i but one with z_i = m
template <class Scalar, class Use>
void for_each_log_softmax(ConstMatrixView<Scalar> logits, const Use& use) {
  constexpr Index samples_at_once = kernels::scalar_only<Scalar> ? 8 : 64;  // few, for the small stack of a microcontroller
  Scalar largest[std::size_t{samples_at_once}];
  Accumulator<Scalar> others[std::size_t{samples_at_once}];
  for (Index first = 0; first < logits.cols(); first += samples_at_once) {
    const Index samples = (std::min)(samples_at_once, logits.cols() - first);
    kernels::exponential_sums(columns_of(logits, first, samples), largest, others);
    for (Index j = 0; j < samples; ++j)
      use(first + j, [m = largest[j], log_sum = std::log1p(static_cast<Scalar>(others[j]))](Scalar z_k) { return (m - z_k) + log_sum; });
  }
}

/// Multiplies a column t by the Jacobian of p = softmax(z), the symmetric matrix diag(p) - p p^T. `out` may be p or t.
///
///     out_k = p_k (t_k - sum_i p_i t_i)
///
/// All t are taken relative to that of the largest p, which changes nothing because p sums to 1, and keeps the digits of 1 - p where the
/// largest p is almost 1.
template <class Scalar>
void multiply_by_softmax_jacobian(const Scalar* p, const Scalar* t, Index size, Scalar* out) {
  using Sum = Accumulator<Scalar>;
  const Sum origin = static_cast<Sum>(t[std::max_element(p, p + size) - p]);
  const Sum mean = pairwise_sum<Sum>(size, [&](Index i) { return static_cast<Sum>(p[i]) * (static_cast<Sum>(t[i]) - origin); });
  for (Index k = 0; k < size; ++k) out[k] = static_cast<Scalar>(static_cast<Sum>(p[k]) * ((static_cast<Sum>(t[k]) - origin) - mean));
}

/// The sum of column j, in double or wider: in order for up to 128 rows, else in the order of kernels::sum.
template <class Scalar>
Scalar sum_of_column(const ConstMatrixView<Scalar>& y, Index j) {
  using Sum = Accumulator<Scalar>;
  const Scalar* column = y.data() + j * y.outerStride();
  if (y.rows() > PairwiseSum<Sum>::block)
    return static_cast<Scalar>(kernels::sum<Sum>(
        y.rows(), [](auto y_i) CHAINRULE_FORMULA { return y_i; }, column));
  return static_cast<Scalar>(std::accumulate(column, column + y.rows(), Sum{0}));
}

/// Throws ValueError unless each column of y holds probabilities that sum to 1 (to 1e-3). `loss` is the name for the message.
template <class Scalar>
void check_distributions(std::string_view loss, ConstMatrixView<Scalar> y) {
  check_finite("target", "y", y);
  for (Index j = 0; j < y.cols(); ++j) {
    const Scalar* y_j = y.data() + j * y.outerStride();
    Accumulator<Scalar> total = 0;
    for (Index i = 0; i < y.rows(); ++i) {
      if (!(y_j[i] >= 0 && y_j[i] <= 1))
        raise<ValueError>("target: y(", i, ", ", j, ") is ", y_j[i], ", but ", loss, " takes probabilities, each from 0 to 1");
      total += static_cast<Accumulator<Scalar>>(y_j[i]);
    }
    const Scalar sum = static_cast<Scalar>(total);
    if (!(std::abs(sum - 1) <= Scalar(1e-3)))
      raise<ValueError>("target: the probabilities of sample ", j, " sum to ", sum, ", but they must sum to 1");
  }
}

}  // namespace detail

/// Cross-entropy -sum_k y_k ln p_k with p = softmax(z) for logits z, averaged over the batch; PyTorch's CrossEntropyLoss.
///
/// y holds one integer label for each sample, each in [0, outputs); or probabilities, outputs x batch, that sum to 1 (to 1e-3) in every
/// column. Any other y is a ValueError. With label_smoothing = e the target is y' = (1 - e) y + e/outputs instead of y (Szegedy et al.
/// 2016; PyTorch's label_smoothing).
struct SoftmaxCrossEntropy {
  static constexpr std::string_view name = "SoftmaxCrossEntropy";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = true;  ///< takes raw outputs and brings its own link, so the last layer has no activation
  static constexpr Index min_outputs = 2;        ///< the smallest number of outputs that a network with this loss can have
  static constexpr std::string_view link_name = "softmax";  ///< the name of its link, which losses of the same link share

  double label_smoothing = 0;  ///< e in y' = (1 - e) y + e/outputs, in [0, 1)

  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"label_smoothing", label_smoothing}}; }

  /// Throws ValueError if a label is not in [0, outputs) or label_smoothing not in [0, 1).
  template <class Scalar, class Label>
  void check(ConstMatrixView<Scalar> logits, Labels<Label> labels) const {
    detail::check_fraction<Scalar>(name, "label_smoothing", label_smoothing);
    for (Index j = 0; j < logits.cols(); ++j) {
      using Wide = std::conditional_t<std::is_signed_v<Label>, long long, unsigned long long>;
      const Wide label = static_cast<Wide>(labels[static_cast<std::size_t>(j)]);
      if (std::cmp_less(label, 0) || std::cmp_greater_equal(label, logits.rows()))
        detail::raise<ValueError>("target: the label of sample ", j, " is ", label, ", but with ", logits.rows(),
                                  " outputs labels are 0 to ", logits.rows() - 1);
    }
  }

  /// Throws ValueError unless each column of y holds probabilities that sum to 1 (to 1e-3) and label_smoothing is in [0, 1).
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    detail::check_fraction<Scalar>(name, "label_smoothing", label_smoothing);
    detail::check_distributions(name, y);
  }

  ///     J = 1/batch sum over samples of  -sum_k y_k ln p_k
  template <class Scalar, class Target>
  Scalar value(ConstMatrixView<Scalar> logits, Target y) const {
    using Sum = detail::Accumulator<Scalar>;
    return static_cast<Scalar>(detail::mean_of(static_cast<Sum>(logits.cols()), [&](Sum divisor) {
      detail::PairwiseSum<Sum> sum;
      detail::for_each_log_softmax(logits, [&](Index j, const auto& minus_log_p) {
        sum += detail::divided(cross_entropy<Sum>(logits, y, j, minus_log_p), divisor);
      });
      return sum.total();
    }));
  }

  /// Sets dJ to the gradient. If a column of y sums not exactly to 1, its softmax is multiplied by the sum, which makes the gradient exact.
  ///
  ///     dJ/dz = (softmax(z) - y)/batch        (outputs x batch)
  template <class Scalar, class Target>
  void gradient(ConstMatrixView<Scalar> logits, Target y, MatrixView<Scalar> dJ) const {
    kernels::softmax(logits, dJ);
    const Scalar kept = static_cast<Scalar>(1 - label_smoothing);
    const Scalar spread = static_cast<Scalar>(label_smoothing / static_cast<double>(dJ.rows()));
    for (Index j = 0; j < dJ.cols(); ++j) {
      if constexpr (std::is_same_v<Target, ConstMatrixView<Scalar>>) {
        const Scalar smoothed_sum = sum_of_targets<Scalar>(y, j);
        const Scalar* y_j = y.data() + j * y.outerStride();
        Scalar* dJ_j = dJ.data() + j * dJ.outerStride();
        if (smoothed_sum == 1 && label_smoothing == 0)
          for (Index i = 0; i < y.rows(); ++i) dJ_j[i] -= y_j[i];
        else
          for (Index i = 0; i < y.rows(); ++i)
            dJ_j[i] = detail::rounded(dJ_j[i] * smoothed_sum) - (detail::rounded(kept * y_j[i]) + spread);
      } else {
        dJ(label_of(y, j), j) -= kept;
        if (label_smoothing > 0) dJ.col(j).array() -= spread;
      }
    }
    // contiguous columns are divided as one long column
    const Index columns = dJ.outerStride() == dJ.rows() ? 1 : dJ.cols(), rows = dJ.size() / columns;
    for (Index j = 0; j < columns; ++j) VectorView<Scalar>(dJ.data() + j * dJ.outerStride(), rows) /= static_cast<Scalar>(dJ.cols());
  }

  /// Sets `out` to the derivative of the gradient along the direction d (outputs x batch). The sum of y is 1 up to rounding.
  ///
  ///     out = sum(y) (p o d - p (p.d))/batch  with p = softmax(z), for each sample
  template <class Scalar, class Target>
  void gradient_jvp(ConstMatrixView<Scalar> logits, Target y, ConstMatrixView<Scalar> direction, MatrixView<Scalar> out) const {
    kernels::softmax(logits, out);
    for (Index j = 0; j < out.cols(); ++j) {
      Scalar* const column = out.data() + j * out.outerStride();
      detail::multiply_by_softmax_jacobian(column, direction.data() + j * direction.outerStride(), out.rows(), column);
      out.col(j) = out.col(j) * sum_of_targets<Scalar>(y, j) / static_cast<Scalar>(out.cols());
    }
  }

  ///     y_hat = softmax(z)
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    kernels::softmax(detail::as_const(z), z);
  }
  /// Multiplies the tangent t (outputs x K batch) by the Jacobian of the link, which is symmetric; column k batch + j belongs to sample j.
  ///
  ///     t <- p o t - p (p.t)  with p = y_hat, for each column
  template <class Scalar>
  void link_jvp(ConstMatrixView<Scalar> p, MatrixView<Scalar> tangent) const {
    for (Index column = 0; column < tangent.cols(); ++column) {
      Scalar* const t = tangent.data() + column * tangent.outerStride();
      detail::multiply_by_softmax_jacobian(p.data() + (column % p.cols()) * p.outerStride(), static_cast<const Scalar*>(t), p.rows(), t);
    }
  }

  /// Does not compile for matrices that are not views; the message says what to write instead.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void link(detail::LossArgument z) const;

 private:
  // sum_k y'_k of sample j
  template <class Scalar, class Target>
  Scalar sum_of_targets(const Target& y, Index j) const {
    if constexpr (std::is_same_v<Target, ConstMatrixView<Scalar>>)
      return detail::rounded(static_cast<Scalar>(1 - label_smoothing) * detail::sum_of_column(y, j)) + static_cast<Scalar>(label_smoothing);
    else
      return Scalar{1};
  }

  template <class Label>
  static Index label_of(Labels<Label> labels, Index j) {
    return static_cast<Index>(labels[static_cast<std::size_t>(j)]);
  }

  // -sum_k y'_k ln p_k of sample j
  template <class Sum, class Scalar, class Target, class MinusLogP>
  Sum cross_entropy(ConstMatrixView<Scalar> logits, Target y, Index j, const MinusLogP& minus_log_p) const {
    Sum of_target = 0;
    if constexpr (std::is_same_v<Target, ConstMatrixView<Scalar>>)
      of_target =
          detail::pairwise_sum<Sum>(logits.rows(), [&](Index k) { return y(k, j) > 0 ? y(k, j) * minus_log_p(logits(k, j)) : Scalar{0}; });
    else
      of_target = static_cast<Sum>(minus_log_p(logits(label_of(y, j), j)));
    if (label_smoothing == 0) return of_target;
    const Sum of_all = detail::pairwise_sum<Sum>(logits.rows(), [&](Index k) { return minus_log_p(logits(k, j)); });
    return detail::rounded(static_cast<Sum>(1 - label_smoothing) * of_target) +
           detail::rounded(static_cast<Sum>(label_smoothing / static_cast<double>(logits.rows())) * of_all);
  }
};

}  // namespace chainrule
