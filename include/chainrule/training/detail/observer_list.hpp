#pragma once
// Who is told what during a training. An observer is anything that can be called with the Run, which is done after each epoch, or
// has some of the members training_started, batch_ended, epoch_ended and training_ended, each called with the Run. A call that
// gives false stops the training.
//
// An observer takes part in checkpoints where it has a name and says what it keeps, in one function for writing and reading:
// @code{.cpp}
// struct CountsBatches {
//   static constexpr std::string_view name = "CountsBatches";
//   Index batches = 0;
//   void batch_ended(const Progress&) { ++batches; }
//   template <class Archive>
//   void archive(Archive& a) { a(batches); }
// };
// @endcode
// All kinds of values that this knows are told in io/archive.hpp. When a training goes on from a file, observers hear training_started,
// then what they keep is read, then they hear training_resumed(run), if they have it: to stop it again where they had decided so.

#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/training/progress.hpp>
#include <functional>
#include <type_traits>
#include <vector>

namespace chainrule::detail {

template <class T, class RunType>
concept HearsStart = requires(T& observer, RunType& run) {
  observer.training_started(run);
};
template <class T, class RunType>
concept HearsBatches = requires(T& observer, RunType& run) {
  observer.batch_ended(run);
};
template <class T, class RunType>
concept HearsEpochs = requires(T& observer, RunType& run) {
  observer.epoch_ended(run);
};
template <class T, class RunType>
concept HearsEnd = requires(T& observer, RunType& run) {
  observer.training_ended(run);
};
template <class T, class RunType>
concept HearsResume = requires(T& observer, RunType& run) {
  observer.training_resumed(run);
};
template <class T, class RunType>
concept CalledWithRun = requires(T& observer, RunType& run) {
  observer(run);
};

template <class T, class RunType>
concept Observer =
    HearsStart<T, RunType> || HearsBatches<T, RunType> || HearsEpochs<T, RunType> || HearsEnd<T, RunType> || CalledWithRun<T, RunType>;

/// The observers of one training with their types forgotten, so that the loop is compiled once for a network and not once more
/// for each set of observers. They must outlive it.
template <class RunType>
class Observers {
 public:
  template <class... T>
  explicit Observers(T&... observers) {
    (add(observers), ...);
  }

  void training_started(RunType& run) const { tell(started_, run); }
  void training_resumed(RunType& run) const { tell(resumed_, run); }
  void batch_ended(RunType& run) const { tell(batch_, run); }
  void epoch_ended(RunType& run) const { tell(epoch_, run); }
  void training_ended(RunType& run) const { tell(ended_, run); }

 private:
  using Calls = std::vector<std::function<void(RunType&)>>;

  static void tell(const Calls& calls, RunType& run) {
    for (const auto& call : calls) call(run);
  }

  template <class T>
  void add(T& observer) {
    if constexpr (HearsStart<T, RunType>) started_.push_back([&observer](RunType& run) { observer.training_started(run); });
    if constexpr (HearsResume<T, RunType>) resumed_.push_back([&observer](RunType& run) { observer.training_resumed(run); });
    if constexpr (HearsBatches<T, RunType>) batch_.push_back([&observer](RunType& run) { observer.batch_ended(run); });
    if constexpr (HearsEpochs<T, RunType>) epoch_.push_back([&observer](RunType& run) { observer.epoch_ended(run); });
    if constexpr (HearsEnd<T, RunType>) ended_.push_back([&observer](RunType& run) { observer.training_ended(run); });
    if constexpr (CalledWithRun<T, RunType> && !HearsEpochs<T, RunType>)
      epoch_.push_back([&observer](RunType& run) {
        if constexpr (std::is_same_v<decltype(observer(run)), bool>) {
          if (!observer(run)) run.stop("an observer said so");
        } else {
          observer(run);
        }
      });
  }

  Calls started_;
  Calls resumed_;
  Calls batch_;
  Calls epoch_;
  Calls ended_;
};

}  // namespace chainrule::detail
