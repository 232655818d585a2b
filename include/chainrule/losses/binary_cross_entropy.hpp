#pragma once

#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <string_view>

namespace chainrule {

/// Binary cross-entropy -(y ln p + (1 - y) ln(1 - p)) with p = sigma(z) for logits z, summed over the outputs and averaged over the batch.
/// With one output it equals PyTorch's BCEWithLogitsLoss; with more outputs PyTorch also divides by their number.
///
/// y holds probabilities, outputs x batch, each in [0, 1]; any other y is a ValueError. With label_smoothing = e the target is
/// y' = (1 - e) y + e/2 instead of y (Keras's label_smoothing).
struct BinaryCrossEntropy {
  static constexpr std::string_view name = "BinaryCrossEntropy";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = true;  ///< takes raw outputs and brings its own link, so the last layer has no activation
  static constexpr Index min_outputs = 1;        ///< the smallest number of outputs that a network with this loss can have

  double label_smoothing = 0;  ///< e in y' = (1 - e) y + e/2, in [0, 1)

  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"label_smoothing", label_smoothing}}; }

  /// Throws ValueError if a number of y is not in [0, 1] or label_smoothing not in [0, 1).
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    detail::check_fraction<Scalar>(name, "label_smoothing", label_smoothing);
    detail::check_finite("target", "y", y);
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i)
        if (!(y(i, j) >= 0 && y(i, j) <= 1))
          detail::raise<ValueError>("target: y(", i, ", ", j, ") is ", y(i, j),
                                    ", but BinaryCrossEntropy takes probabilities, each from 0 to 1");
  }

  ///     J = 1/batch sum of max(z, 0) - z y + ln(1 + e^-|z|), which needs no logarithm of 0 and no large exponential
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y) const {
    using Sum = detail::Accumulator<Scalar>;
    const auto smoothed = smoothing<Scalar>();
    const Sum sum = kernels::sum_matrices<Sum>(
        [smoothed](auto z, auto y_ij) CHAINRULE_FORMULA {
          const auto target = smoothed(y_ij);
          // max(z, 0) - z y, written as |z| times the target's probability of the other class, so that nothing cancels
          const auto margin = select(z > 0, z * (1 - target), -z * target);
          return margin + log1p_unit(exp(-abs(z)));
        },
        logits, y);
    return static_cast<Scalar>(sum / static_cast<Sum>(y.cols()));
  }

  ///     dJ/dz = (sigma(z) - y)/batch
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    const Scalar batch = static_cast<Scalar>(y.cols());
    const auto smoothed = smoothing<Scalar>();
    kernels::map_matrices([smoothed, batch](auto z, auto y_ij) CHAINRULE_FORMULA { return (sigmoid(z) - smoothed(y_ij)) / batch; }, dJ,
                          logits, y);
  }

  ///     y_hat = sigma(z)
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    kernels::activate(Sigmoid{}, detail::as_const(z), z);
  }

 private:
  // y' = (1 - e) y + e/2
  template <class Scalar>
  auto smoothing() const {
    return [keep = static_cast<Scalar>(1 - label_smoothing), added = static_cast<Scalar>(label_smoothing / 2)](const auto& y)
               CHAINRULE_FORMULA { return keep * y + added; };
  }
};

}  // namespace chainrule
