#pragma once

#include <chainrule/io/checkpoint.hpp>
#include <chainrule/parallel/ranks.hpp>
#include <chainrule/training/detail/observer_list.hpp>
#include <chainrule/training/fit_options.hpp>
#include <filesystem>
#include <functional>

namespace chainrule {

/// Observer that saves the state of a training in a file and continues from it. The same call of `fit`, in the same program or another,
/// goes on where the file was written:
/// @code{.cpp}
/// trainer.fit(train, {.epochs = 20, .validation = test}, EarlyStopping{}, Checkpoint{.path = "run.checkpoint", .every_steps = 100});
/// @endcode
/// A resumed training is bit-identical to an uninterrupted one, however often it was stopped or killed: in its parameters, buffers, what is
/// frozen, optimizer state, history (except for its seconds) and the state of the other observers. A training that has reached its last
/// epoch returns its history at once; with more .epochs it continues. A training that was stopped by an observer, such as Interrupt on
/// Ctrl-C, continues too, unless EarlyStopping had stopped it. Use another file for another training.
///
/// `fit` writes the file when it begins, every `every_steps` steps or after each epoch, and when the training ends or is stopped. A crash
/// at any moment leaves either the old file or the new one, complete. If the file cannot be written, `fit` throws ValueError with the
/// system's reason; network and trainer then have the state after the last step.
///
/// The file records the network, the optimizer with its hyperparameters(), the observers and what they monitor, batch_size, shuffle,
/// drop_last, accumulate, seed, clip_norm, clip_value, l1, l2, precision, the number of samples and the names of the measured quantities.
/// If one of them differs from the current training, or the file is damaged, `fit` throws ValueError with what it expected and what it
/// found, before anything has changed. The samples themselves and the schedule are not recorded; the caller must pass the same ones, or
/// another schedule to go on with another learning rate.
///
/// A training holds its file until it ends. Another one with the same path, in this program or another, throws ValueError, on systems that
/// have flock (not on Windows). Temporary files of killed trainings with this path are removed.
struct Checkpoint {
  std::string path;  ///< the file
  /// Number of steps between two files; 0 writes one after each epoch. Writing takes some milliseconds, because it waits until the disk
  /// has stored the file.
  Index every_steps = 0;
  bool resume = true;  ///< false: start from the beginning and replace the file
};

namespace detail {

template <class T>
inline constexpr bool is_checkpoint = std::is_same_v<std::remove_cvref_t<T>, Checkpoint>;

/// The first Checkpoint among the observers.
template <class First, class... Rest>
const Checkpoint& checkpoint_among(const First& first, const Rest&... rest) {
  if constexpr (is_checkpoint<First>)
    return first;
  else
    return checkpoint_among(rest...);
}

/// One line for each setting that must be the same when a training is resumed, besides its network and optimizer state.
template <class Rule, class Options>
std::string training_fingerprint(const Rule& rule, Index samples, const Options& options, const Progress& run) {
  std::string lines;
  add_rule(lines, rule);
  add_line(lines, "samples: ", samples);
  add_line(lines, "batch_size: ", options.batch_size);
  if (options.accumulate != 1) add_line(lines, "accumulate: ", options.accumulate);
  add_line(lines, "shuffle: ", options.shuffle ? "yes" : "no");
  add_line(lines, "drop_last: ", options.drop_last ? "yes" : "no");
  add_line(lines, "seed: ", options.seed.value);
  add_line(lines, "clip_norm: ", options.clip_norm);
  add_line(lines, "clip_value: ", options.clip_value);
  add_line(lines, "l1: ", options.l1);
  add_line(lines, "l2: ", options.l2);
  if (!options.precision.name().empty()) add_line(lines, "precision: ", options.precision.name());
  for (const Quantity& quantity : run.quantities) add_line(lines, "measured: ", quantity.name);
  return lines;
}

/// Reads and writes the file of a Checkpoint during one `fit`. It must be the last observer in the list, so that the others have updated
/// the state that it writes.
template <class Net>
class CheckpointWriter {
  using Scalar = typename Net::ScalarType;

 public:
  /// Throws ValueError if there is a file that does not belong to this training, or that another training is using. Where `ranks` is not
  /// nullptr, rank 0 reads and writes the file, and sends what it has read to the others.
  template <class... Observers>
  CheckpointWriter(const Checkpoint& checkpoint, Net& net, OptimizerState<Scalar>& state, Index& epochs_done,
                   const std::string& training_fingerprint, Ranks* ranks, Observers&... observers)
      : path_{checkpoint.path},
        every_steps_{checkpoint.every_steps},
        net_{net},
        state_{state},
        epochs_done_{epochs_done},
        writes_{ranks == nullptr || ranks->is_first()} {
    if (path_.empty()) raise<ValueError>("Checkpoint: the path is empty");
    if (every_steps_ < 0) raise<ValueError>("Checkpoint: every_steps must be at least 0, got ", every_steps_);
    (add(observers), ...);
    fingerprint_ = fingerprint_of(net, state) + training_fingerprint;
    for (const Section& section : sections_) fingerprint_ += section.fingerprint;
    if (writes_) open(checkpoint.resume);
    if (ranks != nullptr) bytes_ = ranks->text_of_first(bytes_);
    if (!writes_) resumes_ = !bytes_.empty();
    if (resumes_) values_ = values_of_checkpoint(bytes_, path_, fingerprint_);
  }
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Whether resume_or_write will read the state from a file.
  bool resumes() const { return resumes_; }

  /// Reads the state from the file if there is one, otherwise writes the first file; returns whether it has read. To be called after
  /// training_started of all observers.
  bool resume_or_write(Run<Net>& run) {
    if (resumes_)
      read_or_restore(values_, path_, [&](Archive& archive) { archive_all(archive, run); });
    else
      write(run);
    return resumes_;
  }

  void batch_ended(Run<Net>& run) {
    const bool writes = looks_at_network(run);
    ++steps_since_write_;
    if (!writes) return;
    const Pause pause(run);
    write(run);
  }
  /// Whether batch_ended will write the file.
  bool looks_at_network(const Run<Net>& run) const { return run.batch != run.batches && (run.stopped() || is_due_after(1)); }
  void epoch_ended(Run<Net>& run) {
    if (run.stopped() || run.epoch == run.epochs || every_steps_ == 0 || is_due_after(0)) write(run);
  }

 private:
  // The state of one observer.
  struct Section {
    std::string fingerprint;  // lines with its name, and with what it monitors
    std::function<void(Archive&)> archive_observer;
  };

  template <class T>
  void add(T& observer) {
    if constexpr (Archived<T>) {
      constexpr bool has_name = requires { std::string_view(T::name); };
      static_assert(has_name,
                    "chainrule: an observer with a function archive needs a name too, by which a checkpoint knows it: "
                    "static constexpr std::string_view name = \"MyObserver\"");
      if constexpr (has_name) {
        std::string lines = text_of("observer: ", T::name, "\n");
        if constexpr (requires { std::string_view(observer.monitor); })
          add_line(lines, T::name, ".monitor: ", std::string_view(observer.monitor));
        if constexpr (requires { bool(observer.larger_is_better); })
          add_line(lines, T::name, ".larger_is_better: ", observer.larger_is_better ? "yes" : "no");
        sections_.push_back({std::move(lines), [&observer](Archive& archive) { archive.section(T::name, observer); }});
      }
    }
  }

  // Locks the file if there is one, and reads it if the training is to go on from it.
  void open(bool resume) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path_of(path_), ignored)) return;
    check_is_free();
    lock_ = FileLock::of_path(path_);
    if (!resume) return;
    bytes_ = read_file("Checkpoint", path_);
    resumes_ = true;
  }

  bool is_due_after(Index more_steps) const { return every_steps_ > 0 && steps_since_write_ + more_steps >= every_steps_; }

  // Writes or reads everything that the file holds.
  void archive_all(Archive& archive, Run<Net>& run) {
    archive_training(archive, net_, state_, epochs_done_, run);
    archive.expect(epochs_done_ >= 0 && epochs_done_ < (std::numeric_limits<Index>::max)(), "found an impossible number of epochs, ",
                   epochs_done_);
    for (const Section& section : sections_) section.archive_observer(archive);
  }

  void check_is_free() const {
    if (lock_.is_held_by_another(path_))
      raise<ValueError>("Checkpoint: another training is using \"", path_, "\"; give each training a file of its own");
  }

  void write(Run<Net>& run) {
    steps_since_write_ = 0;
    if (!writes_) return;
    check_is_free();
    if (!has_written_) remove_leftovers(path_);
    make_checkpoint(bytes_, fingerprint_, [&](Archive& archive) { archive_all(archive, run); });
    write_file("Checkpoint", path_, bytes_, Durability::power_loss, &lock_);
    has_written_ = true;
  }

  std::string path_;
  Index every_steps_;
  Net& net_;
  OptimizerState<Scalar>& state_;
  Index& epochs_done_;
  std::string fingerprint_;
  std::vector<Section> sections_;
  std::string bytes_;        // contents of the file; a member, so that each write reuses its memory
  std::string_view values_;  // the part of bytes_ that holds the values
  FileLock lock_;            // holds the file, so that another training with this path notices
  bool writes_;              // whether this process reads and writes the file
  bool resumes_ = false;
  bool has_written_ = false;
  Index steps_since_write_ = 0;
};

template <class Net>
inline constexpr bool is_quick_observer<CheckpointWriter<Net>> = true;

}  // namespace detail
}  // namespace chainrule
