#pragma once

#include <algorithm>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

namespace chainrule {

/// Reduces the learning rate when a metric no longer improves. It has a memory, so it is not a Schedule: call it once per epoch with the
/// metric, usually the validation loss; it returns the factor of the optimizer's learning_rate for the epochs after that. It can also be
/// given to Trainer::fit as an observer.
///
/// Follows PyTorch's ReduceLROnPlateau with a relative threshold, with two differences: the threshold is relative to the absolute value of
/// the best metric, so that it also works for negative metrics; and there is no minimum reduction (eps). A metric that is NaN or
/// infinite does not count as an improvement. Throws ValueError for hyperparameters out of their range.
struct ReduceOnPlateau {
  static constexpr std::string_view name = "ReduceOnPlateau";  ///< the name in descriptions, files and messages

  double factor = 0.1;                      ///< factor of the learning rate at each reduction, in [0, 1)
  int patience = 10;                        ///< number of successive epochs without improvement that are tolerated
  double threshold = 1e-4;                  ///< an improvement must exceed threshold * |best metric|; in [0, 1)
  int cooldown = 0;                         ///< number of epochs after a reduction that are not counted as without improvement
  double minimum = 0;                       ///< lower limit of the returned factor, in [0, 1]
  bool maximize = false;                    ///< true for metrics where larger is better, such as the accuracy
  std::string monitor = "validation_loss";  ///< the quantity it monitors as an observer of Trainer::fit

  /// State between epochs; public so that it can be saved and restored.
  struct Memory {
    double factor = 1;      ///< the factor returned last
    double best = 0;        ///< the best metric so far, negated if maximize
    bool has_best = false;  ///< whether best is set
    int bad_epochs = 0;     ///< number of successive epochs without improvement
    int cooldown_left = 0;  ///< number of epochs left that are not counted
  };
  Memory memory = {};  ///< starts as before the first epoch

  /// Records the metric of an epoch, and returns the factor of the learning rate for the epochs after it.
  double operator()(double metric) {
    check();
    const double value = maximize ? -metric : metric;
    const bool improved = detail::is_finite(value) && (!memory.has_best || value < memory.best - threshold * std::abs(memory.best));
    if (improved) {
      memory.best = value;
      memory.has_best = true;
    }
    memory.bad_epochs = improved ? 0 : memory.bad_epochs + 1;
    if (memory.cooldown_left > 0) {
      --memory.cooldown_left;
      memory.bad_epochs = 0;
    }
    if (memory.bad_epochs > patience) {
      memory.factor = (std::min)(memory.factor, (std::max)(memory.factor * factor, minimum));
      memory.cooldown_left = cooldown;
      memory.bad_epochs = 0;
    }
    return memory.factor;
  }

  /// Called by Trainer::fit before the first step: trainer.fit(train, {..., .validation = test}, ReduceOnPlateau{.patience = 5}). Forgets
  /// what earlier trainings recorded. Throws ValueError where the training does not measure `monitor`.
  template <class Run>
  void training_started(Run& run) {
    check();
    static_cast<void>(run.value(monitor));
    memory = {};
  }
  /// Called by Trainer::fit after each epoch; sets the factor of the learning rate.
  template <class Run>
  void epoch_ended(Run& run) {
    run.learning_rate_factor = (*this)(run.value(monitor));
  }
  /// Saves its memory to a checkpoint or restores it.
  template <class Archive>
  void archive(Archive& a) {
    a(memory.factor, memory.best, memory.has_best, memory.bad_epochs, memory.cooldown_left);
    a.expect(memory.bad_epochs >= 0 && memory.bad_epochs < (std::numeric_limits<int>::max)(), memory.bad_epochs,
             " bad epochs are impossible");
  }

 private:
  void check() const {
    detail::check_fraction(name, "factor", factor);
    detail::check_fraction(name, "threshold", threshold);
    if (!detail::is_zero(minimum) && !detail::is_within(minimum, 0, 1))
      detail::raise<ValueError>("ReduceOnPlateau: minimum must be from 0 to 1, got ", minimum);
    if (patience < 0) detail::raise<ValueError>("ReduceOnPlateau: patience must be at least 0, got ", patience);
    if (cooldown < 0) detail::raise<ValueError>("ReduceOnPlateau: cooldown must be at least 0, got ", cooldown);
  }
};

}  // namespace chainrule
