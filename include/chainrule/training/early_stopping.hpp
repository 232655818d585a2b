#pragma once

#include <chainrule/training/progress.hpp>
#include <cstddef>
#include <cstring>
#include <span>

namespace chainrule {

/// Ends a training that no longer gets better, and gives the network back its best parameters and buffers
/// (Prechelt 1998, "Early stopping - but when?"). Any quantity that the training measures can be watched.
/// Throws ValueError at the start of a training that does not measure it, or for a patience below 1.
struct EarlyStopping {
  static constexpr std::string_view name = "EarlyStopping";
  Index patience = 3;                     ///< how many epochs in a row may pass without improvement
  double minimum_improvement = 0;         ///< by how much better counts as better
  std::string watch = "validation_loss";  ///< what is to become small
  bool larger_is_better = false;          ///< or large, as an accuracy
  bool restore_best = true;               ///< at the end, also when something else ends the training

  /// What it found in the last training.
  struct Best {
    double value = std::numeric_limits<double>::quiet_NaN();  ///< of what is watched, after that epoch
    Index epoch = 0;                                          ///< 0: none yet
    std::vector<std::byte> numbers{};                         ///< parameters and buffers
  } best{};                                                   ///< EarlyStopping gives it back at the end

  template <class RunType>
  void training_started(RunType& run) {
    if (patience < 1) detail::raise<ValueError>("EarlyStopping: patience must be at least 1, got ", patience);
    if (!run.has(watch))
      detail::raise<ValueError>("EarlyStopping watches \"", watch, "\", which this training does not measure",
                                run.has("validation_loss") ? "; name one of its quantities" : "; give fit a .validation set");
    best = Best{};
    best.numbers.resize(bytes_of(run.net.parameters()) + bytes_of(run.net.buffers()));
  }

  template <class RunType>
  void epoch_ended(RunType& run) {
    const double value = run.value(watch);
    const double gain = larger_is_better ? value - best.value : best.value - value;
    if (best.epoch == 0 || gain > minimum_improvement) {
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

  /// What a checkpoint keeps. A training that it had stopped stays so.
  template <class Archive>
  void archive(Archive& a) {
    a(best.value, best.epoch, std::span(best.numbers));
    a.expect(best.epoch >= 0, "the best epoch cannot be ", best.epoch);
  }
  template <class RunType>
  void training_resumed(RunType& run) {
    if (run.batch == run.batches && best.epoch > 0) stop_if_patience_is_over(run);
  }

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
    run.stop(detail::text_of(watch, " has not improved for ", patience, " epochs; the best was ", detail::printed(best.value, 6, 'g'),
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
