#pragma once
// How far predicted numbers are from the true ones. The conventions for several outputs are scikit-learn's ("uniform_average").

#include <chainrule/metrics/detail/class_counts.hpp>
#include <cmath>

namespace chainrule {

namespace detail {

/// Throws unless both have the same extents, neither of them 0 (ShapeError), and finite numbers only (ValueError).
template <class A, class B>
void check_regression(std::string_view who, const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y) {
  check_same_samples(who, y_hat, y);
  check_same_rows(who, y_hat.rows(), y.rows());
  check_numbers(who, "y_hat", y_hat);
  check_numbers(who, "y", y);
}

/// The mean over all elements of f(y - y_hat).
template <class A, class B, class F>
double mean_of_errors(std::string_view who, const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y, F f) {
  check_regression(who, y_hat, y);
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j)
    for (Index i = 0; i < y.rows(); ++i) sum += f(static_cast<double>(y(i, j)) - static_cast<double>(y_hat(i, j)));
  return sum / static_cast<double>(y.size());
}

/// The sum over the samples of output i's (y - y_hat)^2.
template <class A, class B>
double squared_errors(const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y, Index i) {
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j) {
    const double error = static_cast<double>(y(i, j)) - static_cast<double>(y_hat(i, j));
    sum += error * error;
  }
  return sum;
}

}  // namespace detail

/// The mean squared error, 1/(outputs samples) sum (y - y_hat)^2. y_hat and y: outputs x samples, of the same extents, else
/// ShapeError; ValueError for a NaN or infinity. (The loss of this formula is the type MeanSquaredError.)
struct Mse {
  static constexpr std::string_view name = "mse";
  static constexpr bool larger_is_better = false;

  template <detail::Numbers Predictions, detail::Numbers Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return detail::mean_of_errors(name, detail::metric_view(y_hat), detail::metric_view(y), [](double error) { return error * error; });
  }
};

/// The mean absolute error, 1/(outputs samples) sum |y - y_hat|. y_hat and y: as for Mse.
struct Mae {
  static constexpr std::string_view name = "mae";
  static constexpr bool larger_is_better = false;

  template <detail::Numbers Predictions, detail::Numbers Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return detail::mean_of_errors(name, detail::metric_view(y_hat), detail::metric_view(y), [](double error) { return std::abs(error); });
  }
};

/// The root of the mean squared error, in the unit of y. With several outputs the mean of each one's root, as scikit-learn has
/// it; that is not the root of Mse. y_hat and y: as for Mse.
struct Rmse {
  static constexpr std::string_view name = "rmse";
  static constexpr bool larger_is_better = false;

  template <detail::Numbers Predictions, detail::Numbers Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return mean_of_roots(detail::metric_view(y_hat), detail::metric_view(y));
  }

 private:
  ///     1/outputs sum over the outputs of sqrt(1/samples sum (y - y_hat)^2)
  template <class A, class B>
  static double mean_of_roots(const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y) {
    detail::check_regression(name, y_hat, y);
    double sum = 0;
    for (Index i = 0; i < y.rows(); ++i) sum += std::sqrt(detail::squared_errors(y_hat, y, i) / static_cast<double>(y.cols()));
    return sum / static_cast<double>(y.rows());
  }
};

/// The coefficient of determination: the share of the variance of y that y_hat explains, 1 where it is exact, 0 where it is no
/// better than the mean of y, below 0 where it is worse. With several outputs the mean of theirs. An output whose y is the same
/// for all samples counts 1 if y_hat is exact and else 0, as in scikit-learn. y_hat and y: as for Mse, of two samples at least.
struct R2 {
  static constexpr std::string_view name = "r2";
  static constexpr bool larger_is_better = true;

  template <detail::Numbers Predictions, detail::Numbers Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return mean_explained(detail::metric_view(y_hat), detail::metric_view(y));
  }

 private:
  template <class A, class B>
  static double mean_explained(const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y) {
    detail::check_regression(name, y_hat, y);
    if (y.cols() < 2) detail::raise<ShapeError>(name, ": it needs at least two samples, got ", y.cols(), " (one column is one sample)");
    double sum = 0;
    for (Index i = 0; i < y.rows(); ++i) sum += explained(detail::squared_errors(y_hat, y, i), spread(y, i));
    return sum / static_cast<double>(y.rows());
  }

  // 1 - sum (y - y_hat)^2 / sum (y - mean y)^2
  static double explained(double errors, double spread) {
    if (spread > 0) return 1 - errors / spread;
    return errors > 0 ? 0 : 1;
  }

  // sum (y - mean y)^2 of output i, with y counted from the first one: exactly 0 where all are the same
  template <class B>
  static double spread(const ConstMatrixView<B>& y, Index i) {
    const double first = static_cast<double>(y(i, 0));
    double mean = 0;
    for (Index j = 0; j < y.cols(); ++j) mean += static_cast<double>(y(i, j)) - first;
    mean /= static_cast<double>(y.cols());
    double sum = 0;
    for (Index j = 0; j < y.cols(); ++j) {
      const double off = static_cast<double>(y(i, j)) - first - mean;
      sum += off * off;
    }
    return sum;
  }
};

inline constexpr Mse mse{};
inline constexpr Mae mae{};
inline constexpr Rmse rmse{};
inline constexpr R2 r2{};

}  // namespace chainrule
