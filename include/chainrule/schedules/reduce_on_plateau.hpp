#pragma once

#include <algorithm>
#include <chainrule/core/error.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

namespace chainrule {

/// Reduces the learning rate when a metric no longer improves. It is not a function of time: call it once an epoch with the metric,
/// as a rule the validation loss, and it returns the factor for the optimizer's learning_rate from there on. PyTorch's
/// ReduceLROnPlateau with a relative threshold, but that of a negative metric it takes the size, so that better is always better; and
/// there is no least reduction (eps). A metric that is NaN is no improvement. Throws ValueError for hyperparameters out of their range.
struct ReduceOnPlateau {
  static constexpr std::string_view name = "ReduceOnPlateau";
  double factor = 0.1;                    ///< by which the learning rate falls, in [0, 1)
  int patience = 10;                      ///< how many epochs in a row may pass without improvement
  double threshold = 1e-4;                ///< by which part of its size a metric must be better than the best to count, in [0, 1)
  int cooldown = 0;                       ///< after a reduction, for how many epochs none is counted as without improvement
  double minimum = 0;                     ///< the factor falls no further
  bool maximize = false;                  ///< for accuracy and the like, which shall rise
  std::string watch = "validation_loss";  ///< which quantity of a training it looks at, as an observer of `Trainer::fit`

  /// What it remembers; public so that it can be saved and set.
  struct Memory {
    double factor = 1;      ///< of the learning rate from here on
    double best = 0;        ///< of the metrics, their sign changed if maximize
    bool has_best = false;  ///< whether there is a best already
    int bad_epochs = 0;     ///< in a row, without improvement
    int cooling = 0;        ///< epochs for which none is counted
  };
  Memory memory = {};  ///< as it is before the first epoch

  /// Takes down the metric of an epoch; the factor of the learning rate from there on.
  double operator()(double metric) {
    check();
    const double value = maximize ? -metric : metric;
    const bool improved = memory.has_best ? value < memory.best - threshold * std::abs(memory.best) : std::isfinite(value);
    if (improved) {
      memory.best = value;
      memory.has_best = true;
    }
    memory.bad_epochs = improved ? 0 : memory.bad_epochs + 1;
    if (memory.cooling > 0) {
      --memory.cooling;
      memory.bad_epochs = 0;
    }
    if (memory.bad_epochs > patience) {
      memory.factor = std::min(memory.factor, std::max(memory.factor * factor, minimum));
      memory.cooling = cooldown;
      memory.bad_epochs = 0;
    }
    return memory.factor;
  }

  /// As an observer: trainer.fit(train, {..., .validation = test}, ReduceOnPlateau{.patience = 5}). ValueError where the training does
  /// not measure what it watches.
  template <class Run>
  void training_started(Run& run) {
    check();
    static_cast<void>(run.value(watch));
    memory = {};
  }
  template <class Run>
  void epoch_ended(Run& run) {
    run.learning_rate_factor = (*this)(run.value(watch));
  }
  /// What a checkpoint keeps.
  template <class Archive>
  void archive(Archive& a) {
    a(memory.factor, memory.best, memory.has_best, memory.bad_epochs, memory.cooling);
    a.expect(memory.bad_epochs >= 0 && memory.bad_epochs < std::numeric_limits<int>::max(), memory.bad_epochs, " bad epochs cannot be");
  }

 private:
  void check() const {
    if (!(factor >= 0 && factor < 1)) detail::raise<ValueError>("ReduceOnPlateau: factor must be at least 0 and below 1, got ", factor);
    if (!(threshold >= 0 && threshold < 1))
      detail::raise<ValueError>("ReduceOnPlateau: threshold must be at least 0 and below 1, got ", threshold);
    if (!(minimum >= 0 && minimum <= 1)) detail::raise<ValueError>("ReduceOnPlateau: minimum must be from 0 to 1, got ", minimum);
    if (patience < 0) detail::raise<ValueError>("ReduceOnPlateau: patience must be at least 0, got ", patience);
    if (cooldown < 0) detail::raise<ValueError>("ReduceOnPlateau: cooldown must be at least 0, got ", cooldown);
  }
};

}  // namespace chainrule
