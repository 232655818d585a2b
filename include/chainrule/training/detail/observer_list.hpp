#pragma once
// The observers of a training and how they are called. An observer is either a callable that takes the Run and is called after each
// epoch, or a class with any of the members training_started, batch_ended, epoch_ended and training_ended, each of which takes the Run.
// A callable that returns false stops the training; a member calls run.stop(reason) instead.
//
// An observer whose state belongs in checkpoints has a name and a function `archive`, which serves for writing and for reading:
// @code{.cpp}
// struct CountsBatches {
//   static constexpr std::string_view name = "CountsBatches";
//   Index batches = 0;
//   void batch_ended(const Progress&) { ++batches; }
//   template <class Archive>
//   void archive(Archive& a) { a(batches); }
// };
// @endcode
// io/archive.hpp lists the types that an archive can hold. A training that continues from a file calls training_started on all observers,
// then reads their state from the file, then calls training_resumed(run) on those that have it. EarlyStopping uses this last call to
// stop a training again that it had stopped before.

#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/training/progress.hpp>
#include <functional>
#include <type_traits>
#include <vector>

namespace chainrule::detail {

template <class T, class RunType>
concept HasTrainingStarted = requires(T& observer, RunType& run) {
  observer.training_started(run);
};
template <class T, class RunType>
concept HasTrainingResumed = requires(T& observer, RunType& run) {
  observer.training_resumed(run);
};
template <class T, class RunType>
concept HasBatchEnded = requires(T& observer, RunType& run) {
  observer.batch_ended(run);
};
template <class T, class RunType>
concept HasEpochEnded = requires(T& observer, RunType& run) {
  observer.epoch_ended(run);
};
template <class T, class RunType>
concept HasTrainingEnded = requires(T& observer, RunType& run) {
  observer.training_ended(run);
};
template <class T, class RunType>
concept CallableWithRun = requires(T& observer, RunType& run) {
  observer(run);
};

template <class T, class RunType>
concept Observer = HasTrainingStarted<T, RunType> || HasBatchEnded<T, RunType> || HasEpochEnded<T, RunType> ||
    HasTrainingEnded<T, RunType> || CallableWithRun<T, RunType>;

/// Type-erased list of the observers of one training, called in the order given. Type erasure lets the training loop be compiled once
/// per network instead of once per set of observers. Keeps references, so the observers must outlive the list.
template <class RunType>
class ObserverList {
 public:
  template <class... T>
  explicit ObserverList(T&... observers) {
    (add(observers), ...);
  }

  void training_started(RunType& run) const { call_all(training_started_, run); }
  void training_resumed(RunType& run) const { call_all(training_resumed_, run); }
  void batch_ended(RunType& run) const { call_all(batch_ended_, run); }
  void epoch_ended(RunType& run) const { call_all(epoch_ended_, run); }
  void training_ended(RunType& run) const { call_all(training_ended_, run); }

 private:
  using Callbacks = std::vector<std::function<void(RunType&)>>;

  static void call_all(const Callbacks& callbacks, RunType& run) {
    for (const auto& callback : callbacks) callback(run);
  }

  template <class T>
  void add(T& observer) {
    if constexpr (HasTrainingStarted<T, RunType>)
      training_started_.push_back([&observer](RunType& run) { observer.training_started(run); });
    if constexpr (HasTrainingResumed<T, RunType>)
      training_resumed_.push_back([&observer](RunType& run) { observer.training_resumed(run); });
    if constexpr (HasBatchEnded<T, RunType>) batch_ended_.push_back([&observer](RunType& run) { observer.batch_ended(run); });
    if constexpr (HasEpochEnded<T, RunType>) epoch_ended_.push_back([&observer](RunType& run) { observer.epoch_ended(run); });
    if constexpr (HasTrainingEnded<T, RunType>) training_ended_.push_back([&observer](RunType& run) { observer.training_ended(run); });
    if constexpr (CallableWithRun<T, RunType> && !HasEpochEnded<T, RunType>)
      epoch_ended_.push_back([&observer](RunType& run) {
        if constexpr (std::is_same_v<decltype(observer(run)), bool>) {
          if (!observer(run)) run.stop("an observer returned false");
        } else {
          observer(run);
        }
      });
  }

  Callbacks training_started_;
  Callbacks training_resumed_;
  Callbacks batch_ended_;
  Callbacks epoch_ended_;
  Callbacks training_ended_;
};

}  // namespace chainrule::detail
