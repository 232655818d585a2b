#pragma once

#include <chainrule/io/checkpoint.hpp>
#include <chainrule/training/detail/observer_list.hpp>
#include <chainrule/training/fit_options.hpp>
#include <filesystem>

namespace chainrule {

/// As an observer, keeps the state of a training in a file, from which the same call of `fit` goes on, in the same program or another:
/// @code{.cpp}
/// trainer.fit(train, {.epochs = 20, .validation = test}, EarlyStopping{}, Checkpoint{.path = "run.checkpoint", .every = 100});
/// @endcode
/// However often it was stopped or killed in between, wherever, the training ends with the same bits as one that never was: parameters,
/// buffers, the optimizer's state, the history but for its seconds, and what the other observers keep. A training that has come to its
/// end does nothing more and returns its history; with more .epochs it goes on. So does one that an observer has stopped, as Interrupt
/// does for Ctrl-C; but EarlyStopping keeps to what it has decided. Another training needs another file.
///
/// It is written when `fit` begins, every so many steps or after each epoch, and when the training ends or is stopped; and whenever a
/// crash comes, the file is the old one or the new one, whole. Where it cannot be written, `fit` throws ValueError with the system's
/// reason; network and trainer then are as after the last step.
///
/// The file knows network, optimizer, observers, batch_size, shuffle, drop_last, seed, the number of samples and what is measured;
/// where one of them is another now, or the file is damaged, `fit` throws ValueError with what it expected and what it found, before
/// anything has changed. It does not know the samples, the schedule, nor the optimizer's rates, which are to be the same.
struct Checkpoint {
  std::string path;  ///< the file
  /// How many steps lie between two files; 0: one after each epoch, and none amid it. A file takes the time that the disk needs to have
  /// it for sure, as a rule some milliseconds.
  Index every = 0;
  bool resume = true;  ///< false: starts anew, and replaces the file
};

namespace detail {

template <class T>
inline constexpr bool is_checkpoint = std::is_same_v<std::remove_cvref_t<T>, Checkpoint>;

/// The one among the observers that is a Checkpoint.
template <class First, class... Rest>
const Checkpoint& checkpoint_among(const First& first, const Rest&... rest) {
  if constexpr (is_checkpoint<First>)
    return first;
  else
    return checkpoint_among(rest...);
}

/// What has to be the same for a training to go on, beside its network and state.
template <class Rule, class Options>
std::string identity_of_training(const Rule& rule, Index samples, const Options& options, const Progress& run) {
  std::string lines;
  add_line(lines, "optimizer: ", rule.name);
  add_line(lines, "samples: ", samples);
  add_line(lines, "batch_size: ", options.batch_size);
  add_line(lines, "shuffle: ", options.shuffle ? "yes" : "no");
  add_line(lines, "drop_last: ", options.drop_last ? "yes" : "no");
  add_line(lines, "seed: ", options.seed.value);
  for (const Quantity& quantity : run.quantities) add_line(lines, "measured: ", quantity.name);
  return lines;
}

/// The work of a Checkpoint in one `fit`. It observes after all others, so that they have seen what it writes.
template <class Net>
class CheckpointWriter {
  using Scalar = typename Net::ScalarType;

 public:
  /// Throws for a file that is there but cannot be of this training.
  template <class... Observers>
  CheckpointWriter(const Checkpoint& checkpoint, Net& net, OptimizerState<Scalar>& state, Index& epochs_done,
                   const std::string& identity_of_training, Observers&... observers)
      : path_{checkpoint.path}, every_{checkpoint.every}, net_{net}, state_{state}, epochs_done_{epochs_done} {
    if (path_.empty()) raise<ValueError>("Checkpoint: the path is empty");
    if (every_ < 0) raise<ValueError>("Checkpoint: every must be at least 0, got ", every_);
    (add(observers), ...);
    identity_ = identity_of(net, state) + identity_of_training;
    for (const Section& section : sections_) add_line(identity_, "observer: ", section.name);
    std::error_code none;
    if (!checkpoint.resume || !std::filesystem::is_regular_file(path_, none)) return;
    bytes_ = read_file("Checkpoint", path_);
    values_ = values_of_checkpoint(bytes_, path_, identity_);
    resumes_ = true;
  }
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// When all observers have heard that the training starts: goes on from the file, or writes the first one. Gives whether it goes on.
  bool resume(Run<Net>& run) {
    if (resumes_)
      read_or_leave(values_, path_, [&](Archive& archive) { keep(archive, run); });
    else
      write(run);
    return resumes_;
  }

  void batch_ended(Run<Net>& run) {
    ++steps_since_;
    if (run.batch < run.batches && (run.stopped() || is_due())) write(run);
  }
  void epoch_ended(Run<Net>& run) {
    if (run.stopped() || run.epoch == run.epochs || every_ == 0 || is_due()) write(run);
  }

 private:
  struct Section {
    std::string_view name;
    std::function<void(Archive&)> keep;
  };

  template <class T>
  void add(T& observer) {
    if constexpr (Archived<T>) {
      constexpr bool has_name = requires { std::string_view(T::name); };
      static_assert(has_name,
                    "chainrule: an observer with a function archive needs a name too, by which it is known in a checkpoint: "
                    "static constexpr std::string_view name = \"MyObserver\"");
      if constexpr (has_name) sections_.push_back({T::name, [&observer](Archive& archive) { archive.section(T::name, observer); }});
    }
  }

  bool is_due() const { return every_ > 0 && steps_since_ >= every_; }

  void keep(Archive& archive, Run<Net>& run) {
    keep_training(archive, net_, state_, epochs_done_, run);
    archive.expect(epochs_done_ >= 0 && epochs_done_ < std::numeric_limits<Index>::max(), epochs_done_, " epochs cannot be");
    for (const Section& section : sections_) section.keep(archive);
  }

  void write(Run<Net>& run) {
    make_checkpoint(bytes_, identity_, [&](Archive& archive) { keep(archive, run); });
    write_file("Checkpoint", path_, bytes_, Durability::power_loss);
    steps_since_ = 0;
  }

  std::string path_;
  Index every_;
  Net& net_;
  OptimizerState<Scalar>& state_;
  Index& epochs_done_;
  std::string identity_;
  std::vector<Section> sections_;
  std::string bytes_;  // of the file, read or to be written; its memory is used again
  std::string_view values_;
  bool resumes_ = false;
  Index steps_since_ = 0;
};

}  // namespace detail
}  // namespace chainrule
