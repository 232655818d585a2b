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
  std::string name;                                         ///< "validation_loss"
  double value = std::numeric_limits<double>::quiet_NaN();  ///< of the last whole epoch
};

/// How far a training is. Epochs and batches are counted from 1.
struct Progress {
  Index epoch = 0;                                         ///< the running one
  Index epochs = 0;                                        ///< how many there shall be
  Index batch = 0;                                         ///< in this epoch
  Index batches = 0;                                       ///< of an epoch
  Index samples = 0;                                       ///< seen in this epoch
  Index samples_per_epoch = 0;                             ///< as Batches has them
  double loss = std::numeric_limits<double>::quiet_NaN();  ///< mean over this epoch so far, penalties included
  double loss_sum = 0;                                     ///< over this epoch so far, of each batch's loss times its weight
  double weight_sum = 0;                                   ///< which, as the number of samples is where they have no weights, divides it
  double gradient_norm = std::numeric_limits<double>::quiet_NaN();  ///< of the last batch, before clipping; where clip_norm is on
  double learning_rate = 0;                                         ///< of the last step
  double learning_rate_factor = 1;                        ///< for observers to set: multiplies the learning rate of the steps to come
  std::vector<Quantity> quantities{};                     ///< of the last whole epoch; the first is "loss"
  std::chrono::steady_clock::time_point started{};        ///< when the training began
  std::chrono::steady_clock::time_point epoch_started{};  ///< and this epoch
  std::string stopped_because{};                          ///< empty as long as nobody has asked to stop

  /// Ends the training after this batch or epoch.
  void stop(std::string_view reason) {
    if (stopped_because.empty()) stopped_because = reason;
  }
  bool stopped() const { return !stopped_because.empty(); }  ///< whether somebody has asked to stop

  /// What a checkpoint keeps of it, so that numbers and times go on. Not who stopped it: it goes on.
  template <class Archive>
  void archive(Archive& a) {
    a(epoch, batch, samples, loss, loss_sum, weight_sum, gradient_norm, learning_rate, learning_rate_factor);
    for (Quantity& quantity : quantities) a(quantity.value);
    double elapsed = seconds();
    double in_epoch = seconds_since(epoch_started);
    a(elapsed, in_epoch);
    if (!a.reads()) return;
    constexpr Index most = std::numeric_limits<Index>::max() / 2;
    a.expect(epoch >= 0 && epoch <= most && batch >= 0 && batch <= batches && (epoch > 0 || batch == 0) && samples >= 0 && samples <= most,
             "epoch ", epoch, ", batch ", batch, " of ", batches, " after ", samples, " samples cannot be");
    started = before_now(a, elapsed);
    epoch_started = before_now(a, in_epoch);
  }

  double seconds() const { return seconds_since(started); }  ///< since the training began
  /// Of this epoch so far.
  double samples_per_second() const {
    const double elapsed = seconds_since(epoch_started);
    return elapsed > 0 ? static_cast<double>(samples) / elapsed : 0;
  }

  /// Whether this training measures it.
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
  template <class Archive>
  static std::chrono::steady_clock::time_point before_now(const Archive& a, double elapsed) {
    a.expect(elapsed >= 0 && elapsed < 1e9, elapsed, " seconds cannot be");
    return std::chrono::steady_clock::now() -
           std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(elapsed));
  }
  static double seconds_since(std::chrono::steady_clock::time_point then) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
  }
};

/// The progress of the training of one network, which observers may read and copy.
template <class Net>
struct Run : Progress {
  /// For this network.
  explicit Run(Net& trained) : net{trained} {}
  Net& net;  ///< the network as it is now
};

}  // namespace chainrule
