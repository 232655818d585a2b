#pragma once

#include <chainrule/training/progress.hpp>
#include <csignal>

namespace chainrule {

/// Ctrl-C ends the training after the running batch instead of the program: history is kept, and EarlyStopping's best
/// parameters come back. A second Ctrl-C, or one outside of a training, does what it did before.
/// @code{.cpp}
/// trainer.fit(train, {.epochs = 100, .validation = test}, Interrupt{}, EarlyStopping{});
/// @endcode
/// One training at a time can listen; what a signal handler may touch is one flag of the process, the library's only one.
class Interrupt {
 public:
  using Handler = void (*)(int);  ///< what std::signal takes

  template <class RunType>
  void training_started(RunType&) {
    asked() = 0;
    before_ = std::signal(SIGINT, [](int) {
      asked() = 1;
      std::signal(SIGINT, SIG_DFL);
    });
    listening_ = before_ != SIG_ERR;
  }

  template <class RunType>
  void batch_ended(RunType& run) {
    if (listening_ && asked() != 0) run.stop("interrupted");
  }

  template <class RunType>
  void training_ended(RunType&) {
    if (listening_) std::signal(SIGINT, before_);
    listening_ = false;
  }

 private:
  static volatile std::sig_atomic_t& asked() {
    static volatile std::sig_atomic_t flag = 0;
    return flag;
  }

  Handler before_ = SIG_DFL;
  bool listening_ = false;
};

}  // namespace chainrule
