#pragma once

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/training/progress.hpp>
#include <cstddef>
#include <cstring>
#include <span>

namespace chainrule {

/// Observer that stops a training when a quantity has not improved for `patience` epochs (Prechelt 1998, "Early stopping - but when?").
/// When the training ends, for whatever reason, it restores the parameters and buffers of the best epoch, unless restore_best is false.
/// Any quantity that the training measures can be monitored. A value that is NaN or infinite is no improvement: an epoch with such a value
/// is never the best. Throws ValueError at the start of a training that does not measure `monitor`, if patience is below 1, or if
/// minimum_improvement is not finite.
struct EarlyStopping {
  static constexpr std::string_view name = "EarlyStopping";  ///< the name in descriptions, files and messages

  Index patience = 3;                       ///< number of epochs in a row without improvement after which the training stops
  double minimum_improvement = 0;           ///< a change must exceed this to count as an improvement
  std::string monitor = "validation_loss";  ///< name of the quantity to minimize, or to maximize with larger_is_better
  bool larger_is_better = false;            ///< true for a quantity to maximize, such as an accuracy
  bool restore_best = true;                 ///< restore the best epoch at the end, also if something else ends the training

  /// The best epoch of a training.
  struct Best {
    double value = std::numeric_limits<double>::quiet_NaN();  ///< the monitored quantity after that epoch
    Index epoch = 0;                                          ///< counted from 1; 0 until an epoch has ended with a finite value
    std::vector<std::byte> numbers{};                         ///< parameters and buffers after that epoch
  } best{};                                                   ///< the best epoch of the last training

  /// Called by the trainer before the first step.
  template <class RunType>
  void training_started(RunType& run) {
    if (patience < 1) detail::raise<ValueError>("EarlyStopping: patience must be at least 1, got ", patience);
    detail::check_number(name, "minimum_improvement", minimum_improvement);
    if (!run.has(monitor))
      detail::raise<ValueError>("EarlyStopping monitors \"", monitor,
                                "\", which this training does not measure; it measures: ", run.quantity_names(),
                                run.has("validation_loss") ? "" : "; give fit a .validation set");
    best = Best{};
    best.numbers.resize(bytes_of(run.net.parameters()) + bytes_of(run.net.buffers()));
  }

  /// Called by the trainer after each epoch.
  template <class RunType>
  void epoch_ended(RunType& run) {
    const double value = run.value(monitor);
    const double gain = larger_is_better ? value - best.value : best.value - value;
    if (detail::is_finite(value) && (best.epoch == 0 || gain > minimum_improvement)) {
      best.value = value;
      best.epoch = run.epoch;
      const auto theta = run.net.parameters();
      const auto buffers = run.net.buffers();
      copy(best.numbers.data(), theta.data(), bytes_of(theta));
      copy(best.numbers.data() + bytes_of(theta), buffers.data(), bytes_of(buffers));
    } else {
      stop_if_patience_is_over(run);
    }
  }

  /// Writes to or reads from a checkpoint what this observer needs to resume.
  template <class Archive>
  void archive(Archive& a) {
    a(best.value, best.epoch, std::span(best.numbers));
    a.expect(best.epoch >= 0, "found an impossible best epoch, ", best.epoch);
  }
  /// Stops a training again that EarlyStopping had stopped before the checkpoint was written.
  template <class RunType>
  void training_resumed(RunType& run) {
    if (run.batch == run.batches) stop_if_patience_is_over(run);
  }

  /// Called by the trainer at the end, also when an exception ends the training.
  template <class RunType>
  void training_ended(RunType& run) {
    if (!restore_best || best.epoch == 0) return;
    auto theta = run.net.parameters();
    auto buffers = run.net.buffers();
    copy(theta.data(), best.numbers.data(), bytes_of(theta));
    copy(buffers.data(), best.numbers.data() + bytes_of(theta), bytes_of(buffers));
  }

 private:
  template <class RunType>
  void stop_if_patience_is_over(RunType& run) const {
    if (run.epoch - best.epoch < patience) return;
    if (best.epoch == 0) return run.stop(detail::text_of(monitor, " was not finite in any of ", run.epoch, " epochs"));
    run.stop(detail::text_of(monitor, " has not improved for ", patience, " epochs; the best was ", detail::printed(best.value, 6, 'g'),
                             " after epoch ", best.epoch));
  }
  template <class Numbers>
  static std::size_t bytes_of(const Numbers& numbers) {
    return static_cast<std::size_t>(numbers.size()) * sizeof(typename Numbers::Scalar);
  }
  static void copy(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
};

}  // namespace chainrule
