#pragma once
// Metrics for predicted numbers. For several outputs they follow scikit-learn's multioutput = "uniform_average".

#include <algorithm>
#include <chainrule/metrics/detail/metric_inputs.hpp>
#include <cmath>
#include <limits>
#include <type_traits>

namespace chainrule {

namespace detail {

/// Throws ShapeError unless y_hat and y have the same extents, none of them 0, and ValueError for NaN and infinity.
template <class A, class B>
void check_regression(std::string_view who, const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y) {
  check_same_samples(who, y_hat, y);
  check_same_rows(who, y_hat.rows(), y.rows());
  check_numbers(who, "y_hat", y_hat);
  check_numbers(who, "y", y);
}

/// The distances y - y_hat, multiplied by a power of two that brings the largest number to about 1, so that neither they nor their squares
/// overflow or vanish.
template <class A, class B>
class ScaledErrors {
  using Wide = std::common_type_t<A, B, double>;

 public:
  ScaledErrors(const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y) : y_hat_{y_hat}, y_{y} {
    if constexpr (sizeof(A) == sizeof(float) && sizeof(B) == sizeof(float)) return;  // double holds their squares
    Wide largest = 0;
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i)
        largest = (std::max)({largest, std::abs(static_cast<Wide>(y_hat(i, j))), std::abs(static_cast<Wide>(y(i, j)))});
    constexpr int most = std::numeric_limits<Wide>::max_exponent - 4;
    int exponent = 0;
    std::frexp(largest, &exponent);
    scale_ = std::ldexp(Wide{1}, std::clamp(-exponent, -most, most));
  }

  /// (y - y_hat) scale for output i of sample j.
  double operator()(Index i, Index j) const {
    return static_cast<double>(static_cast<Wide>(y_(i, j)) * scale_ - static_cast<Wide>(y_hat_(i, j)) * scale_);
  }
  /// (y - first y) scale for output i of sample j; exactly 0 where they are equal.
  double from_first(Index i, Index j) const {
    return static_cast<double>(static_cast<Wide>(y_(i, j)) * scale_ - static_cast<Wide>(y_(i, 0)) * scale_);
  }
  /// Returns x / scale^power as a double.
  double unscaled(double x, int power) const {
    Wide wide = static_cast<Wide>(x);
    for (int p = 0; p < power; ++p) wide /= scale_;
    return static_cast<double>(wide);
  }

 private:
  const ConstMatrixView<A>& y_hat_;
  const ConstMatrixView<B>& y_;
  Wide scale_ = 1;
};

/// Returns the weighted mean of f(y - y_hat) over all elements, summed in double, for f = |error|^power.
template <class A, class B, class Weights, class F>
double mean_of_errors(std::string_view who, const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y, const Weights& w, int power,
                      F f) {
  check_regression(who, y_hat, y);
  const ScaledErrors errors(y_hat, y);
  const double sum = pairwise_sum<double>(y.rows(), y.cols(), [&](Index i, Index j) { return w(j) * f(errors(i, j)); });
  return errors.unscaled(sum / (w.total(who, y.cols()) * static_cast<double>(y.rows())), power);
}

/// Returns the weighted sum over the samples of the squares of the scaled errors of output i.
template <class A, class B, class Weights>
double sum_of_squares(const ScaledErrors<A, B>& errors, const Weights& w, Index samples, Index i) {
  return pairwise_sum<double>(samples, [&](Index j) { return w(j) * (errors(i, j) * errors(i, j)); });
}

}  // namespace detail

/// The mean squared error, 1/(outputs samples) sum (y - y_hat)^2. y_hat and y are outputs x samples. Throws ShapeError where their extents
/// differ or are 0, ValueError for NaN and infinity. MeanSquaredError is the loss with this formula.
struct Mse {
  static constexpr std::string_view name = "mse";  ///< the name in descriptions, files and messages
  static constexpr bool larger_is_better = false;  ///< the smaller the score, the better

  /// Returns the score of the predictions y_hat (outputs x samples) for the targets y.
  template <detail::NumberMatrix Predictions, detail::NumberTargets Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return detail::mean_of_errors(name, detail::metric_view(y_hat), detail::metric_view(y), detail::metric_weights(y), 2,
                                  [](double error) { return error * error; });
  }
};

/// The mean absolute error, 1/(outputs samples) sum |y - y_hat|. y_hat, y and errors are as for Mse.
struct Mae {
  static constexpr std::string_view name = "mae";  ///< the name in descriptions, files and messages
  static constexpr bool larger_is_better = false;  ///< the smaller the score, the better

  /// Returns the score of the predictions y_hat (outputs x samples) for the targets y.
  template <detail::NumberMatrix Predictions, detail::NumberTargets Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return detail::mean_of_errors(name, detail::metric_view(y_hat), detail::metric_view(y), detail::metric_weights(y), 1,
                                  [](double error) { return std::abs(error); });
  }
};

/// The root mean squared error, in the unit of y. For several outputs it is the mean of the roots of the outputs, as in scikit-learn, which
/// is not the root of Mse. y_hat, y and errors are as for Mse.
struct Rmse {
  static constexpr std::string_view name = "rmse";  ///< the name in descriptions, files and messages
  static constexpr bool larger_is_better = false;   ///< the smaller the score, the better

  /// Returns the score of the predictions y_hat (outputs x samples) for the targets y.
  template <detail::NumberMatrix Predictions, detail::NumberTargets Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return mean_of_roots(detail::metric_view(y_hat), detail::metric_view(y), detail::metric_weights(y));
  }

 private:
  ///     1/outputs sum over the outputs of sqrt(1/samples sum (y - y_hat)^2)
  template <class A, class B, class Weights>
  static double mean_of_roots(const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y, const Weights& w) {
    detail::check_regression(name, y_hat, y);
    const detail::ScaledErrors errors(y_hat, y);
    const double samples = w.total(name, y.cols());
    const double sum = detail::pairwise_sum<double>(
        y.rows(), [&](Index i) { return std::sqrt(detail::sum_of_squares(errors, w, y.cols(), i) / samples); });
    return errors.unscaled(sum / static_cast<double>(y.rows()), 1);
  }
};

/// The coefficient of determination, 1 - sum (y - y_hat)^2 / sum (y - mean y)^2: 1 for exact predictions, 0 for predictions no better than
/// the mean of y, below 0 for worse ones. For several outputs it is the mean over the outputs. An output whose y is constant counts 1 if
/// y_hat is exact, else 0, as in scikit-learn. y_hat, y and errors are as for Mse, and fewer than two samples are a ShapeError.
struct R2 {
  static constexpr std::string_view name = "r2";  ///< the name in descriptions, files and messages
  static constexpr bool larger_is_better = true;  ///< the larger the score, the better

  /// Returns the score of the predictions y_hat (outputs x samples) for the targets y.
  template <detail::NumberMatrix Predictions, detail::NumberTargets Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return mean_over_outputs(detail::metric_view(y_hat), detail::metric_view(y), detail::metric_weights(y));
  }

 private:
  template <class A, class B, class Weights>
  static double mean_over_outputs(const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y, const Weights& w) {
    detail::check_regression(name, y_hat, y);
    if (y.cols() < 2) detail::raise<ShapeError>(name, ": it needs at least two samples, got ", y.cols(), " (one column is one sample)");
    const detail::ScaledErrors errors(y_hat, y);
    const double sum = detail::pairwise_sum<double>(y.rows(), [&](Index i) {
      return r2_of_output(detail::sum_of_squares(errors, w, y.cols(), i), total_sum_of_squares(errors, w, y.cols(), i));
    });
    return sum / static_cast<double>(y.rows());
  }

  // 1 - sum (y - y_hat)^2 / sum (y - mean y)^2
  static double r2_of_output(double errors, double total) {
    if (total > 0) return 1 - errors / total;
    return errors > 0 ? 0 : 1;
  }

  // scale^2 sum w (y - mean y)^2 of output i. Subtracts the first y before summing, so that the result is exactly 0 where all y are equal.
  template <class A, class B, class Weights>
  static double total_sum_of_squares(const detail::ScaledErrors<A, B>& errors, const Weights& w, Index samples, Index i) {
    const auto shifted = [&](Index j) { return errors.from_first(i, j); };
    const double mean = detail::pairwise_sum<double>(samples, [&](Index j) { return w(j) * shifted(j); }) / w.total(name, samples);
    return detail::pairwise_sum<double>(samples, [&](Index j) { return w(j) * ((shifted(j) - mean) * (shifted(j) - mean)); });
  }
};

inline constexpr Mse mse{};    ///< the object of class Mse, to call or to give to `fit`
inline constexpr Mae mae{};    ///< the object of class Mae, to call or to give to `fit`
inline constexpr Rmse rmse{};  ///< the object of class Rmse, to call or to give to `fit`
inline constexpr R2 r2{};      ///< the object of class R2, to call or to give to `fit`

}  // namespace chainrule
