#pragma once
// Split-conformal prediction: intervals and sets that contain the truth with a probability that is chosen, whatever the network and the
// distribution of the data are. Needs samples that the training has not seen and that are exchangeable with those to predict: drawn in the
// same way, in no order.

#include <algorithm>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/metrics/detail/metric_inputs.hpp>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

namespace chainrule {

/// The quantile of the scores of n held-out samples that a new score exceeds with a probability of at most `miscoverage` (Vovk et al. 2005;
/// Angelopoulos and Bates 2021): the k-th smallest with k = ceil((n + 1)(1 - miscoverage)). It is infinite where k > n, that is for n below
/// 1/miscoverage - 1, because no interval between the scores would suffice. Throws ValueError for no scores, NaN, and a miscoverage that is
/// not above 0 and below 1.
inline double conformal_quantile(std::vector<double> scores, double miscoverage) {
  detail::check_inner_fraction("conformal_quantile", "miscoverage", miscoverage);
  if (scores.empty()) detail::raise<ValueError>("conformal_quantile: there are no scores; it needs held-out samples");
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (detail::is_nan(scores[i])) detail::raise<ValueError>("conformal_quantile: score ", i, " is nan");
  // k = n + 1 - floor((n + 1) miscoverage), where a product such as 10 * 0.1 must not be rounded below the whole number that it is
  const double outside = std::floor((static_cast<double>(scores.size()) + 1) * miscoverage * (1 + 1e-14));
  if (outside < 1) return std::numeric_limits<double>::infinity();
  const auto place = scores.end() - static_cast<std::ptrdiff_t>(outside);
  std::nth_element(scores.begin(), place, scores.end());
  return *place;
}

/// Lower and upper ends of intervals, outputs x samples.
template <class Scalar>
struct Intervals {
  Matrix<Scalar> low;   ///< lower ends
  Matrix<Scalar> high;  ///< upper ends
};

/// Intervals for predicted numbers, each of which contains the y of a new sample with a probability of at least 1 - miscoverage (split
/// conformal prediction with absolute residuals: Lei et al. 2018). Each output has a half-width of its own, and a probability of its own.
/// @code{.cpp}
/// const ConformalIntervals intervals(net.predict(held_out_numbers.features), held_out_numbers.targets, 0.1);
/// const auto [low, high] = intervals(net.predict(x));  // each y is between low and high with 90 %
/// @endcode
///
///     y_hat -+ q  with q = conformal_quantile(|y - y_hat|);  with spreads s: y_hat -+ q s  with q = conformal_quantile(|y - y_hat|/s)
///
/// With spreads, such as the standard deviations that GaussianNLL or an Ensemble predict, the intervals are wide where the network is
/// unsure. The probability is over held-out samples and new samples, not for each x.
class ConformalIntervals {
 public:
  /// Takes predictions and targets of held-out samples, outputs x samples. Throws ShapeError where their shapes differ, ValueError for NaN
  /// and infinity and for a miscoverage that is not above 0 and below 1.
  template <detail::NumberMatrix Predictions, detail::NumberMatrix Targets>
  ConformalIntervals(const Predictions& y_hat, const Targets& y, double miscoverage) {
    fit(detail::metric_view(y_hat), detail::metric_view(y), miscoverage, [](Index, Index) { return 1.0; });
  }
  /// Takes a spread above 0 for each prediction too; another one is a ValueError.
  template <detail::NumberMatrix Predictions, detail::NumberMatrix Spreads, detail::NumberMatrix Targets>
  ConformalIntervals(const Predictions& y_hat, const Spreads& spread, const Targets& y, double miscoverage) : is_normalized_{true} {
    const auto s = checked_spread(detail::metric_view(spread), y_hat.rows(), y_hat.cols());
    fit(detail::metric_view(y_hat), detail::metric_view(y), miscoverage, [s](Index i, Index j) { return static_cast<double>(s(i, j)); });
  }

  /// The half-width q of the intervals of each output, in units of the spread where there are spreads. Infinite for too few samples.
  const std::vector<double>& quantiles() const { return quantiles_; }

  /// The intervals of new predictions, outputs x samples. Throws ShapeError for another number of outputs, StateError where the held-out
  /// samples had spreads.
  template <detail::NumberMatrix Predictions>
  Intervals<typename Predictions::Scalar> operator()(const Predictions& y_hat) const {
    if (is_normalized_)
      detail::raise<StateError>(
          "ConformalIntervals: the held-out samples had spreads, so the predictions need them too: "
          "intervals(y_hat, spread)");
    return around(detail::metric_view(y_hat), [](Index, Index) { return 1.0; });
  }
  /// The intervals of new predictions with their spreads. Throws ShapeError for other shapes, ValueError for a spread that is not above 0,
  /// StateError where the held-out samples had no spreads.
  template <detail::NumberMatrix Predictions, detail::NumberMatrix Spreads>
  Intervals<typename Predictions::Scalar> operator()(const Predictions& y_hat, const Spreads& spread) const {
    if (!is_normalized_)
      detail::raise<StateError>("ConformalIntervals: the held-out samples had no spreads, so those of the predictions mean nothing");
    const auto s = checked_spread(detail::metric_view(spread), y_hat.rows(), y_hat.cols());
    return around(detail::metric_view(y_hat), [s](Index i, Index j) { return static_cast<double>(s(i, j)); });
  }

 private:
  static constexpr std::string_view name = "ConformalIntervals";

  template <class Scalar>
  static ConstMatrixView<Scalar> checked_spread(const ConstMatrixView<Scalar>& spread, Index rows, Index cols) {
    if (spread.rows() != rows || spread.cols() != cols)
      detail::raise<ShapeError>(name, ": y_hat is ", rows, " x ", cols, ", but the spreads are ", spread.rows(), " x ", spread.cols());
    detail::check_numbers(name, "spread", spread);
    for (Index j = 0; j < cols; ++j)
      for (Index i = 0; i < rows; ++i)
        if (!(spread(i, j) > 0))
          detail::raise<ValueError>(name, ": spread(", i, ", ", j, ") is ", spread(i, j), ", but it must be above 0");
    return spread;
  }

  template <class A, class B, class SpreadOf>
  void fit(const ConstMatrixView<A>& y_hat, const ConstMatrixView<B>& y, double miscoverage, const SpreadOf& spread_of) {
    detail::check_same_samples(name, y_hat, y);
    detail::check_same_rows(name, y_hat.rows(), y.rows());
    detail::check_numbers(name, "y_hat", y_hat);
    detail::check_numbers(name, "y", y);
    for (Index i = 0; i < y.rows(); ++i) {
      std::vector<double> scores;
      for (Index j = 0; j < y.cols(); ++j)
        scores.push_back(std::abs(static_cast<double>(y(i, j)) - static_cast<double>(y_hat(i, j))) / spread_of(i, j));
      quantiles_.push_back(conformal_quantile(std::move(scores), miscoverage));
    }
  }

  template <class Scalar, class SpreadOf>
  Intervals<Scalar> around(const ConstMatrixView<Scalar>& y_hat, const SpreadOf& spread_of) const {
    if (y_hat.rows() != std::ssize(quantiles_))
      detail::raise<ShapeError>(name, ": the held-out samples had ", quantiles_.size(), " outputs, but y_hat has ", y_hat.rows(), " rows");
    detail::check_numbers(name, "y_hat", y_hat);
    Intervals<Scalar> all{Matrix<Scalar>(y_hat.rows(), y_hat.cols()), Matrix<Scalar>(y_hat.rows(), y_hat.cols())};
    for (Index j = 0; j < y_hat.cols(); ++j)
      for (Index i = 0; i < y_hat.rows(); ++i) {
        const double half = quantiles_[static_cast<std::size_t>(i)] * spread_of(i, j), middle = static_cast<double>(y_hat(i, j));
        all.low(i, j) = static_cast<Scalar>(middle - half);
        all.high(i, j) = static_cast<Scalar>(middle + half);
      }
    return all;
  }

  std::vector<double> quantiles_;
  bool is_normalized_ = false;
};

/// How a class is scored in ConformalSets: the higher the score, the less it conforms to the prediction.
enum class ConformalScore {
  probability,  ///< 1 - p of the class (LAC: Sadinle et al. 2019); the smallest sets on average, may be empty
  cumulative    ///< the sum of p over this class and all with a larger p (APS: Romano et al. 2020); adapts better to hard samples
};

/// Sets of classes, each of which contains the class of a new sample with a probability of at least 1 - miscoverage (split conformal
/// prediction).
/// @code{.cpp}
/// const ConformalSets sets(net.predict(held_out.features), held_out.targets, 0.1);
/// const Matrix<bool> in_set = sets(net.predict(x));  // classes x samples
/// @endcode
///
///     set(x) = {k : score of class k <= q}  with q = conformal_quantile(scores of the true classes of held-out samples)
///
/// The cumulative score is not randomized, so its sets are a little larger than needed. In it, classes with equal p are taken together. The
/// probability is over held-out samples and new samples, not for each x.
class ConformalSets {
 public:
  /// Takes probabilities of held-out samples, classes x samples, or one row with those of class 1 ("yes"), and labels, or probabilities of
  /// the shape of y_hat, which stand for their class. Throws as Accuracy does, and ValueError for a y_hat outside [0, 1] and a miscoverage
  /// that is not above 0 and below 1.
  template <detail::NumberMatrix Predictions, detail::LabelsOrProbabilities Targets>
  ConformalSets(const Predictions& y_hat, const Targets& y, double miscoverage, ConformalScore score = ConformalScore::probability)
      : score_{score} {
    fit(detail::metric_view(y_hat), detail::metric_view(y), miscoverage);
  }

  Index classes() const { return classes_; }     ///< the number of classes
  double quantile() const { return quantile_; }  ///< the largest score of a class in a set; infinite for too few samples

  /// Whether each class is in the set of each new sample, classes x samples. Throws ShapeError for another number of rows, ValueError for
  /// numbers outside [0, 1].
  template <detail::NumberMatrix Predictions>
  Matrix<bool> operator()(const Predictions& y_hat) const {
    const auto p = detail::metric_view(y_hat);
    if (detail::class_count(p) != classes_)
      detail::raise<ShapeError>(name, ": the held-out samples had ", classes_, " classes, but y_hat has ", p.rows(), " rows");
    detail::check_probabilities(name, "y_hat", p);
    Matrix<bool> sets(classes_, p.cols());
    for (Index j = 0; j < p.cols(); ++j)
      for (Index k = 0; k < classes_; ++k) sets(k, j) = score_of(p, k, j) <= quantile_;
    return sets;
  }

 private:
  static constexpr std::string_view name = "ConformalSets";

  template <class Scalar, class Targets>
  void fit(const ConstMatrixView<Scalar>& p, const Targets& y, double miscoverage) {
    classes_ = detail::checked_classes(name, p, y);
    detail::check_probabilities(name, "y_hat", p);
    std::vector<double> scores;
    for (Index j = 0; j < p.cols(); ++j) scores.push_back(score_of(p, detail::class_of(y, j), j));
    quantile_ = conformal_quantile(std::move(scores), miscoverage);
  }

  template <class Scalar>
  static double probability(const ConstMatrixView<Scalar>& p, Index k, Index j) {
    if (p.rows() > 1) return static_cast<double>(p(k, j));
    return k == 1 ? static_cast<double>(p(0, j)) : 1 - static_cast<double>(p(0, j));
  }
  // the score of class k for sample j
  template <class Scalar>
  double score_of(const ConstMatrixView<Scalar>& p, Index k, Index j) const {
    const double own = probability(p, k, j);
    if (score_ == ConformalScore::probability) return 1 - own;
    return detail::pairwise_sum<double>(detail::class_count(p), [&](Index i) {
      const double other = probability(p, i, j);
      return other >= own ? other : 0;
    });
  }

  ConformalScore score_;
  Index classes_ = 0;
  double quantile_ = 0;
};

}  // namespace chainrule
