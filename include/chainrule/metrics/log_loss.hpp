#pragma once

#include <chainrule/metrics/detail/class_counts.hpp>
#include <cmath>
#include <limits>

namespace chainrule {

/// - sum_k y_k ln p_k, mean over the samples, of probabilities p: scikit-learn's log_loss. As there, p is first brought into
/// [epsilon, 1 - epsilon] with the epsilon of its scalar (2.2e-16 for double, 1.2e-7 for float), so that ln 0 is finite, and
/// each column divided by its sum. (The loss of a net that works on logits is exact, and not limited.)
/// y_hat: classes x samples, each column of sum 1 (to 1e-3); or one row, the probabilities of "yes". y: labels, or probabilities
/// of the shape of y_hat, of sum 1 too. Throws what Accuracy does, and ValueError for what is no probability or of another sum.
struct LogLoss {
  static constexpr std::string_view name = "log_loss";
  static constexpr bool larger_is_better = false;

  template <detail::Numbers Predictions, detail::Classes Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return mean_loss(detail::metric_view(y_hat), detail::metric_view(y));
  }

 private:
  template <class Scalar, class Targets>
  static double mean_loss(const ConstMatrixView<Scalar>& p, const Targets& y) {
    const Index classes = detail::checked_classes(name, p, y);
    detail::check_probabilities(name, "y_hat", p);
    check_sums("y_hat", p);
    if constexpr (detail::Numbers<Targets>) check_sums("y", y);

    double sum = 0;
    for (Index j = 0; j < p.cols(); ++j) {
      double total = 0;
      for (Index k = 0; k < classes; ++k) total += clipped(p, k, j);
      for (Index k = 0; k < classes; ++k)
        if (const double y_k = target(y, k, j); y_k > 0) sum -= y_k * std::log(clipped(p, k, j) / total);
    }
    return sum / static_cast<double>(p.cols());
  }

  /// The probability of class k, where one row holds that of class 1.
  template <class Scalar>
  static Scalar probability(const ConstMatrixView<Scalar>& p, Index k, Index j) {
    if (p.rows() > 1) return p(k, j);
    return k == 1 ? p(0, j) : 1 - p(0, j);
  }

  template <class Scalar>
  static double clipped(const ConstMatrixView<Scalar>& p, Index k, Index j) {
    constexpr Scalar epsilon = std::numeric_limits<Scalar>::epsilon();
    return static_cast<double>(std::clamp(probability(p, k, j), epsilon, 1 - epsilon));
  }

  template <class Scalar>
  static double target(const ConstMatrixView<Scalar>& y, Index k, Index j) {
    return static_cast<double>(probability(y, k, j));
  }
  template <class Label>
  static double target(std::span<const Label> y, Index k, Index j) {
    return detail::class_of(y, j) == k ? 1 : 0;
  }

  template <class Scalar>
  static void check_sums(const char* what, const ConstMatrixView<Scalar>& p) {
    if (p.rows() == 1) return;
    for (Index j = 0; j < p.cols(); ++j) {
      double sum = 0;
      for (Index k = 0; k < p.rows(); ++k) sum += static_cast<double>(p(k, j));
      if (!(std::abs(sum - 1) <= 1e-3))
        detail::raise<ValueError>(name, ": the probabilities of sample ", j, " in ", what, " sum to ", sum, ", but they must sum to 1");
    }
  }
};

inline constexpr LogLoss log_loss{};

}  // namespace chainrule
