#pragma once

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/core/view.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <span>
#include <string_view>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

namespace detail {

/// The focal loss of one class as formulas of its log-odds u = ln(p/(1 - p)), where gamma is a number of the type V::Scalar. With
/// s = sigma(u) = p, L = ln(1 + e^-u) = -ln p and E = e^(-gamma ln(1 + e^u)) = (1 - p)^gamma
///
///     f(u)   = E L
///     f'(u)  = -E (1 - s + gamma s L)
///     f''(u) = E s ((1 - s) (1 + 2 gamma - gamma L) + gamma^2 s L)
template <class Scalar>
struct FocalFormula {
  Scalar gamma;

  template <class V>
  CHAINRULE_FORMULA V f(const V& u) const {
    const V t = log1p_unit(exp(-abs(u)));
    return exp(-gamma * (max(u, 0) + t)) * (max(-u, 0) + t);
  }
  template <class V>
  CHAINRULE_FORMULA V f_prime(const V& u) const {
    const V t = log1p_unit(exp(-abs(u))), L = max(-u, 0) + t, E = exp(-gamma * (max(u, 0) + t));
    return -E * (sigmoid(-u) + gamma * (sigmoid(u) * L));
  }
  template <class V>
  CHAINRULE_FORMULA V f_double_prime(const V& u) const {
    const V t = log1p_unit(exp(-abs(u))), L = max(-u, 0) + t, E = exp(-gamma * (max(u, 0) + t)), s = sigmoid(u);
    return E * (s * sigmoid(-u) * (1 + 2 * gamma) + gamma * (s * L * (gamma * s - sigmoid(-u))));
  }
};

/// Throws ValueError unless gamma is from 0 to 100. With a larger gamma e^(-gamma ...) is 0 for nearly every prediction.
template <class Scalar>
void check_focal_gamma(std::string_view who, double gamma) {
  check_not_negative<Scalar>(who, "gamma", gamma);
  if (gamma > 100) raise<ValueError>(who, ": gamma must be at most 100, got ", gamma);
}

}  // namespace detail

/// The focal loss for yes or no (Lin et al. 2017, equation 5), binary cross-entropy in which samples that are already predicted well count
/// less, for data with many easy samples of one class. With p = sigma(z) for logits z
///
///     -(alpha y (1 - p)^gamma ln p + (1 - alpha) (1 - y) p^gamma ln(1 - p))
///
/// summed over the outputs and averaged over the batch. For y of 0 and 1 this is torchvision's sigmoid_focal_loss. With gamma = 0 and
/// alpha = 1/2 it is half of BinaryCrossEntropy.
///
/// y holds probabilities, outputs x batch, each in [0, 1]; or, for one output, a label for each sample, 0 for no and 1 for yes. Any other y
/// is a ValueError; labels for several outputs are a ShapeError. ClassWeighted<BinaryFocal> multiplies alpha and 1 - alpha by weights of
/// yes and no, or alpha by a weight for the yes of each output.
struct BinaryFocal {
  static constexpr std::string_view name = "BinaryFocal";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = true;  ///< takes raw outputs and brings its own link, so the last layer has no activation
  static constexpr Index min_outputs = 1;        ///< the smallest number of outputs that a network with this loss can have
  static constexpr std::string_view link_name = "sigmoid";  ///< the name of its link, which losses of the same link share

  double alpha = 0.25;  ///< how much a yes counts; a no counts 1 - alpha; above 0 and below 1
  double gamma = 2;     ///< how much less a sample counts that is predicted well; 0 for all alike; 0 to 100

  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"alpha", alpha}, Hyperparameter{"gamma", gamma}}; }

  /// Throws ValueError if a number of y is not in [0, 1], alpha not in (0, 1) or gamma not in [0, 100].
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    check_alpha_and_gamma<Scalar>();
    detail::check_probabilities_of_yes(name, y);
  }
  /// Throws ShapeError if there are several outputs, ValueError if a label is not 0 or 1, alpha not in (0, 1) or gamma not in [0, 100].
  template <class Scalar, class Label>
  void check(ConstMatrixView<Scalar> logits, Labels<Label> labels) const {
    check_alpha_and_gamma<Scalar>();
    detail::check_labels_of_yes(name, logits, labels);
  }

  ///     J = 1/batch sum of  alpha y f(z) + (1 - alpha) (1 - y) f(-z)  with  f(z) = sigma(-z)^gamma ln(1 + e^-z)
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y) const {
    using Sum = detail::Accumulator<Scalar>;
    return static_cast<Scalar>(detail::mean_of_matrices<Sum>(static_cast<Sum>(y.cols()), loss_formula<Scalar>(), logits, y));
  }
  /// Sets dJ to the gradient.
  ///
  ///     dJ/dz = (alpha y f'(z) - (1 - alpha) (1 - y) f'(-z))/batch
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    kernels::map_matrices(slope_formula<Scalar>(y.cols()), dJ, logits, y);
  }
  /// Sets `out` to the derivative of the gradient along the direction d (outputs x batch).
  ///
  ///     out = (alpha y f''(z) + (1 - alpha) (1 - y) f''(-z)) d/batch
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y, ConstMatrixView<Scalar> direction,
                    MatrixView<Scalar> out) const {
    kernels::map_matrices(curvature_formula<Scalar>(y.cols()), out, logits, y, direction);
  }

  /// J for labels 0 and 1 of one output.
  template <class Scalar, class Label>
  Scalar value(ConstMatrixView<Scalar> logits, Labels<Label> labels) const {
    using Sum = detail::Accumulator<Scalar>;
    return static_cast<Scalar>(detail::mean_of(static_cast<Sum>(logits.cols()), [&](Sum divisor) {
      detail::PairwiseSum<Sum> sum;
      detail::for_each_piece_of_labels<Scalar>(labels, [&](Index first, ConstMatrixView<Scalar> y) {
        sum += detail::mean_of_matrices<Sum>(divisor, loss_formula<Scalar>(), detail::columns_of(logits, first, y.cols()), y);
      });
      return sum.total();
    }));
  }
  /// Sets dJ to the gradient for labels 0 and 1 of one output.
  template <class Scalar, class Label>
  void gradient(ConstMatrixView<Scalar> logits, Labels<Label> labels, MatrixView<Scalar> dJ) const {
    detail::for_each_piece_of_labels<Scalar>(labels, [&](Index first, ConstMatrixView<Scalar> y) {
      kernels::map_matrices(slope_formula<Scalar>(logits.cols()), detail::columns_of(dJ, first, y.cols()),
                            detail::columns_of(logits, first, y.cols()), y);
    });
  }
  /// Sets `out` to the derivative of the gradient for labels 0 and 1 of one output.
  template <class Scalar, class Label>
  void gradient_jvp(ConstMatrixView<Scalar> logits, Labels<Label> labels, ConstMatrixView<Scalar> direction, MatrixView<Scalar> out) const {
    detail::for_each_piece_of_labels<Scalar>(labels, [&](Index first, ConstMatrixView<Scalar> y) {
      kernels::map_matrices(curvature_formula<Scalar>(logits.cols()), detail::columns_of(out, first, y.cols()),
                            detail::columns_of(logits, first, y.cols()), y, detail::columns_of(direction, first, y.cols()));
    });
  }

  /// J where a yes of output i counts w_i times, which ClassWeighted calls. yes_weights: one for each output.
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y, std::span<const double> yes_weights) const {
    using Sum = detail::Accumulator<Scalar>;
    return static_cast<Scalar>(detail::mean_of(static_cast<Sum>(y.cols()), [&](Sum divisor) {
      Sum sum = 0;
      for (Index i = 0; i < y.rows(); ++i)
        sum += detail::mean_of_matrices<Sum>(divisor, loss_formula<Scalar>(yes_weights[static_cast<std::size_t>(i)]),
                                             detail::row_of(logits, i), detail::row_of(y, i));
      return sum;
    }));
  }
  /// Sets dJ to the gradient where a yes of output i counts w_i times.
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ,
                std::span<const double> yes_weights) const {
    for (Index i = 0; i < y.rows(); ++i)
      kernels::map_matrices(slope_formula<Scalar>(y.cols(), yes_weights[static_cast<std::size_t>(i)]), detail::row_of(dJ, i),
                            detail::row_of(logits, i), detail::row_of(y, i));
  }
  /// Sets `out` to the derivative of the gradient where a yes of output i counts w_i times.
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y, ConstMatrixView<Scalar> direction, MatrixView<Scalar> out,
                    std::span<const double> yes_weights) const {
    for (Index i = 0; i < y.rows(); ++i)
      kernels::map_matrices(curvature_formula<Scalar>(y.cols(), yes_weights[static_cast<std::size_t>(i)]), detail::row_of(out, i),
                            detail::row_of(logits, i), detail::row_of(y, i), detail::row_of(direction, i));
  }

  ///     y_hat = sigma(z)
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    BinaryCrossEntropy{}.link(z);
  }
  /// Multiplies the tangent t (outputs x K batch) by the derivative of the link; column k batch + j belongs to sample j.
  ///
  ///     t <- y_hat (1 - y_hat) t
  template <class Scalar>
  void link_jvp(ConstMatrixView<Scalar> p, MatrixView<Scalar> tangent) const {
    BinaryCrossEntropy{}.link_jvp(p, tangent);
  }

  /// Does not compile for matrices that are not views; the message says what to write instead.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void link(detail::LossArgument z) const;

 private:
  template <class Scalar>
  void check_alpha_and_gamma() const {
    detail::check_inner_fraction<Scalar>(name, "alpha", alpha);
    detail::check_focal_gamma<Scalar>(name, gamma);
  }

  template <class Scalar>
  auto loss_formula(double yes_weight = 1) const {
    return [focal = detail::FocalFormula<Scalar>{static_cast<Scalar>(gamma)}, yes = static_cast<Scalar>(alpha * yes_weight),
            no = static_cast<Scalar>(1 - alpha)](auto z, auto y)
               CHAINRULE_FORMULA { return yes * y * focal.f(z) + no * (1 - y) * focal.f(-z); };
  }
  template <class Scalar>
  auto slope_formula(Index samples, double yes_weight = 1) const {
    return [focal = detail::FocalFormula<Scalar>{static_cast<Scalar>(gamma)}, yes = static_cast<Scalar>(alpha * yes_weight),
            no = static_cast<Scalar>(1 - alpha), batch = static_cast<Scalar>(samples)](auto z, auto y)
               CHAINRULE_FORMULA { return (yes * y * focal.f_prime(z) - no * (1 - y) * focal.f_prime(-z)) / batch; };
  }
  template <class Scalar>
  auto curvature_formula(Index samples, double yes_weight = 1) const {
    return [focal = detail::FocalFormula<Scalar>{static_cast<Scalar>(gamma)}, yes = static_cast<Scalar>(alpha * yes_weight),
            no = static_cast<Scalar>(1 - alpha), batch = static_cast<Scalar>(samples)](auto z, auto y, auto d)
               CHAINRULE_FORMULA { return (yes * y * focal.f_double_prime(z) + no * (1 - y) * focal.f_double_prime(-z)) * d / batch; };
  }
};

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
