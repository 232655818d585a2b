#pragma once

#include <chainrule/training/progress.hpp>
#include <csignal>
#include <mutex>

namespace chainrule {

/// Observer that makes Ctrl-C (SIGINT) stop the training after the current batch instead of ending the program. `fit` then returns its
/// history, whose stopped_because is "interrupted", and EarlyStopping restores the best parameters.
/// @code{.cpp}
/// trainer.fit(train, {.epochs = 100, .validation = test}, Interrupt{}, EarlyStopping{});
/// @endcode
/// Wherever it stands among the observers, it takes signals before training_started of the others, and until their training_ended has
/// returned. A signal after the last batch, while the last epoch is validated or an observer works, makes stopped_because "interrupted"
/// too, so that a program that trains several times can stop. A second Ctrl-C ends the program.
///
/// After the training, also one that ends with an exception, the signal does again what it did before. Where it was ignored, as in a
/// background job of a shell script, it stops the training all the same, and is ignored again afterwards. Several trainings at a time, in
/// threads or one inside an observer of another, may each have an Interrupt: a signal stops all of them, and does again what it did before
/// when the last of them has ended. The signal handler and this count are global variables; the only
/// other ones of the library keep memory that a broken exchange between ranks may still use.
class Interrupt {
 public:
  using Handler = void (*)(int);  ///< type of a signal handler, as std::signal takes it

  /// Called by the trainer before the first step.
  template <class RunType>
  void training_started(RunType&) {
    Shared& all = shared();
    const std::lock_guard lock(all.mutex);
    if (all.trainings == 0) {
      interrupted() = 0;
      all.handler_before = std::signal(SIGINT, [](int) {
        interrupted() = 1;
        std::signal(SIGINT, SIG_DFL);
      });
    }
    ++all.trainings;
    ++trainings_;
  }

  /// Called by the trainer after each step.
  template <class RunType>
  void batch_ended(RunType& run) {
    if (interrupted() != 0) run.stop("interrupted");
  }
  /// Called by the trainer after each epoch.
  template <class RunType>
  void epoch_ended(RunType& run) {
    batch_ended(run);
  }

  /// Called by the trainer at the end, also when an exception ends the training.
  template <class RunType>
  void training_ended(RunType& run) {
    if (trainings_ == 0) return;
    Shared& all = shared();
    const std::lock_guard lock(all.mutex);
    --trainings_;
    if (--all.trainings == 0 && all.handler_before != SIG_ERR) std::signal(SIGINT, all.handler_before);
    batch_ended(run);
  }

 private:
  // State that all trainings of the process share.
  struct Shared {
    std::mutex mutex;
    Index trainings = 0;  // trainings that take signals now
    Handler handler_before = SIG_DFL;
  };
  static Shared& shared() {
    static Shared all;
    return all;
  }
  static volatile std::sig_atomic_t& interrupted() {
    static volatile std::sig_atomic_t flag = 0;
    return flag;
  }

  Index trainings_ = 0;  // trainings for which this object takes signals now
};

namespace detail {

template <>
inline constexpr bool is_quick_observer<Interrupt> = true;
template <>
inline constexpr bool surrounds_other_observers<Interrupt> = true;

}  // namespace detail
}  // namespace chainrule
