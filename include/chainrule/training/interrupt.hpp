#pragma once

#include <chainrule/training/progress.hpp>
#include <csignal>

namespace chainrule {

/// Observer that makes Ctrl-C stop the training after the current batch instead of ending the program. `fit` then returns its history, and
/// EarlyStopping restores the best parameters. A second Ctrl-C ends the program; after the training, Ctrl-C does again what it did before.
/// @code{.cpp}
/// trainer.fit(train, {.epochs = 100, .validation = test}, Interrupt{}, EarlyStopping{});
/// @endcode
/// Only one training of a process may use it at a time, because the signal handler sets a global flag, the only global variable of the
/// library.
class Interrupt {
 public:
  using Handler = void (*)(int);  ///< type of a signal handler, as std::signal takes it

  /// Called by the trainer before the first step.
  template <class RunType>
  void training_started(RunType&) {
    interrupted() = 0;
    previous_handler_ = std::signal(SIGINT, [](int) {
      interrupted() = 1;
      std::signal(SIGINT, SIG_DFL);
    });
    is_installed_ = previous_handler_ != SIG_ERR;
  }

  /// Called by the trainer after each step.
  template <class RunType>
  void batch_ended(RunType& run) {
    if (is_installed_ && interrupted() != 0) run.stop("interrupted");
  }

  /// Called by the trainer at the end, also when an exception ends the training.
  template <class RunType>
  void training_ended(RunType&) {
    if (is_installed_) std::signal(SIGINT, previous_handler_);
    is_installed_ = false;
  }

 private:
  static volatile std::sig_atomic_t& interrupted() {
    static volatile std::sig_atomic_t flag = 0;
    return flag;
  }

  Handler previous_handler_ = SIG_DFL;
  bool is_installed_ = false;
};

}  // namespace chainrule
