#pragma once

#include <algorithm>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/core/targets.hpp>
#include <chainrule/core/view.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <chainrule/losses/mean_over_elements.hpp>
#include <span>
#include <string_view>

namespace chainrule {

namespace detail {

/// Throws ValueError unless each number of y is a probability. `loss` is the name for the message.
template <class Scalar>
void check_probabilities_of_yes(std::string_view loss, ConstMatrixView<Scalar> y) {
  check_finite("target", "y", y);
  for (Index j = 0; j < y.cols(); ++j)
    for (Index i = 0; i < y.rows(); ++i)
      if (!(y(i, j) >= 0 && y(i, j) <= 1))
        raise<ValueError>("target: y(", i, ", ", j, ") is ", y(i, j), ", but ", loss, " takes probabilities, each from 0 to 1");
}

/// Throws ShapeError if there are several outputs, ValueError if a label is not 0 or 1. `loss` is the name for the message.
template <class Scalar, class Label>
void check_labels_of_yes(std::string_view loss, ConstMatrixView<Scalar> logits, Labels<Label> labels) {
  if (logits.rows() != 1)
    raise<ShapeError>("target: ", loss, " takes integer labels, 0 or 1, for one output, but the network has ", logits.rows(),
                      "; yes or no for each output is a matrix of 0 and 1 (outputs x batch), and one class of ", logits.rows(),
                      " goes with SoftmaxCrossEntropy");
  for (Index j = 0; j < logits.cols(); ++j)
    if (const Label label = labels[static_cast<std::size_t>(j)]; label != Label(0) && label != Label(1))
      raise<ValueError>("target: the label of sample ", j, " is ", +label, ", but ", loss,
                        " takes 0 for no and 1 for yes; more classes go with SoftmaxCrossEntropy and an output for each");
}

/// Calls f(first, y) with pieces of the labels as numbers, 1 x up to 256; first is the sample with which the piece begins.
template <class Scalar, class Label, class F>
void for_each_piece_of_labels(Labels<Label> labels, const F& f) {
  constexpr Index most = 256;
  Scalar numbers[most];
  const Index samples = static_cast<Index>(labels.size());
  for (Index first = 0; first < samples; first += most) {
    const Index count = (std::min)(most, samples - first);
    for (Index j = 0; j < count; ++j) numbers[j] = static_cast<Scalar>(labels[static_cast<std::size_t>(first + j)]);
    f(first, matrix_view(static_cast<const Scalar*>(numbers), 1, count));
  }
}

}  // namespace detail

/// Binary cross-entropy -(y ln p + (1 - y) ln(1 - p)) with p = sigma(z) for logits z, summed over the outputs and averaged over the batch.
/// With one output it equals PyTorch's BCEWithLogitsLoss; with more outputs PyTorch also divides by their number.
///
/// y holds probabilities, outputs x batch, each in [0, 1]; or, for one output, a label for each sample, 0 for no and 1 for yes. Any other y
/// is a ValueError; labels for several outputs are a ShapeError. With label_smoothing = e the target is y' = (1 - e) y + e/2 instead of y
/// (Keras's label_smoothing). ClassWeighted<BinaryCrossEntropy> gives yes and no, or the yes of each output, a weight.
struct BinaryCrossEntropy {
  static constexpr std::string_view name = "BinaryCrossEntropy";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = true;  ///< takes raw outputs and brings its own link, so the last layer has no activation
  static constexpr Index min_outputs = 1;        ///< the smallest number of outputs that a network with this loss can have
  static constexpr std::string_view link_name = "sigmoid";  ///< the name of its link, which losses of the same link share

  double label_smoothing = 0;  ///< e in y' = (1 - e) y + e/2, in [0, 1)

  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"label_smoothing", label_smoothing}}; }

  /// Throws ValueError if a number of y is not in [0, 1] or label_smoothing not in [0, 1).
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    detail::check_fraction<Scalar>(name, "label_smoothing", label_smoothing);
    detail::check_probabilities_of_yes(name, y);
  }

  /// Throws ShapeError if there are several outputs, ValueError if a label is not 0 or 1 or label_smoothing not in [0, 1).
  template <class Scalar, class Label>
  void check(ConstMatrixView<Scalar> logits, Labels<Label> labels) const {
    detail::check_fraction<Scalar>(name, "label_smoothing", label_smoothing);
    detail::check_labels_of_yes(name, logits, labels);
  }

  ///     J = 1/batch sum of max(z, 0) - z y + ln(1 + e^-|z|), which needs no logarithm of 0 and no large exponential
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y) const {
    return static_cast<Scalar>(sum_of_losses(logits, y, static_cast<detail::Accumulator<Scalar>>(y.cols())));
  }

  ///     dJ/dz = (sigma(z) - y)/batch
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    write_gradient(logits, y, dJ, y.cols());
  }

  /// J for labels 0 and 1 of one output.
  template <class Scalar, class Label>
  Scalar value(ConstMatrixView<Scalar> logits, Labels<Label> labels) const {
    using Sum = detail::Accumulator<Scalar>;
    return static_cast<Scalar>(detail::mean_of(static_cast<Sum>(logits.cols()), [&](Sum divisor) {
      detail::PairwiseSum<Sum> sum;
      detail::for_each_piece_of_labels<Scalar>(labels, [&](Index first, ConstMatrixView<Scalar> y) {
        sum += sum_of_losses(detail::columns_of(logits, first, y.cols()), y, divisor);
      });
      return sum.total();
    }));
  }
  /// Sets dJ to the gradient for labels 0 and 1 of one output.
  template <class Scalar, class Label>
  void gradient(ConstMatrixView<Scalar> logits, Labels<Label> labels, MatrixView<Scalar> dJ) const {
    detail::for_each_piece_of_labels<Scalar>(labels, [&](Index first, ConstMatrixView<Scalar> y) {
      write_gradient(detail::columns_of(logits, first, y.cols()), y, detail::columns_of(dJ, first, y.cols()), logits.cols());
    });
  }

  /// J where a yes of output i counts w_i times, which ClassWeighted calls (PyTorch's pos_weight). yes_weights: one for each output.
  ///
  ///     J = 1/batch sum of  w_i y ln(1 + e^-z) + (1 - y) ln(1 + e^z)
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y, std::span<const double> yes_weights) const {
    using Sum = detail::Accumulator<Scalar>;
    const auto smoothed = smoothing<Scalar>();
    return static_cast<Scalar>(detail::mean_of(static_cast<Sum>(y.cols()), [&](Sum divisor) {
      Sum sum = 0;
      for (Index i = 0; i < y.rows(); ++i) {
        const auto w = static_cast<Scalar>(yes_weights[static_cast<std::size_t>(i)]);
        sum += detail::mean_of_matrices<Sum>(
            divisor,
            [smoothed, w](auto z, auto y_ij) CHAINRULE_FORMULA {
              const auto target = smoothed(y_ij);
              const auto yes = w * target, no = 1 - target;
              return select(z > 0, no * z, -yes * z) + (yes + no) * log1p_unit(exp(-abs(z)));
            },
            detail::row_of(logits, i), detail::row_of(y, i));
      }
      return sum;
    }));
  }
  /// Sets dJ to the gradient where a yes of output i counts w_i times.
  ///
  ///     dJ/dz = ((1 - y) sigma(z) - w_i y sigma(-z))/batch
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ,
                std::span<const double> yes_weights) const {
    const Scalar batch = static_cast<Scalar>(y.cols());
    const auto smoothed = smoothing<Scalar>();
    for (Index i = 0; i < y.rows(); ++i) {
      const auto w = static_cast<Scalar>(yes_weights[static_cast<std::size_t>(i)]);
      kernels::map_matrices(
          [smoothed, w, batch](auto z, auto y_ij) CHAINRULE_FORMULA {
            const auto target = smoothed(y_ij);
            return ((1 - target) * sigmoid(z) - w * target * sigmoid(-z)) / batch;
          },
          detail::row_of(dJ, i), detail::row_of(logits, i), detail::row_of(y, i));
    }
  }

  /// Sets `out` to the derivative of the gradient along the direction d (outputs x batch). It does not depend on y.
  ///
  ///     out = sigma(z) sigma(-z) d/batch
  template <class Scalar, class Target>
  void gradient_jvp(ConstMatrixView<Scalar> logits, const Target&, ConstMatrixView<Scalar> direction, MatrixView<Scalar> out) const {
    write_gradient_jvp(logits, direction, out);
  }
  /// Sets `out` to the derivative of the gradient where a yes of output i counts w_i times.
  ///
  ///     out = ((1 - y) + w_i y) sigma(z) sigma(-z) d/batch
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y, ConstMatrixView<Scalar> direction, MatrixView<Scalar> out,
                    std::span<const double> yes_weights) const {
    const Scalar batch = static_cast<Scalar>(y.cols());
    const auto smoothed = smoothing<Scalar>();
    for (Index i = 0; i < y.rows(); ++i) {
      const auto w = static_cast<Scalar>(yes_weights[static_cast<std::size_t>(i)]);
      kernels::map_matrices(
          [smoothed, w, batch](auto z, auto y_ij, auto d) CHAINRULE_FORMULA {
            const auto target = smoothed(y_ij);
            return ((1 - target) + w * target) * (sigmoid(z) * sigmoid(-z)) * d / batch;
          },
          detail::row_of(out, i), detail::row_of(logits, i), detail::row_of(y, i), detail::row_of(direction, i));
    }
  }

  ///     y_hat = sigma(z)
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    kernels::activate(Sigmoid{}, detail::as_const(z), z);
  }
  /// Multiplies the tangent t (outputs x K batch) by the derivative of the link; column k batch + j belongs to sample j.
  ///
  ///     t <- y_hat (1 - y_hat) t
  template <class Scalar>
  void link_jvp(ConstMatrixView<Scalar> p, MatrixView<Scalar> tangent) const {
    for (Index first = 0; first < tangent.cols(); first += p.cols())
      detail::columns_of(tangent, first, p.cols()).array() *= p.array() * (1 - p.array());
  }

  /// Does not compile for matrices that are not views; the message says what to write instead.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void link(detail::LossArgument z) const;

 private:
  // sum of max(z, 0) - z y + ln(1 + e^-|z|), divided by divisor
  template <class Scalar>
  detail::Accumulator<Scalar> sum_of_losses(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y,
                                            detail::Accumulator<Scalar> divisor) const {
    const auto smoothed = smoothing<Scalar>();
    return detail::mean_of_matrices<detail::Accumulator<Scalar>>(
        divisor,
        [smoothed](auto z, auto y_ij) CHAINRULE_FORMULA {
          const auto target = smoothed(y_ij);
          // max(z, 0) - z y, written as |z| times the target's probability of the other class, so that nothing cancels
          const auto margin = select(z > 0, z * (1 - target), -z * target);
          return margin + log1p_unit(exp(-abs(z)));
        },
        logits, y);
  }

  // dJ = (sigma(z) - y)/batch for some of the samples of a batch
  template <class Scalar>
  void write_gradient(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ, Index samples) const {
    const Scalar batch = static_cast<Scalar>(samples);
    const auto smoothed = smoothing<Scalar>();
    kernels::map_matrices([smoothed, batch](auto z, auto y_ij) CHAINRULE_FORMULA { return (sigmoid(z) - smoothed(y_ij)) / batch; }, dJ,
                          logits, y);
  }

  // out = sigma(z) sigma(-z) d/batch
  template <class Scalar>
  static void write_gradient_jvp(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> direction, MatrixView<Scalar> out) {
    const Scalar batch = static_cast<Scalar>(logits.cols());
    kernels::map_matrices([batch](auto z, auto d) CHAINRULE_FORMULA { return sigmoid(z) * sigmoid(-z) * d / batch; }, out, logits,
                          direction);
  }

  // y' = (1 - e) y + e/2
  template <class Scalar>
  auto smoothing() const {
    return [keep = static_cast<Scalar>(1 - label_smoothing), added = static_cast<Scalar>(label_smoothing / 2)](const auto& y)
               CHAINRULE_FORMULA { return keep * y + added; };
  }
};

}  // namespace chainrule
