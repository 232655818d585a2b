#pragma once

#include <algorithm>
#include <chainrule/training/progress.hpp>
#include <cmath>
#include <cstdio>

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace chainrule {

/// Observer that prints the progress of a training. On a terminal it draws a bar with the loss, the samples per second and the time left
/// in the epoch, ten times a second. After each epoch it prints a line that stays:
/// @verbatim
/// epoch  3/20  1.2 s  50,000 samples/s  loss 0.0812  validation_loss 0.0934  validation_accuracy 0.9721
/// @endverbatim
/// If the output is not a terminal, such as a log file, it prints only these lines. It allocates nothing per batch.
struct ProgressBar {
  /// automatic: bar if the output is a terminal, otherwise lines; bar: a bar and lines; lines: only lines; silent: nothing.
  enum class Style { automatic, bar, lines, silent };

  Style style = Style::automatic;                      ///< a bar, lines, or nothing
  std::FILE* output = stderr;                          ///< where to print; a terminal or a file; nullptr prints nothing
  Index every_epochs = 1;                              ///< number of epochs from one line to the next; the last epoch always has a line
  std::chrono::steady_clock::time_point last_drawn{};  ///< when the bar was last drawn

  /// Called by the trainer after each step.
  void batch_ended(const Progress& run) {
    if (resolved() != Style::bar || run.batch == run.batches) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_drawn < std::chrono::milliseconds(100)) return;
    last_drawn = now;
    constexpr Index width = 24;
    const Index filled = width * run.batch / run.batches;
    char bar[width + 1];
    for (Index i = 0; i < width; ++i) bar[i] = i < filled ? '=' : i == filled ? '>' : '.';
    bar[width] = '\0';
    const double speed = run.samples_per_second();
    const double left = speed > 0 ? static_cast<double>(run.samples_per_epoch - run.samples) / speed : 0;
    std::fprintf(output, "\r\033[Kepoch %*td/%td [%s] loss %.4g  %.0f samples/s  %.0f s left", digits(run.epochs), run.epoch, run.epochs,
                 bar, run.loss, speed, std::ceil(left));
    std::fflush(output);
  }

  /// Called by the trainer after each epoch.
  void epoch_ended(const Progress& run) {
    const Style now = resolved();
    if (now == Style::silent) return;
    if (run.epoch % std::max<Index>(every_epochs, 1) != 0 && run.epoch != run.epochs && !run.stopped()) return;
    if (now == Style::bar) std::fprintf(output, "\r\033[K");
    std::fprintf(output, "epoch %*td/%td  %.1f s  %.0f samples/s", digits(run.epochs), run.epoch, run.epochs, run.seconds(),
                 run.samples_per_second());
    for (const Quantity& quantity : run.quantities) std::fprintf(output, "  %s %.4f", quantity.name.c_str(), quantity.value);
    std::fprintf(output, "\n");
    std::fflush(output);
  }

  /// Called by the trainer at the end, also when an exception ends the training.
  void training_ended(const Progress& run) {
    const Style now = resolved();
    if (now == Style::silent) return;
    if (now == Style::bar) std::fprintf(output, "\r\033[K");
    if (run.stopped()) std::fprintf(output, "stopped: %s\n", run.stopped_because.c_str());
    std::fflush(output);
  }

 private:
  Style resolved() const {
    if (output == nullptr) return Style::silent;
    if (style != Style::automatic) return style;
#if __has_include(<unistd.h>)
    return ::isatty(::fileno(output)) != 0 ? Style::bar : Style::lines;
#else
    return Style::lines;
#endif
  }

  static int digits(Index number) {
    int count = 1;
    for (; number >= 10; number /= 10) ++count;
    return count;
  }
};

}  // namespace chainrule
