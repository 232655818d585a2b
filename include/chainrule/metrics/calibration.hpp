#pragma once
// Calibration: whether predictions that say 80 % are right in 80 % of the cases.

#include <algorithm>
#include <chainrule/metrics/detail/metric_inputs.hpp>
#include <cmath>
#include <string>
#include <vector>

namespace chainrule {

/// The probability of a sample that a reliability diagram looks at.
enum class ReliabilityOf {
  predicted_class,  ///< the probability of the class predicted, and whether the prediction is right
  yes,              ///< the probability of class 1 of two, and whether the sample is of class 1
};

/// The samples whose confidence is within one bin of a reliability diagram. With ReliabilityOf::yes, the confidence is the probability of
/// class 1, and the accuracy the share of samples of class 1.
struct ReliabilityBin {
  double low = 0;         ///< the samples have a confidence above this, or of at least this in the first bin
  double high = 0;        ///< the samples have a confidence of at most this
  Index samples = 0;      ///< the number of samples
  double weight = 0;      ///< the sum of the weights of the samples; without weights their number
  double confidence = 0;  ///< the mean confidence of the samples, by weight; 0 without samples
  double accuracy = 0;    ///< the share of samples predicted correctly, by weight; 0 without samples

  /// Mean confidence minus accuracy: above 0 where the predictions are too sure.
  double gap() const { return confidence - accuracy; }
};

/// A reliability diagram (Guo et al. 2017, "On calibration of modern neural networks"): samples in bins of equal width by their confidence,
/// which is the probability of the class that is predicted, with mean confidence and accuracy of each bin. For predictions that are well
/// calibrated these two agree.
///
/// With ReliabilityOf::yes the bins are by the probability of class 1 ("yes") of two, from 0 to 1, and have the share of samples of class
/// 1: whether of the samples with a P(yes) of 0.2 a fifth are yes, also where yes is never the likelier answer.
///
/// y_hat is probabilities, classes x samples, or one row with the probabilities p of class 1, where the class predicted has the
/// probability max(p, 1 - p). y is a vector of labels, or probabilities of the shape of y_hat, which stand for their class. The constructor
/// throws as Accuracy does, ShapeError for ReliabilityOf::yes with more than two classes, and ValueError for numbers outside [0, 1] in
/// y_hat and unless 1 <= bins <= 10,000.
class ReliabilityDiagram {
 public:
  /// Sorts the samples into `bins` bins of equal width from 0 to 1.
  template <detail::NumberMatrix Predictions, detail::ClassTargets Targets>
  ReliabilityDiagram(const Predictions& y_hat, const Targets& y, Index bins = 15, ReliabilityOf of = ReliabilityOf::predicted_class)
      : of_{of} {
    if (bins < 1 || bins > 10'000) detail::raise<ValueError>("ReliabilityDiagram: bins must be 1 to 10000, got ", bins);
    bins_.resize(static_cast<std::size_t>(bins));
    for (Index b = 0; b < bins; ++b) {
      bins_[static_cast<std::size_t>(b)].low = static_cast<double>(b) / static_cast<double>(bins);
      bins_[static_cast<std::size_t>(b)].high = static_cast<double>(b + 1) / static_cast<double>(bins);
    }
    count(detail::metric_view(y_hat), detail::metric_view(y), detail::metric_weights(y));
  }

  const std::vector<ReliabilityBin>& bins() const { return bins_; }  ///< from low to high confidence, also those without samples
  Index samples() const { return samples_; }                         ///< the number of samples in all bins

  /// The expected calibration error (Guo et al. 2017, equation 3), the mean |gap| of the samples' bins.
  ///
  ///     ECE = sum over bins of weight_b/(sum of weights) |confidence_b - accuracy_b|
  double expected_calibration_error() const {
    return detail::pairwise_sum<double>(std::ssize(bins_), [&](Index b) {
      const ReliabilityBin& bin = bins_[static_cast<std::size_t>(b)];
      return bin.weight / weight_ * std::abs(bin.gap());
    });
  }
  /// The maximum calibration error (Guo et al. 2017, equation 5), the largest |gap| of a bin with samples.
  double maximum_calibration_error() const {
    double largest = 0;
    for (const ReliabilityBin& bin : bins_) largest = (std::max)(largest, std::abs(bin.gap()));
    return largest;
  }

  /// Draws the diagram as text, a line for each bin with samples: '=' up to the accuracy, and '|' at the mean confidence.
  std::string to_string() const {
    constexpr int width = 40;
    const auto padded = [](std::string text, std::size_t at_least) {
      return std::string(text.size() < at_least ? at_least - text.size() : 0, ' ') + text;
    };
    const auto place = [](double share) { return static_cast<std::size_t>(share * width + 0.5); };
    std::string text = (of_ == ReliabilityOf::yes ? "     P(yes)   samples       yes  0" : " confidence   samples  accuracy  0") +
                       std::string(width - 1, ' ') + "1\n";
    for (const ReliabilityBin& bin : bins_) {
      if (bin.samples == 0) continue;
      std::string bar(width + 1, ' ');
      std::fill_n(bar.begin(), place(bin.accuracy), '=');
      bar[place(bin.confidence)] = '|';
      bar.erase(bar.find_last_not_of(' ') + 1);
      text += padded(detail::printed(bin.confidence, 3, 'f'), 11) + padded(std::to_string(bin.samples), 10) +
              padded(detail::printed(bin.accuracy, 3, 'f'), 10) + "  " + bar + "\n";
    }
    return text + "expected calibration error: " + detail::printed(expected_calibration_error(), 4, 'f') + "\n";
  }

 private:
  template <class Scalar, class Targets, class Weights>
  void count(const ConstMatrixView<Scalar>& p, const Targets& y, const Weights& w) {
    detail::checked_classes("ReliabilityDiagram", p, y);
    detail::check_probabilities("ReliabilityDiagram", "y_hat", p);
    if (of_ == ReliabilityOf::yes && p.rows() > 2)
      detail::raise<ShapeError>("ReliabilityDiagram: ReliabilityOf::yes needs two classes, but y_hat has ", p.rows(), " rows");
    samples_ = p.cols();
    weight_ = w.total("ReliabilityDiagram", samples_);
    std::vector<detail::PairwiseSum<double>> confidences(bins_.size()), correct(bins_.size()), weights(bins_.size());
    for (Index j = 0; j < samples_; ++j) {
      const Index predicted = of_ == ReliabilityOf::yes ? 1 : detail::class_of(p, j);
      const double yes = static_cast<double>(p(p.rows() - 1, j));
      const double confidence = of_ == ReliabilityOf::yes ? yes
                                : p.rows() > 1            ? static_cast<double>(p(predicted, j))
                                                          : (std::max)(yes, 1 - yes);
      const std::size_t b = bin_of(confidence);
      ++bins_[b].samples;
      weights[b] += w(j);
      confidences[b] += w(j) * confidence;
      if (predicted == detail::class_of(y, j)) correct[b] += w(j);
    }
    for (std::size_t b = 0; b < bins_.size(); ++b) {
      bins_[b].weight = weights[b].total();
      if (!(bins_[b].weight > 0)) continue;
      bins_[b].confidence = confidences[b].total() / bins_[b].weight;
      bins_[b].accuracy = correct[b].total() / bins_[b].weight;
    }
  }

  // the bin with low < confidence <= high
  std::size_t bin_of(double confidence) const {
    const double place = std::ceil(confidence * static_cast<double>(bins_.size())) - 1;
    std::size_t b = place < 0 ? 0 : (std::min)(static_cast<std::size_t>(place), bins_.size() - 1);
    if (confidence > bins_[b].high) ++b;  // the product may have been rounded across a border
    return b > 0 && confidence <= bins_[b].low ? b - 1 : b;
  }

  ReliabilityOf of_;
  std::vector<ReliabilityBin> bins_;
  Index samples_ = 0;
  double weight_ = 0;
};

/// The expected calibration error (Guo et al. 2017): the mean distance between confidence and accuracy in bins of equal width by the
/// confidence of the class predicted. y_hat, y and errors are as for ReliabilityDiagram, which tells more. Allocates.
class ExpectedCalibrationError {
 public:
  static constexpr std::string_view name = "expected_calibration_error";  ///< the name in descriptions, files and messages
  static constexpr bool larger_is_better = false;                         ///< the smaller the score, the better

  /// `bins` is the number of bins from 0 to 1. Throws ValueError unless 1 <= bins <= 10,000.
  constexpr explicit ExpectedCalibrationError(Index bins = 15) : bins_{bins} {
    if (bins < 1 || bins > 10'000) detail::raise<ValueError>("ExpectedCalibrationError: bins must be 1 to 10000, got ", bins);
  }

  constexpr Index bins() const { return bins_; }  ///< the number of bins from 0 to 1

  ///     sum over bins of samples_b/samples |confidence_b - accuracy_b|
  template <detail::NumberMatrix Predictions, detail::ClassTargets Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return ReliabilityDiagram(y_hat, y, bins_).expected_calibration_error();
  }
  /// Does not compile for the arguments in the other order; the message says what to write instead.
  template <detail::LabelVector Labels, detail::NumberMatrix Predictions>
  double operator()(const Labels&, const Predictions&) const {
    return detail::labels_first<Labels>();
  }

 private:
  Index bins_;
};

/// The object of class ExpectedCalibrationError with 15 bins, to call or to give to `fit`.
inline constexpr ExpectedCalibrationError expected_calibration_error{};

}  // namespace chainrule
