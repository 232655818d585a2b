#pragma once
// What observers of a training see, and how they stop it.

#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule {

/// A number that is measured once an epoch: "loss", "validation_loss", "validation_accuracy", ... NaN before it is known.
struct Quantity {
  std::string name;
  double value = std::numeric_limits<double>::quiet_NaN();
};

/// How far a training is. Epochs and batches are counted from 1.
struct Progress {
  Index epoch = 0;
  Index epochs = 0;
  Index batch = 0;  ///< in this epoch
  Index batches = 0;
  Index samples = 0;  ///< seen in this epoch
  Index samples_per_epoch = 0;
  double loss = std::numeric_limits<double>::quiet_NaN();           ///< mean over this epoch so far, penalties included
  double gradient_norm = std::numeric_limits<double>::quiet_NaN();  ///< of the last batch, before clipping; where clip_norm is on
  double learning_rate = 0;                                         ///< of the last step
  double learning_rate_factor = 1;     ///< for observers to set: multiplies the learning rate of the steps to come
  std::vector<Quantity> quantities{};  ///< of the last whole epoch; the first is "loss"
  std::chrono::steady_clock::time_point started{};
  std::chrono::steady_clock::time_point epoch_started{};
  std::string stopped_because{};  ///< empty as long as nobody has asked to stop

  /// Ends the training after this batch or epoch.
  void stop(std::string_view reason) {
    if (stopped_because.empty()) stopped_because = reason;
  }
  bool stopped() const { return !stopped_because.empty(); }

  double seconds() const { return seconds_since(started); }
  double samples_per_second() const {
    const double elapsed = seconds_since(epoch_started);
    return elapsed > 0 ? static_cast<double>(samples) / elapsed : 0;
  }

  bool has(std::string_view name) const {
    for (const Quantity& quantity : quantities)
      if (quantity.name == name) return true;
    return false;
  }

  /// The last epoch's value of a quantity; ValueError names those there are.
  double value(std::string_view name) const {
    for (const Quantity& quantity : quantities)
      if (quantity.name == name) return quantity.value;
    std::string names;
    for (const Quantity& quantity : quantities) names += (names.empty() ? "" : ", ") + quantity.name;
    detail::raise<ValueError>("there is no quantity \"", name, "\" in this training; there are: ", names,
                              name.substr(0, 10) == "validation" ? "; give fit a .validation set" : "");
  }

 private:
  static double seconds_since(std::chrono::steady_clock::time_point then) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
  }
};

/// The progress of the training of one network, which observers may read and copy.
template <class Net>
struct Run : Progress {
  explicit Run(Net& trained) : net{trained} {}
  Net& net;
};

namespace detail {

// An observer is anything that can be called with the run, which is done after each epoch, or has some of the members
// training_started, batch_ended, epoch_ended, training_ended, each called with the run. A call that gives false stops.

template <class Observer, class RunType>
void notify_started(Observer& observer, RunType& run) {
  if constexpr (requires { observer.training_started(run); }) observer.training_started(run);
}

template <class Observer, class RunType>
void notify_batch(Observer& observer, RunType& run) {
  if constexpr (requires { observer.batch_ended(run); }) observer.batch_ended(run);
}

template <class Observer, class RunType>
void notify_epoch(Observer& observer, RunType& run) {
  if constexpr (requires { observer.epoch_ended(run); }) {
    observer.epoch_ended(run);
  } else if constexpr (requires { observer(run); }) {
    if constexpr (std::is_same_v<decltype(observer(run)), bool>) {
      if (!observer(run)) run.stop("an observer said so");
    } else {
      observer(run);
    }
  }
}

template <class Observer, class RunType>
void notify_ended(Observer& observer, RunType& run) {
  if constexpr (requires { observer.training_ended(run); }) observer.training_ended(run);
}

/// Calls its function when its scope ends, whether by an exception or not.
template <class F>
class AtExit {
 public:
  explicit AtExit(F f) : f_{f} {}
  AtExit(const AtExit&) = delete;
  AtExit& operator=(const AtExit&) = delete;
  ~AtExit() { f_(); }

 private:
  F f_;
};

template <class Observer, class RunType>
concept Observes = requires(std::remove_reference_t<Observer>& observer, RunType& run) {
  observer.training_started(run);
}
|| requires(std::remove_reference_t<Observer>& observer, RunType& run) { observer.batch_ended(run); }
|| requires(std::remove_reference_t<Observer>& observer, RunType& run) { observer.epoch_ended(run); }
|| requires(std::remove_reference_t<Observer>& observer, RunType& run) { observer.training_ended(run); }
|| requires(std::remove_reference_t<Observer>& observer, RunType& run) { observer(run); };

}  // namespace detail
}  // namespace chainrule
