#pragma once
// The observers of a training and how they are called. An observer is either a callable that takes the Run and is called after each
// epoch, or a class with any of the members training_started, batch_ended, epoch_ended and training_ended, each of which takes the Run.
// A callable that returns false stops the training; a member calls run.stop(reason) instead.
//
// Any observer may throw. The exception ends the training and arrives at the caller of fit, after training_ended of every observer whose
// training_started has returned. An exception of a training_ended keeps no other observer from being called; if several observers throw,
// the caller gets the first exception.
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

#include <chainrule/training/progress.hpp>
#include <exception>
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

  /// Calls training_started of all observers, then train(), then training_ended of all observers whose training_started has returned,
  /// also if an exception ends the training. Throws the first exception of these calls.
  template <class F>
  void during_training(RunType& run, const F& train) const {
    bracket(outer_, run, [&] { bracket(inner_, run, train); });
  }
  void training_resumed(RunType& run) const { call_all(training_resumed_, run); }
  /// Calls batch_ended of all observers, and before one that will look at the network, check_network().
  template <class F>
  void batch_ended(RunType& run, const F& check_network) const {
    for (const BatchEnded& observer : batch_ended_) {
      if (observer.looks_at_network(run)) check_network();
      observer.call(run);
    }
  }
  void batch_ended(RunType& run) const {
    batch_ended(run, [] {});
  }
  /// Whether an observer may look at the network, or change it, after each step.
  bool look_at_each_step() const { return look_at_each_step_; }
  void epoch_ended(RunType& run) const { call_all(epoch_ended_, run); }

 private:
  using Callback = std::function<void(RunType&)>;
  using Callbacks = std::vector<Callback>;

  // Calls of one observer before and after a training; empty where it has none.
  struct Bracket {
    Callback started, ended;
  };
  using Brackets = std::vector<Bracket>;

  static void call_all(const Callbacks& callbacks, RunType& run) {
    for (const auto& callback : callbacks) callback(run);
  }

#if defined(__cpp_exceptions)
  template <class F>
  static void bracket(const Brackets& brackets, RunType& run, const F& body) {
    std::size_t started = 0;
    try {
      for (; started < brackets.size(); ++started)
        if (brackets[started].started) brackets[started].started(run);
      body();
    } catch (...) {
      static_cast<void>(end(brackets, started, run));  // the first exception is the one that is in flight
      throw;
    }
    if (const std::exception_ptr first = end(brackets, started, run)) std::rethrow_exception(first);
  }
  // Calls the first `count` of the functions `ended`, and returns the first exception.
  static std::exception_ptr end(const Brackets& brackets, std::size_t count, RunType& run) {
    std::exception_ptr first;
    for (std::size_t i = 0; i < count; ++i) try {
        if (brackets[i].ended) brackets[i].ended(run);
      } catch (...) {
        if (!first) first = std::current_exception();
      }
    return first;
  }
#else
  template <class F>
  static void bracket(const Brackets& brackets, RunType& run, const F& body) {
    for (const Bracket& each : brackets)
      if (each.started) each.started(run);
    body();
    for (const Bracket& each : brackets)
      if (each.ended) each.ended(run);
  }
#endif

  // batch_ended of one observer, and whether it will look at the network after this step.
  struct BatchEnded {
    Callback call;
    std::function<bool(const RunType&)> looks_at_network;
  };

  template <class T>
  void add_batch_ended(T& observer) {
    BatchEnded added;
    if constexpr (is_quick_observer<std::remove_cv_t<T>>) {
      added.call = [&observer](RunType& run) { observer.batch_ended(run); };
      constexpr bool may_look = requires(const RunType& run) { observer.looks_at_network(run); };
      if constexpr (may_look)
        added.looks_at_network = [&observer](const RunType& run) { return observer.looks_at_network(run); };
      else
        added.looks_at_network = [](const RunType&) { return false; };
    } else {
      added.call = [&observer](RunType& run) {
        const Pause pause(run);
        observer.batch_ended(run);
      };
      added.looks_at_network = [](const RunType&) { return true; };
      look_at_each_step_ = true;
    }
    batch_ended_.push_back(added);
  }

  template <class T>
  void add(T& observer) {
    Bracket both;
    if constexpr (HasTrainingStarted<T, RunType>) both.started = [&observer](RunType& run) { observer.training_started(run); };
    if constexpr (HasTrainingEnded<T, RunType>) both.ended = [&observer](RunType& run) { observer.training_ended(run); };
    (surrounds_other_observers<std::remove_cv_t<T>> ? outer_ : inner_).push_back(both);
    if constexpr (HasTrainingResumed<T, RunType>)
      training_resumed_.push_back([&observer](RunType& run) { observer.training_resumed(run); });
    if constexpr (HasBatchEnded<T, RunType>) add_batch_ended(observer);
    if constexpr (HasEpochEnded<T, RunType>)
      epoch_ended_.push_back([&observer](RunType& run) {
        const Pause pause(run);
        observer.epoch_ended(run);
      });
    if constexpr (CallableWithRun<T, RunType> && !HasEpochEnded<T, RunType>)
      epoch_ended_.push_back([&observer](RunType& run) {
        const Pause pause(run);
        if constexpr (std::is_same_v<decltype(observer(run)), bool>) {
          if (!observer(run)) run.stop("an observer returned false");
        } else {
          observer(run);
        }
      });
  }

  Brackets outer_;  // observers that surround the others
  Brackets inner_;
  Callbacks training_resumed_;
  std::vector<BatchEnded> batch_ended_;
  bool look_at_each_step_ = false;
  Callbacks epoch_ended_;
};

}  // namespace chainrule::detail
