#pragma once

#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule {

/// A named number that a training measures after each epoch, such as "loss", "validation_loss" or "validation_accuracy".
struct Quantity {
  std::string name;                                         ///< for example "validation_loss"
  double value = std::numeric_limits<double>::quiet_NaN();  ///< the value after the last complete epoch; NaN before the first one
};

/// The state of a training as observers see it. Epochs and batches are counted from 1.
struct Progress {
  Index epoch = 0;              ///< number of the current epoch
  Index epochs = 0;             ///< number of epochs requested
  Index batch = 0;              ///< number of the current batch in this epoch; with .accumulate, of the current step
  Index batches = 0;            ///< batches per epoch; with .accumulate, steps per epoch
  Index samples = 0;            ///< samples trained on in this epoch so far
  Index samples_per_epoch = 0;  ///< samples per epoch, without those that drop_last leaves out
  double loss = std::numeric_limits<double>::quiet_NaN();           ///< mean loss over this epoch so far, with the l1 and l2 penalties
  double loss_sum = 0;                                              ///< sum over the batches so far of loss times number of samples
  double gradient_norm = std::numeric_limits<double>::quiet_NaN();  ///< norm of the last gradient before clipping; NaN without clip_norm
  double learning_rate = 0;                                         ///< learning rate of the last step
  double learning_rate_factor = 1;                        ///< an observer may set it; multiplies the learning rate of all later steps
  std::vector<Quantity> quantities{};                     ///< values after the last complete epoch; the first is "loss"
  std::chrono::steady_clock::time_point started{};        ///< start of the training
  std::chrono::steady_clock::time_point epoch_started{};  ///< start of the current epoch
  double pause = 0;                                       ///< seconds of the current epoch outside its steps: observers, validation
  std::string stopped_because{};                          ///< reason given to stop(); empty if the training has not been stopped
  /// Sentences on data and options with which a training works, but probably not well: features that are not scaled, targets out of reach,
  /// a batch_size above the data, a first loss far above that of a constant prediction. ProgressBar prints them, and History keeps them.
  std::vector<std::string> notes{};

  /// Stops the training after the current batch or epoch. Only the first reason is kept.
  void stop(std::string_view reason) {
    if (stopped_because.empty()) stopped_because = reason;
  }
  bool stopped() const { return !stopped_because.empty(); }  ///< whether stop() has been called

  /// Writes or reads what a checkpoint keeps, so that sums and times continue. Leaves out the reason why the training stopped, because a
  /// resumed training is not stopped.
  template <class Archive>
  void archive(Archive& a) {
    a(epoch, batch, samples, loss, loss_sum, gradient_norm, learning_rate, learning_rate_factor);
    for (Quantity& quantity : quantities) a(quantity.value);
    double elapsed = seconds();
    double in_epoch = seconds_since(epoch_started) - pause;
    a(elapsed, in_epoch);
    if (!a.reads()) return;
    constexpr Index max = (std::numeric_limits<Index>::max)() / 2;
    a.expect(epoch >= 0 && epoch <= max && batch >= 0 && batch <= batches && (epoch > 0 || batch == 0) && samples >= 0 && samples <= max,
             "found the impossible position epoch ", epoch, ", batch ", batch, " of ", batches, ", ", samples, " samples");
    started = before_now(a, elapsed);
    epoch_started = before_now(a, in_epoch);
    pause = 0;
  }

  double seconds() const { return seconds_since(started); }  ///< time since the start of the training
  /// Mean speed of the steps of the current epoch, without the time that observers and the validation set take; 0 before the first step.
  double samples_per_second() const {
    const double elapsed = seconds_since(epoch_started) - pause;
    return elapsed > 0 ? static_cast<double>(samples) / elapsed : 0;
  }

  /// Whether this training measures a quantity of this name.
  bool has(std::string_view name) const {
    for (const Quantity& quantity : quantities)
      if (quantity.name == name) return true;
    return false;
  }

  /// The names of all quantities that this training measures: "loss, validation_loss".
  std::string quantity_names() const {
    std::string names;
    for (const Quantity& quantity : quantities) names += (names.empty() ? "" : ", ") + quantity.name;
    return names;
  }

  /// Value of a quantity after the last complete epoch. Throws ValueError, with the names of all quantities, if there is none of this
  /// name.
  double value(std::string_view name) const {
    for (const Quantity& quantity : quantities)
      if (quantity.name == name) return quantity.value;
    detail::raise<ValueError>("there is no quantity \"", name, "\" in this training; there are: ", quantity_names(),
                              name.substr(0, 10) == "validation" ? "; give fit a .validation set" : "");
  }

 private:
  template <class Archive>
  static std::chrono::steady_clock::time_point before_now(const Archive& a, double elapsed) {
    a.expect(elapsed >= 0 && elapsed < 1e9, "found an impossible time of ", elapsed, " seconds");
    return std::chrono::steady_clock::now() -
           std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(elapsed));
  }
  static double seconds_since(std::chrono::steady_clock::time_point then) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
  }
};

namespace detail {

/// Adds the time from its construction to its destruction to Progress::pause.
class Pause {
 public:
  explicit Pause(Progress& run) : run_{run} {}
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;
  ~Pause() { run_.pause += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

 private:
  Progress& run_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// Whether batch_ended of an observer is quicker than reading the clock, so that its time is not measured. Such an observer reads or
/// changes the network only after steps for which its member looks_at_network(run) returns true.
template <class T>
inline constexpr bool is_quick_observer = false;

/// Whether training_started of an observer is called before that of all others, and training_ended after them.
template <class T>
inline constexpr bool surrounds_other_observers = false;

}  // namespace detail

/// The progress of a training together with its network, which observers may read and copy.
template <class Net>
struct Run : Progress {
  /// Keeps a reference to the network.
  explicit Run(Net& trained) : net{trained} {}
  Net& net;  ///< the network as it is now
};

}  // namespace chainrule
