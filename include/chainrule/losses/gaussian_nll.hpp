#pragma once

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/core/view.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/losses/mean_over_elements.hpp>
#include <cmath>
#include <string_view>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

/// The negative log-likelihood of a normal distribution, for a net that also predicts its uncertainty (Nix and Weigend 1994). The first K
/// of the 2 K outputs are means m, the others logarithms s of variances. The variance is v = e^s + minimum_variance, and
///
///     J = 1/(K batch) sum 1/2 (ln v + (y - m)^2 / v)
///
/// This is PyTorch's GaussianNLLLoss with var = v, except that PyTorch clamps the variance to a minimum, where here the minimum is added so
/// that J is smooth. The prediction is the means with the variances v below them. y is K x batch.
///
/// Where J, a slope or v is too large for Scalar, it is the largest finite number of Scalar (with its sign), so that clipping can deal with
/// it; squares and exponentials that only intermediate results would contain do not overflow.
///
/// check throws ValueError if y has NaN or infinity or minimum_variance is negative or not finite, ShapeError for an odd number of outputs.
struct GaussianNLL {
  static constexpr std::string_view name = "GaussianNLL";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = true;  ///< takes raw outputs and brings its own link, so the last layer has no activation
  static constexpr Index min_outputs = 2;        ///< the smallest number of outputs that a network with this loss can have
  /// The number of rows of y for a network with this number of outputs.
  static constexpr Index target_rows(Index outputs) { return outputs / 2; }
  double minimum_variance = 1e-6;  ///< at least 0

  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"minimum_variance", minimum_variance}}; }

  /// Throws ShapeError for an odd number of outputs, ValueError for NaN or infinity in y and for a negative minimum_variance.
  template <class Scalar>
  void check(ConstMatrixView<Scalar> z, ConstMatrixView<Scalar> y) const {
    if (z.rows() % 2 != 0)
      detail::raise<ShapeError>("GaussianNLL needs an even number of outputs, a mean and a variance for each target, but the net has ",
                                z.rows());
    detail::check_not_negative<Scalar>(name, "minimum_variance", minimum_variance);
    detail::check_finite("target", "y", y);
  }

  ///     J = 1/(K batch) sum 1/2 (ln v + (y - m)^2 / v)
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> z, ConstMatrixView<Scalar> y) const {
    using Sum = detail::Accumulator<Scalar>;
    const auto variance = variance_formula<Scalar>();
    return detail::finite_mean<Scalar>(detail::mean_of(static_cast<Sum>(y.size()), [&](Sum divisor) {
      detail::PairwiseSum<Sum> sum;
      for_blocks(z, y, [&](Block<Scalar>& b) {
        const Index at_once = divisor == 1 ? b.size : 1;
        for (Index k = 0; k < b.size; k += at_once)
          sum += kernels::sum<Sum>(
                     at_once,
                     [variance](auto m, auto s, auto target) CHAINRULE_FORMULA {
                       const auto v = variance(s);
                       const auto e = v.standardized(detail::finite(target - m));
                       return v.logarithm / 2 + detail::finite(e * (e / 2));
                     },
                     b.mean + k, b.log_variance + k, b.target + k) /
                 divisor;
      });
      return sum.total();
    }));
  }

  ///     dJ/dm = -(y - m)/v /(K batch),  dJ/ds = 1/2 e^s/v (1 - (y - m)^2/v) /(K batch)
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> z, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    const Scalar size = static_cast<Scalar>(y.size());
    const auto variance = variance_formula<Scalar>();
    for_blocks(z, y, [&](Block<Scalar>& b) {
      kernels::update(
          b.size,
          [variance, size](const auto& target, auto& m, auto& s) CHAINRULE_FORMULA {
            const auto v = variance(s);
            const auto e = v.standardized(detail::finite(target - m));
            m = -detail::finite(v.standardized(e)) / size;
            s = v.share * detail::finite(1 - e * e) / 2 / size;
          },
          static_cast<const Scalar*>(b.target), b.mean, b.log_variance);
      for_each_place(b, y.rows(), [&](Index k, Index i, Index j) {
        dJ(i, j) = b.mean[k];
        dJ(y.rows() + i, j) = b.log_variance[k];
      });
    });
  }

  /// Sets `out` to the derivative of the gradient along the direction d with the parts dm and ds, each K x batch, one below the other. With
  /// e = (y - m)/sqrt(v) and the shares r = e^s/v and c = minimum_variance/v of the variance
  ///
  ///     out_m = (dm/v + r (y - m)/v ds)/(K batch)
  ///     out_s = (r (y - m)/v dm + r/2 (c + e^2 (r - c)) ds)/(K batch)
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar> z, ConstMatrixView<Scalar> y, ConstMatrixView<Scalar> direction, MatrixView<Scalar> out) const {
    const Scalar size = static_cast<Scalar>(y.size());
    const auto variance = variance_formula<Scalar>();
    for_blocks(z, y, [&](Block<Scalar>& b) {
      Scalar dm[Block<Scalar>::capacity], ds[Block<Scalar>::capacity];
      for_each_place(b, y.rows(), [&](Index k, Index i, Index j) {
        dm[k] = direction(i, j);
        ds[k] = direction(y.rows() + i, j);
      });
      kernels::update(
          b.size,
          [variance, size](const auto& target, const auto& m, const auto& s, auto& m_part, auto& s_part) CHAINRULE_FORMULA {
            const auto v = variance(s);
            const auto e = detail::finite(v.standardized(detail::finite(target - m)));
            const auto along_m = detail::finite(v.standardized(m_part)), along_s = detail::finite(v.share * e * s_part);
            const auto curvature = detail::finite(v.share * (v.rest + detail::finite(e * e) * (v.share - v.rest)) / 2);
            m_part = detail::finite(v.standardized(detail::finite(along_m + along_s))) / size;
            s_part = detail::finite(detail::finite(v.share * detail::finite(e * along_m)) + detail::finite(curvature * s_part)) / size;
          },
          static_cast<const Scalar*>(b.target), static_cast<const Scalar*>(b.mean), static_cast<const Scalar*>(b.log_variance), dm, ds);
      for_each_place(b, y.rows(), [&](Index k, Index i, Index j) {
        out(i, j) = dm[k];
        out(y.rows() + i, j) = ds[k];
      });
    });
  }

  ///     y_hat = (m, v)        (2 K x batch), in place
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    const Index k = z.rows() / 2;
    const Scalar least = static_cast<Scalar>(minimum_variance);
    for (Index j = 0; j < z.cols(); ++j) {
      Scalar* s = z.data() + j * z.outerStride() + k;
      kernels::map(
          k, [least](auto s_i) CHAINRULE_FORMULA { return detail::finite(exp(s_i) + least); }, s, static_cast<const Scalar*>(s));
    }
  }
  /// Multiplies the tangent (2 K x N batch), whose column n batch + j belongs to sample j, by the Jacobian of the link, which is diagonal.
  /// The part of the means stays as it is.
  ///
  ///     ds <- e^s ds = (v - minimum_variance) ds
  template <class Scalar>
  void link_jvp(ConstMatrixView<Scalar> prediction, MatrixView<Scalar> tangent) const {
    const Index k = prediction.rows() / 2;
    const Scalar least = static_cast<Scalar>(minimum_variance);
    for (Index column = 0; column < tangent.cols(); ++column) {
      const Scalar* v = prediction.data() + (column % prediction.cols()) * prediction.outerStride() + k;
      Scalar* ds = tangent.data() + column * tangent.outerStride() + k;
      kernels::map(
          k, [least](auto v_i, auto ds_i) CHAINRULE_FORMULA { return detail::finite((v_i - least) * ds_i); }, ds, v,
          static_cast<const Scalar*>(ds));
    }
  }

  /// Does not compile for matrices that are not views; the message says what to write instead.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void link(detail::LossArgument z) const;

 private:
  template <class V>
  struct Variance {
    V logarithm;         // ln v
    V factor1, factor2;  // factors of 1/sqrt(v)
    V share;             // e^s/v
    V rest;              // minimum_variance/v

    // x/sqrt(v), in two steps of the same direction, so that no intermediate result overflows or underflows unless the result does
    CHAINRULE_FORMULA V standardized(const V& x) const { return x * factor1 * factor2; }
  };

  // v = e^s + least, ln v = max(s, ln least) + ln(1 + the smaller of e^s and least, divided by the larger)
  // With e = e^-|s|, which cannot overflow, v, e^s and least are multiplied by e for s > 0.
  // With least = 0: v = e^s, and 1/sqrt(v) = e^(-s/2) may overflow, so it is the product of two exponentials.
  template <class Scalar>
  auto variance_formula() const {
    return [least = static_cast<Scalar>(minimum_variance),
            log_least = std::log(static_cast<Scalar>(minimum_variance))](const auto& s) CHAINRULE_FORMULA {
      using V = std::remove_cvref_t<decltype(s)>;
      if (least == 0) {
        constexpr Scalar safe = Scalar(0.6) * std::numeric_limits<Scalar>::max_exponent;  // e^safe and e^-safe are normal
        const V half = s / -2, part = min(max(half, -safe), safe);
        return Variance<V>{s, exp(part), detail::finite(exp(half - part)), 1, 0};
      }
      const V root = exp(abs(s) / -2), e = root * root;
      const V v = select(s > 0, 1 + least * e, e + least), exponential = select(s > 0, 1, e), added = select(s > 0, least * e, least);
      const V logarithm = max(s, log_least) + log1p_unit(min(exponential, added) / max(exponential, added));
      return Variance<V>{logarithm, select(s > 0, root, 1) / sqrt(v), 1, exponential / v, added / v};
    };
  }

  // Up to `capacity` consecutive elements of y with their means and logarithms of variances, copied out of z so that each is contiguous.
  template <class Scalar>
  struct Block {
    static constexpr Index capacity = 64;
    Index first = 0, size = 0;
    Scalar mean[capacity], log_variance[capacity], target[capacity];
  };

  // calls f(k, i, j) for each element k of the block, which is in row i and column j of y
  template <class Scalar, class F>
  static void for_each_place(const Block<Scalar>& b, Index rows, const F& f) {
    for (Index k = 0; k < b.size; ++k) f(k, (b.first + k) % rows, (b.first + k) / rows);
  }

  template <class Scalar, class Call>
  static void for_blocks(ConstMatrixView<Scalar> z, ConstMatrixView<Scalar> y, const Call& call) {
    Block<Scalar> block;
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i) {
        block.mean[block.size] = z(i, j);
        block.log_variance[block.size] = z(y.rows() + i, j);
        block.target[block.size] = y(i, j);
        if (++block.size < Block<Scalar>::capacity) continue;
        call(block);
        block.first += block.size;
        block.size = 0;
      }
    if (block.size > 0) call(block);
  }
};

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
