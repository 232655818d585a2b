#pragma once
// Metrics for predicted numbers. For several outputs they follow scikit-learn's multioutput = "uniform_average".

#include <chainrule/metrics/detail/metric_inputs.hpp>
#include <cmath>

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

/// Returns the mean of f(y - y_hat) over all elements, summed in double.
template <class A, class B, class F>
double mean_of_errors(std::string_view who, const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y, F f) {
  check_regression(who, y_hat, y);
  const double sum = pairwise_sum<double>(
      y.rows(), y.cols(), [&](Index i, Index j) { return f(static_cast<double>(y(i, j)) - static_cast<double>(y_hat(i, j))); });
  return sum / static_cast<double>(y.size());
}

/// Returns the sum over the samples of (y - y_hat)^2 for output i.
template <class A, class B>
double sum_of_squared_errors(const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y, Index i) {
  return pairwise_sum<double>(y.cols(), [&](Index j) {
    const double error = static_cast<double>(y(i, j)) - static_cast<double>(y_hat(i, j));
    return error * error;
  });
}

}  // namespace detail

/// The mean squared error, 1/(outputs samples) sum (y - y_hat)^2. y_hat and y are outputs x samples. Throws ShapeError where their extents
/// differ or are 0, ValueError for NaN and infinity. MeanSquaredError is the loss with this formula.
struct Mse {
  static constexpr std::string_view name = "mse";  ///< the name in descriptions, files and messages
  static constexpr bool larger_is_better = false;  ///< the smaller the score, the better

  /// Returns the score of the predictions y_hat (outputs x samples) for the targets y.
  template <detail::NumberMatrix Predictions, detail::NumberMatrix Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return detail::mean_of_errors(name, detail::metric_view(y_hat), detail::metric_view(y), [](double error) { return error * error; });
  }
};

/// The mean absolute error, 1/(outputs samples) sum |y - y_hat|. y_hat, y and errors are as for Mse.
struct Mae {
  static constexpr std::string_view name = "mae";  ///< the name in descriptions, files and messages
  static constexpr bool larger_is_better = false;  ///< the smaller the score, the better

  /// Returns the score of the predictions y_hat (outputs x samples) for the targets y.
  template <detail::NumberMatrix Predictions, detail::NumberMatrix Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return detail::mean_of_errors(name, detail::metric_view(y_hat), detail::metric_view(y), [](double error) { return std::abs(error); });
  }
};

/// The root mean squared error, in the unit of y. For several outputs it is the mean of the roots of the outputs, as in scikit-learn, which
/// is not the root of Mse. y_hat, y and errors are as for Mse.
struct Rmse {
  static constexpr std::string_view name = "rmse";  ///< the name in descriptions, files and messages
  static constexpr bool larger_is_better = false;   ///< the smaller the score, the better

  /// Returns the score of the predictions y_hat (outputs x samples) for the targets y.
  template <detail::NumberMatrix Predictions, detail::NumberMatrix Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return mean_of_roots(detail::metric_view(y_hat), detail::metric_view(y));
  }

 private:
  ///     1/outputs sum over the outputs of sqrt(1/samples sum (y - y_hat)^2)
  template <class A, class B>
  static double mean_of_roots(const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y) {
    detail::check_regression(name, y_hat, y);
    const double samples = static_cast<double>(y.cols());
    const double sum =
        detail::pairwise_sum<double>(y.rows(), [&](Index i) { return std::sqrt(detail::sum_of_squared_errors(y_hat, y, i) / samples); });
    return sum / static_cast<double>(y.rows());
  }
};

/// The coefficient of determination, 1 - sum (y - y_hat)^2 / sum (y - mean y)^2: 1 for exact predictions, 0 for predictions no better than
/// the mean of y, below 0 for worse ones. For several outputs it is the mean over the outputs. An output whose y is constant counts 1 if
/// y_hat is exact, else 0, as in scikit-learn. Needs at least two samples; otherwise y_hat, y and errors are as for Mse.
struct R2 {
  static constexpr std::string_view name = "r2";  ///< the name in descriptions, files and messages
  static constexpr bool larger_is_better = true;  ///< the larger the score, the better

  /// Returns the score of the predictions y_hat (outputs x samples) for the targets y.
  template <detail::NumberMatrix Predictions, detail::NumberMatrix Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return mean_over_outputs(detail::metric_view(y_hat), detail::metric_view(y));
  }

 private:
  template <class A, class B>
  static double mean_over_outputs(const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y) {
    detail::check_regression(name, y_hat, y);
    if (y.cols() < 2) detail::raise<ShapeError>(name, ": it needs at least two samples, got ", y.cols(), " (one column is one sample)");
    const double sum = detail::pairwise_sum<double>(
        y.rows(), [&](Index i) { return r2_of_output(detail::sum_of_squared_errors(y_hat, y, i), total_sum_of_squares(y, i)); });
    return sum / static_cast<double>(y.rows());
  }

  // 1 - sum (y - y_hat)^2 / sum (y - mean y)^2
  static double r2_of_output(double errors, double total) {
    if (total > 0) return 1 - errors / total;
    return errors > 0 ? 0 : 1;
  }

  // sum (y - mean y)^2 of output i. Subtracts the first y before summing, so that the result is exactly 0 where all y are equal.
  template <class B>
  static double total_sum_of_squares(const ConstMatrixView<B>& y, Index i) {
    const double first = static_cast<double>(y(i, 0));
    const auto shifted = [&](Index j) { return static_cast<double>(y(i, j)) - first; };
    const double mean = detail::pairwise_sum<double>(y.cols(), shifted) / static_cast<double>(y.cols());
    return detail::pairwise_sum<double>(y.cols(), [&](Index j) { return (shifted(j) - mean) * (shifted(j) - mean); });
  }
};

inline constexpr Mse mse{};    ///< the object of class Mse, to call or to give to `fit`
inline constexpr Mae mae{};    ///< the object of class Mae, to call or to give to `fit`
inline constexpr Rmse rmse{};  ///< the object of class Rmse, to call or to give to `fit`
inline constexpr R2 r2{};      ///< the object of class R2, to call or to give to `fit`

}  // namespace chainrule
