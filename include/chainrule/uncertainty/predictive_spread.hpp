#pragma once

#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/kernels/map.hpp>
#include <cmath>

namespace chainrule {

/// Mean and spread of several predictions for the same samples: of the members of an Ensemble, or of the passes of MonteCarloDropout. Views
/// are outputs x samples and valid until the next prediction. Only the constructor allocates.
template <class Scalar>
class PredictiveSpread {
 public:
  /// Allocates the memory for up to max_samples samples.
  PredictiveSpread(Index outputs, Index max_samples) : mean_(outputs, max_samples), squares_(outputs, max_samples), entropy_(max_samples) {}

  Index samples() const { return samples_; }          ///< the number of samples of the last prediction
  Index predictions() const { return predictions_; }  ///< how many predictions the mean is of

  /// The mean of the predictions; for classes the predictive probabilities.
  ConstMatrixView<Scalar> mean() const { return detail::columns_of(detail::const_view<Scalar>(mean_), 0, samples_); }
  /// The variance of each output over the predictions, the mean of (y_hat - mean)^2, which is 0 for one prediction. For a GaussianNLL,
  /// whose predictions are means with variances v below them, the variance of y is the variance of the upper half plus the mean of the
  /// lower.
  Matrix<Scalar> variance() const { return squares_.leftCols(samples_) / static_cast<Scalar>(predictions_); }

  /// The entropy in nats of the predictive probabilities of a sample: how unsure the class is. For one row with the probability p of yes it
  /// is that of p and 1 - p. Throws ValueError where the mean holds numbers outside [0, 1], ShapeError for a sample that is not there.
  ///
  ///     H(mean p) = -sum_k mean p_k ln mean p_k
  double entropy(Index sample) const {
    check_sample(sample);
    return entropy_of(mean_.data() + sample * mean_.rows());
  }
  /// The mutual information in nats of class and member: the part of the entropy that is there because the predictions disagree, which more
  /// training data would reduce (Houlsby et al. 2011; Gal and Ghahramani 2016). Errors are those of entropy.
  ///
  ///     H(mean p) - mean H(p)
  double mutual_information(Index sample) const {
    const double difference = entropy(sample) - entropy_[sample] / static_cast<double>(predictions_);
    return difference > 0 ? difference : 0;  // rounding errors where all predictions are equal
  }

  /// Begins a new mean of predictions for `samples` samples. Throws ShapeError for more samples than there is memory for.
  void start(Index samples) {
    if (samples < 1 || samples > mean_.cols())
      detail::raise<ShapeError>("PredictiveSpread: there is room for 1 to ", mean_.cols(), " samples, got ", samples);
    samples_ = samples;
    predictions_ = 0;
    mean_.leftCols(samples).setZero();
    squares_.leftCols(samples).setZero();
    entropy_.head(samples).setZero();
  }
  /// Adds a prediction, outputs x samples (Welford 1962).
  ///
  ///     mean <- mean + (y_hat - mean)/n,  squares <- squares + (y_hat - old mean)(y_hat - mean)
  void add(ConstMatrixView<Scalar> y_hat) {
    if (y_hat.rows() != mean_.rows() || y_hat.cols() != samples_)
      detail::raise<ShapeError>("PredictiveSpread: expected a prediction of ", mean_.rows(), " x ", samples_, " numbers, got ",
                                y_hat.rows(), " x ", y_hat.cols());
    ++predictions_;
    const auto formula = [n = static_cast<Scalar>(predictions_)](const auto& x, auto& mean, auto& squares) CHAINRULE_FORMULA {
      const auto before = x - mean;
      mean = mean + before / n;
      squares = squares + before * (x - mean);
    };
    for (Index j = 0; j < samples_; ++j) {
      const Scalar* const column = y_hat.data() + j * y_hat.outerStride();
      kernels::update(y_hat.rows(), formula, column, mean_.data() + j * mean_.rows(), squares_.data() + j * mean_.rows());
      if (are_probabilities(column)) entropy_[j] += entropy_of(column);
    }
  }

 private:
  bool are_probabilities(const Scalar* column) const {
    for (Index i = 0; i < mean_.rows(); ++i)
      if (!(column[i] >= 0 && column[i] <= 1)) return false;
    return true;
  }
  // -sum p ln p, with 0 ln 0 = 0
  double entropy_of(const Scalar* p) const {
    if (!are_probabilities(p))
      detail::raise<ValueError>("PredictiveSpread: entropy is for probabilities, from 0 to 1, but the predictions are other numbers");
    const auto part = [](double x) { return x > 0 ? -x * std::log(x) : 0.0; };
    const double first = static_cast<double>(p[0]);
    if (mean_.rows() == 1) return part(first) + part(1 - first);
    return detail::pairwise_sum<double>(mean_.rows(), [&](Index i) { return part(static_cast<double>(p[i])); });
  }
  void check_sample(Index sample) const {
    if (sample < 0 || sample >= samples_)
      detail::raise<ShapeError>("PredictiveSpread: there are ", samples_, " samples, so there is none of number ", sample);
  }

  Matrix<Scalar> mean_, squares_;
  Vector<double> entropy_;  // the sum of the entropies of the predictions, for each sample
  Index samples_ = 0, predictions_ = 0;
};

}  // namespace chainrule
