#pragma once

#include <algorithm>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/view.hpp>
#include <chainrule/losses/binary_focal.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <cmath>
#include <limits>
#include <string_view>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

/// The focal loss for one of several classes (Lin et al. 2017), cross-entropy in which samples that are already predicted well count less.
/// With p = softmax(z) for logits z
///
///     -sum_k y_k (1 - p_k)^gamma ln p_k
///
/// averaged over the batch. This is Keras's CategoricalFocalCrossentropy with alpha = 1; weights of classes, which the paper calls alpha,
/// are those of ClassWeighted<SoftmaxFocal>. With gamma = 0 it is SoftmaxCrossEntropy.
///
/// y holds one integer label for each sample, each in [0, outputs); or probabilities, outputs x batch, that sum to 1 (to 1e-3) in every
/// column. Any other y is a ValueError.
struct SoftmaxFocal {
  static constexpr std::string_view name = "SoftmaxFocal";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = true;  ///< takes raw outputs and brings its own link, so the last layer has no activation
  static constexpr Index min_outputs = 2;        ///< the smallest number of outputs that a network with this loss can have
  static constexpr std::string_view link_name = "softmax";  ///< the name of its link, which losses of the same link share

  double gamma = 2;  ///< how much less a sample counts that is predicted well; 0 for all alike; 0 to 100

  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"gamma", gamma}}; }

  /// Throws ValueError if a label is not in [0, outputs) or gamma not in [0, 100].
  template <class Scalar, class Label>
  void check(ConstMatrixView<Scalar> logits, Labels<Label> labels) const {
    detail::check_focal_gamma<Scalar>(name, gamma);
    SoftmaxCrossEntropy{}.check(logits, labels);
  }
  /// Throws ValueError unless each column of y holds probabilities that sum to 1 (to 1e-3) and gamma is in [0, 100].
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    detail::check_focal_gamma<Scalar>(name, gamma);
    detail::check_distributions(name, y);
  }

  ///     J = 1/batch sum over samples of  sum_k y_k F(-ln p_k)  with  F(c) = (1 - e^-c)^gamma c
  template <class Scalar, class Target>
  Scalar value(ConstMatrixView<Scalar> logits, Target y) const {
    using Sum = detail::Accumulator<Scalar>;
    return static_cast<Scalar>(detail::mean_of(static_cast<Sum>(logits.cols()), [&](Sum divisor) {
      detail::PairwiseSum<Sum> sum;
      detail::for_each_log_softmax(logits, [&](Index j, const auto& minus_log_p) {
        const auto loss_of = [&](Index k) {
          const Scalar c = minus_log_p(logits(k, j));
          return std::pow(-std::expm1(-c), static_cast<Scalar>(gamma)) * c;
        };
        Sum term = 0;
        if constexpr (is_labels<Scalar, Target>)
          term = static_cast<Sum>(loss_of(label_of(y, j)));
        else
          term = detail::pairwise_sum<Sum>(y.rows(), [&](Index k) { return y(k, j) > 0 ? y(k, j) * loss_of(k) : Scalar{0}; });
        sum += detail::divided(term, divisor);
      });
      return sum.total();
    }));
  }

  /// Sets dJ to the gradient.
  ///
  ///     dJ/dz_i = (p_i sum_(k != i) w_k - w_i (1 - p_i))/batch  with  w_k = y_k F'(-ln p_k)
  template <class Scalar, class Target>
  void gradient(ConstMatrixView<Scalar> logits, Target y, MatrixView<Scalar> dJ) const {
    kernels::softmax(logits, dJ);
    const Scalar batch = static_cast<Scalar>(dJ.cols());
    for (Index j = 0; j < dJ.cols(); ++j) {
      const Probabilities<Scalar> of(dJ.data() + j * dJ.outerStride(), dJ.rows());
      Scalar* const out = dJ.data() + j * dJ.outerStride();
      if constexpr (is_labels<Scalar, Target>) {
        const Index label = label_of(y, j);
        const Scalar w = slope(of.p[label], of.others(label)), of_label = -w * of.others(label);
        for (Index i = 0; i < dJ.rows(); ++i) out[i] = out[i] * w / batch;
        out[label] = of_label / batch;
      } else {
        const auto w = [&](Index k) { return y(k, j) > 0 ? y(k, j) * slope(of.p[k], of.others(k)) : Scalar{0}; };
        const Scalar total = static_cast<Scalar>(detail::pairwise_sum<detail::Accumulator<Scalar>>(dJ.rows(), w));
        for (Index i = 0; i < dJ.rows(); ++i) {
          const Scalar w_i = w(i);
          out[i] = (detail::rounded(out[i] * (total - w_i)) - detail::rounded(w_i * of.others(i))) / batch;
        }
      }
    }
  }

  /// Sets `out` to the derivative of the gradient along the direction d (outputs x batch). With c_k' = p.d - d_k, the derivative of -ln
  /// p_k, and v_k = y_k F''(-ln p_k) c_k'
  ///
  ///     out_i = (p_i sum_(k != i) v_k - v_i (1 - p_i) - p_i c_i' sum_k w_k)/batch
  template <class Scalar, class Target>
  void gradient_jvp(ConstMatrixView<Scalar> logits, Target y, ConstMatrixView<Scalar> direction, MatrixView<Scalar> out) const {
    using Sum = detail::Accumulator<Scalar>;
    kernels::softmax(logits, out);
    const Scalar batch = static_cast<Scalar>(out.cols());
    for (Index j = 0; j < out.cols(); ++j) {
      const Probabilities<Scalar> of(out.data() + j * out.outerStride(), out.rows());
      const Scalar* const d = direction.data() + j * direction.outerStride();
      const Sum origin = static_cast<Sum>(d[of.largest]);
      const Sum mean =
          detail::pairwise_sum<Sum>(out.rows(), [&](Index i) { return static_cast<Sum>(of.p[i]) * (static_cast<Sum>(d[i]) - origin); });
      const auto change = [&](Index k) { return static_cast<Scalar>(mean - (static_cast<Sum>(d[k]) - origin)); };
      const auto target = [&](Index k) {
        if constexpr (is_labels<Scalar, Target>)
          return label_of(y, j) == k ? Scalar{1} : Scalar{0};
        else
          return y(k, j);
      };
      const auto w = [&](Index k) { return target(k) > 0 ? target(k) * slope(of.p[k], of.others(k)) : Scalar{0}; };
      const auto v = [&](Index k) {
        return target(k) > 0 && of.others(k) > 0 ? target(k) * curvature(of.p[k], of.others(k)) * (change(k) / of.others(k)) : Scalar{0};
      };
      const Scalar sum_w = static_cast<Scalar>(detail::pairwise_sum<Sum>(out.rows(), w));
      const Scalar sum_v = static_cast<Scalar>(detail::pairwise_sum<Sum>(out.rows(), v));
      Scalar* const column = out.data() + j * out.outerStride();
      for (Index i = 0; i < out.rows(); ++i) {
        const Scalar v_i = v(i), p_i = column[i];
        column[i] = (detail::rounded(p_i * (sum_v - v_i)) - detail::rounded(v_i * of.others(i)) -
                     detail::rounded(detail::rounded(sum_w * p_i) * change(i))) /
                    batch;
      }
    }
  }

  ///     y_hat = softmax(z)
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    SoftmaxCrossEntropy{}.link(z);
  }
  /// Multiplies the tangent t (outputs x K batch) by the Jacobian of the link, which is symmetric; column k batch + j belongs to sample j.
  ///
  ///     t <- p o t - p (p.t)  with p = y_hat, for each column
  template <class Scalar>
  void link_jvp(ConstMatrixView<Scalar> p, MatrixView<Scalar> tangent) const {
    SoftmaxCrossEntropy{}.link_jvp(p, tangent);
  }

  /// Does not compile for matrices that are not views; the message says what to write instead.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void link(detail::LossArgument z) const;

 private:
  template <class Scalar, class Target>
  static constexpr bool is_labels = !std::is_same_v<Target, ConstMatrixView<Scalar>>;

  template <class Label>
  static Index label_of(Labels<Label> labels, Index j) {
    return static_cast<Index>(labels[static_cast<std::size_t>(j)]);
  }

  // The probabilities p of a sample, and 1 - p_k without cancellation, which for the largest p is the sum of the others.
  template <class Scalar>
  struct Probabilities {
    Probabilities(const Scalar* numbers, Index size) : p{numbers}, largest{std::max_element(numbers, numbers + size) - numbers} {
      others_of_largest = static_cast<Scalar>(detail::pairwise_sum<detail::Accumulator<Scalar>>(
          size, [&](Index i) { return static_cast<detail::Accumulator<Scalar>>(i == largest ? 0 : p[i]); }));
    }
    Scalar others(Index k) const { return k == largest ? others_of_largest : 1 - p[k]; }

    const Scalar* p;
    Index largest;
    Scalar others_of_largest = 0;
  };

  // ln(p/q) in parts that are the same bits with every library of functions: side (ln mantissa + exponent ln 2), with a mantissa in [1, 2)
  template <class Scalar>
  struct LogOdds {
    LogOdds(Scalar p, Scalar q) : side(p < q ? Scalar{1} : Scalar{-1}) {
      int power = 0;
      mantissa = 2 * std::frexp((std::max)(p < q ? p / q : q / p, (std::numeric_limits<Scalar>::min)()), &power);
      exponent = static_cast<Scalar>(power - 1);
    }
    Scalar side, mantissa = 1, exponent = 0;
  };

  // F'(c) = E (1 + gamma p c/q)  with  c = -ln p, q = 1 - p, E = q^gamma
  template <class Scalar>
  Scalar slope(Scalar p, Scalar q) const {
    return of_parts(p, q, [](const auto& p_k, const auto&, const auto& ratio, const auto& E, Scalar g) CHAINRULE_FORMULA {
      return E * (1 + g * (p_k * ratio));
    });
  }
  // q F''(c) = gamma E p (2 - c + (gamma - 1) p c/q)
  template <class Scalar>
  Scalar curvature(Scalar p, Scalar q) const {
    return of_parts(p, q, [](const auto& p_k, const auto& c, const auto& ratio, const auto& E, Scalar g) CHAINRULE_FORMULA {
      return g * E * (2 * p_k - p_k * c + (g - 1) * (p_k * p_k * ratio));
    });
  }
  // f(p, c, c/q, E, gamma). Where q is 0, c/q is its limit 1.
  template <class Scalar, class F>
  Scalar of_parts(Scalar p, Scalar q, const F& f) const {
    const LogOdds<Scalar> odds(p, q);
    return kernels::sum<Scalar>(
        1,
        [f, g = static_cast<Scalar>(gamma)](auto p_k, auto q_k, auto side, auto mantissa, auto exponent) CHAINRULE_FORMULA {
          const auto u = side * (log1p_unit(mantissa - 1) + exponent * detail::ln2<Scalar>);
          const auto t = log1p_unit(exp(-abs(u)));
          const auto c = max(-u, 0) + t;
          const auto E = exp(-g * (max(u, 0) + t));
          return f(p_k, c, select(q_k > 0, c / q_k, 1), E, g);
        },
        static_cast<const Scalar*>(&p), static_cast<const Scalar*>(&q), &odds.side, &odds.mantissa, &odds.exponent);
  }
};

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
