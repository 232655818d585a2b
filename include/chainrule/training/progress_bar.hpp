#pragma once

#include <algorithm>
#include <chainrule/training/progress.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>

#if __has_include(<sys/ioctl.h>)
#include <sys/ioctl.h>
#endif
#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace chainrule {

/// Observer that prints the progress of a training. On a terminal it draws a bar with the loss, the samples per second and, from the first
/// second of an epoch on, the time left in the epoch, ten times a second, in one row of the terminal. The speed is that of the steps,
/// without the time of observers and of the validation set. After each epoch it prints a line that stays, with four significant digits of
/// each quantity:
/// @verbatim
/// epoch  3/20  1.2 s  50000 samples/s  loss 0.08124  validation_loss 0.09341  validation_accuracy 0.9721
/// @endverbatim
/// If the output is not a terminal, such as a log file, it prints only these lines. It prints each of
/// Progress::notes once, in a line of its own. It allocates nothing per batch.
struct ProgressBar {
  /// automatic: bar if the output is a terminal, otherwise lines; bar: a bar and lines; lines: only lines; silent: nothing.
  enum class Style { automatic, bar, lines, silent };

  Style style = Style::automatic;                      ///< a bar, lines, or nothing
  std::FILE* output = stderr;                          ///< where to print; a terminal or a file; nullptr prints nothing
  Index every_epochs = 1;                              ///< number of epochs from one line to the next; the last epoch always has a line
  Index columns = 0;                                   ///< width to which the bar is cut; 0: the terminal's, or 80 if there is none
  std::chrono::steady_clock::time_point last_drawn{};  ///< when the bar was last drawn
  std::size_t notes_printed = 0;                       ///< how many notes of this training were printed

  /// Called by the trainer before the first step.
  void training_started(const Progress& run) {
    notes_printed = 0;
    print_notes(run);
  }
  /// Called by the trainer after each step.
  void batch_ended(const Progress& run) {
    if (style == Style::lines || style == Style::silent || run.batch == run.batches) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_drawn < std::chrono::milliseconds(100)) return;
    last_drawn = now;
    if (resolved() != Style::bar) return;

    char text[256], numbers[96], left[32] = "", bar[32] = "";
    const double speed = run.samples_per_second();
    const double elapsed = std::chrono::duration<double>(now - run.epoch_started).count();
    if (elapsed >= 1 && run.samples > 0)  // the first steps do not tell how long an epoch takes
      std::snprintf(left, sizeof left, "  %.0f s left",
                    std::ceil(elapsed * static_cast<double>(run.samples_per_epoch - run.samples) / static_cast<double>(run.samples)));
    if (speed > 0)
      std::snprintf(numbers, sizeof numbers, "loss %.4g  %.*f samples/s%s", run.loss, decimals_of(speed), speed, left);
    else
      std::snprintf(numbers, sizeof numbers, "loss %.4g%s", run.loss, left);

    const int begin = std::snprintf(text, sizeof text, "epoch %*td/%td ", digits(run.epochs), run.epoch, run.epochs);
    const Index space = (columns > 0 ? columns : terminal_columns()) - 1;  // a character in the last column would start another row
    const Index width = std::min<Index>(24, space - begin - 3 - static_cast<Index>(std::strlen(numbers)));
    if (width >= 4) {
      const Index filled = width * run.batch / run.batches;
      char* next = bar;
      *next++ = '[';
      for (Index i = 0; i < width; ++i) *next++ = i < filled ? '=' : i == filled ? '>' : '.';
      *next++ = ']';
      *next++ = ' ';
      *next = '\0';
    }
    std::snprintf(text + begin, sizeof text - static_cast<std::size_t>(begin), "%s%s", bar, numbers);
    std::fprintf(output, "\r\033[K%.*s", static_cast<int>(std::clamp<Index>(space, 1, sizeof text)), text);
    std::fflush(output);
  }

  /// Called by the trainer after each epoch.
  void epoch_ended(const Progress& run) {
    const Style now = resolved();
    if (now == Style::silent) return;
    print_notes(run);
    if (run.epoch % std::max<Index>(every_epochs, 1) != 0 && run.epoch != run.epochs && !run.stopped()) return;
    if (now == Style::bar) std::fprintf(output, "\r\033[K");
    const double speed = run.samples_per_second();
    std::fprintf(output, "epoch %*td/%td  %.1f s  %.*f samples/s", digits(run.epochs), run.epoch, run.epochs, run.seconds(),
                 decimals_of(speed), speed);
    for (const Quantity& quantity : run.quantities) {
      const bool has_decimals = std::abs(quantity.value) < 999.95;  // where not, "#" would print a point behind the four digits
      std::fprintf(output, has_decimals ? "  %s %#.4g" : "  %s %.4g", quantity.name.c_str(), quantity.value);
    }
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
  void print_notes(const Progress& run) {
    const Style now = resolved();
    if (now == Style::silent || notes_printed >= run.notes.size()) return;
    if (now == Style::bar) std::fprintf(output, "\r\033[K");
    for (; notes_printed < run.notes.size(); ++notes_printed) std::fprintf(output, "note: %s\n", run.notes[notes_printed].c_str());
    std::fflush(output);
  }

  Style resolved() const {
    if (output == nullptr) return Style::silent;
    if (style != Style::automatic) return style;
#if __has_include(<unistd.h>)
    return ::isatty(::fileno(output)) != 0 ? Style::bar : Style::lines;
#else
    return Style::lines;
#endif
  }

  Index terminal_columns() const {
#if __has_include(<sys/ioctl.h>)
    ::winsize size{};
    if (::ioctl(::fileno(output), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
#endif
    return 80;
  }

  // Decimals of a speed in samples per second, so that a slow one is not printed as 0.
  static int decimals_of(double speed) { return speed < 10 ? 2 : 0; }

  static int digits(Index number) {
    int count = 1;
    for (; number >= 10; number /= 10) ++count;
    return count;
  }
};

namespace detail {

template <>
inline constexpr bool is_quick_observer<ProgressBar> = true;

}  // namespace detail
}  // namespace chainrule
