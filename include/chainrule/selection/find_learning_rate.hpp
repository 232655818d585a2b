#pragma once

#include <algorithm>
#include <chainrule/bytes/file.hpp>
#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/selection/detail/text_table.hpp>
#include <chainrule/training/divergence.hpp>
#include <chainrule/training/trainer.hpp>
#include <cmath>
#include <string>
#include <vector>

namespace chainrule {

/// Options of `find_learning_rate`, besides those of the training.
struct LearningRateRange {
  double lowest = 1e-7;     ///< the learning rate of the first step, above 0
  double highest = 10;      ///< the learning rate of the last step, above `lowest`
  Index steps = 100;        ///< number of steps, at least 2
  double smoothing = 0.98;  ///< share of the running mean of the loss that stays in each step, at least 0 and below 1
  double diverges = 4;      ///< the run ends where the smoothed loss is this many times its smallest value, above 1
};

/// The loss for each learning rate that find_learning_rate has tried. `std::cout << curve` prints a table.
class LearningRateCurve {
 public:
  /// One step.
  struct Point {
    double learning_rate;  ///< the learning rate of the step
    double loss;           ///< J of the batch before the step
    double smoothed;       ///< the running mean of J, corrected for its start at 0
  };

  std::vector<Point> points;    ///< one for each step that was made, the smallest rate first
  std::string stopped_because;  ///< why the run ended before its last step; empty where it did not

  /// The rate at which the smoothed loss falls most steeply over the logarithm of the rate (Smith 2017, arXiv:1506.01186; with NumPy's
  /// gradient, as in PyTorch Lightning's lr_find). The first and the last points, where the mean has hardly begun or the loss grows, do not
  /// count. Throws ValueError where fewer than two points are left, and where the loss falls nowhere.
  double suggestion(Index skip_first = 10, Index skip_last = 1) const {
    const Index first = (std::max)(skip_first, Index{0});
    const Index end = static_cast<Index>(points.size()) - (std::max)(skip_last, Index{0});
    if (end - first < 2)
      detail::raise<ValueError>("find_learning_rate: only ", (std::max)(end - first, Index{0}), " of ", points.size(),
                                " steps are left to find the steepest descent; take more steps, or a lower highest rate");
    Index best = first;
    double steepest = 0;
    for (Index i = first; i < end; ++i) {
      const Index low = (std::max)(i - 1, first), high = (std::min)(i + 1, end - 1);
      const double slope = (smoothed(high) - smoothed(low)) / static_cast<double>(high - low);
      if (slope < steepest) {
        steepest = slope;
        best = i;
      }
    }
    if (!(steepest < 0))
      detail::raise<ValueError>("find_learning_rate: the smoothed loss falls at no rate from ",
                                points[static_cast<std::size_t>(first)].learning_rate, " to ",
                                points[static_cast<std::size_t>(end - 1)].learning_rate, "; try other rates or more steps");
    return points[static_cast<std::size_t>(best)].learning_rate;
  }

  /// A table of at most `lines` of the points, evenly spaced, with the smoothed loss drawn as a bar, and the suggestion below it.
  std::string to_string(Index lines = 25) const {
    if (points.empty()) return detail::text_of("no step was made: ", stopped_because, "\n");
    double low = points.front().smoothed, high = low;
    for (const Point& point : points) {
      low = (std::min)(low, point.smoothed);
      high = (std::max)(high, point.smoothed);
    }
    std::vector<std::vector<std::string>> rows{{"rate", "loss", "smoothed", ""}};
    const Index count = static_cast<Index>(points.size()), shown = std::clamp<Index>(lines, 1, count);
    for (Index k = 0; k < shown; ++k) {
      const Point& point = points[static_cast<std::size_t>(shown == 1 ? 0 : k * (count - 1) / (shown - 1))];
      const double share = high > low ? (point.smoothed - low) / (high - low) : 0;
      std::string bar(static_cast<std::size_t>(std::lround(40 * share)), '#');
      bar.resize(40, ' ');
      rows.push_back({detail::printed(point.learning_rate, 3, 'g'), detail::in_table(point.loss), detail::in_table(point.smoothed), bar});
    }
    std::string text = detail::text_table(rows, 0);
    if (!stopped_because.empty()) text += "stopped: " + stopped_because + "\n";
#if defined(__cpp_exceptions)
    try {
      text += "suggested learning rate: " + detail::printed(suggestion(), 3, 'g') + "\n";
    } catch (const ValueError& error) {
      text += std::string(error.what()) + "\n";
    }
#endif
    return text;
  }
  /// CSV text: the header "learning_rate,loss,smoothed" and a line for each step.
  std::string to_csv() const {
    std::string text = "learning_rate,loss,smoothed\n";
    for (const Point& point : points) text += detail::text_of(point.learning_rate, ",", point.loss, ",", point.smoothed, "\n");
    return text;
  }
  /// Writes to_csv() into a file. Throws ValueError with the reason if it cannot be written.
  void write_csv(const std::string& path) const { detail::write_file("LearningRateCurve", path, to_csv()); }
  /// Prints the table.
  template <class Stream>
  friend Stream& operator<<(Stream& out, const LearningRateCurve& curve) {
    out << curve.to_string();
    return out;
  }

 private:
  double smoothed(Index i) const { return points[static_cast<std::size_t>(i)].smoothed; }
};

namespace detail {

/// Observer that notes the loss of each batch and stops the training where the smoothed loss has grown too much.
struct LossOfEachBatch {
  const LearningRateRange& range;
  LearningRateCurve& curve;
  double mean = 0, share_of_start = 1, lowest = 0;

  template <class RunType>
  void batch_ended(RunType& run) {
    const double loss = run.loss;
    run.loss_sum = 0;  // so that run.loss is the loss of the next batch alone
    run.samples = 0;
    mean = rounded(range.smoothing * mean) + rounded((1 - range.smoothing) * loss);
    share_of_start *= range.smoothing;
    const double smoothed = mean / (1 - share_of_start);
    curve.points.push_back({run.learning_rate, loss, smoothed});
    const double first = curve.points.front().smoothed;
    lowest = curve.points.size() == 1 ? smoothed : (std::min)(lowest, smoothed);
    // Losses such as log-likelihoods may be negative; then the rise is compared with the fall so far.
    const double scale = lowest > 0 ? lowest : (std::max)(-lowest, first - lowest);
    if (smoothed > lowest + (range.diverges - 1) * scale)
      run.stop(text_of("the smoothed loss has grown to ", printed(smoothed, 4, 'g'), " from ", printed(lowest, 4, 'g')));
    else if (static_cast<Index>(curve.points.size()) == range.steps)
      run.stop(complete);
  }
  static constexpr std::string_view complete = "all steps are made";
};

}  // namespace detail

/// Trains for a few steps whose learning rate grows exponentially, and returns the loss of each (Smith 2017, arXiv:1506.01186, "Cyclical
/// learning rates for training neural networks"; smoothing and end as in fastai's and PyTorch Lightning's lr_find).
///
///     rate of step i = lowest (highest / lowest)^(i / (steps - 1))
///     smoothed loss = mean_i / (1 - smoothing^(i + 1)),  mean_i = smoothing mean_(i-1) + (1 - smoothing) J_i
///
/// @code{.cpp}
/// const auto curve = find_learning_rate(net, Adam{}, train, {.batch_size = 64});
/// std::cout << curve;
/// Trainer trainer{net, Adam{.learning_rate = curve.suggestion()}};
/// @endcode
/// rule: the optimizer, whose learning rate is not looked at; its moments begin at 0, and the state of a Trainer of yours does not take
/// part. options: those of `fit`, of which epochs, schedule, validation and metrics are not used. The network has the bits that it had
/// before when the call ends, also by an exception. A loss, gradient or parameter that is not finite ends the run and is no error.
///
/// Throws ValueError for a range out of its limits, and what Trainer::fit throws for data and options.
template <class Net, Optimizer Rule, class Data>
LearningRateCurve find_learning_rate(Net& net, Rule rule, const Data& data,
                                     const std::type_identity_t<detail::OptionsFor<typename Net::ScalarType, Data>>& options,
                                     const LearningRateRange& range = {}) {
  constexpr const char* who = "find_learning_rate";
  if (!(range.lowest > 0 && range.lowest < range.highest && detail::is_finite(range.highest / range.lowest)))
    detail::raise<ValueError>(who, ": lowest must be above 0 and below highest, and their quotient finite, got ", range.lowest, " and ",
                              range.highest);
  if (range.steps < 2) detail::raise<ValueError>(who, ": steps must be at least 2, got ", range.steps);
  if (!(range.smoothing >= 0 && range.smoothing < 1))
    detail::raise<ValueError>(who, ": smoothing must be at least 0 and below 1, got ", range.smoothing);
  if (!(range.diverges > 1)) detail::raise<ValueError>(who, ": diverges must be above 1, got ", range.diverges);

  const Vector<typename Net::ScalarType> parameters = net.parameters(), buffers = net.buffers();
  const auto restore = [&] {
    net.parameters() = parameters;
    net.buffers() = buffers;
  };
  const detail::ScopeExit guard(restore);

  LearningRateCurve curve;
  auto fit = options;
  fit.epochs = range.steps;  // enough, because each epoch has a step
  fit.validation.reset();
  fit.training_metrics = false;
  fit.schedule = [&](double) {
    const double share = static_cast<double>(curve.points.size()) / static_cast<double>(range.steps - 1);
    return range.lowest * std::pow(range.highest / range.lowest, (std::min)(share, 1.0));
  };
  rule.learning_rate = 1;
  detail::LossOfEachBatch losses{range, curve};
  const auto train = [&] {
    Trainer trainer(net, rule);
    const std::string because = trainer.fit(data, fit, losses).stopped_because;
    if (because != detail::LossOfEachBatch::complete) curve.stopped_because = because;
  };
  const std::string diverged = detail::divergence_of(train);
  if (!diverged.empty()) curve.stopped_because = diverged;
  return curve;
}

}  // namespace chainrule
