#pragma once
// A simulated arm, the target that it should follow, and the tracking error as numbers and as a picture.

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <numbers>
#include <string>
#include <vector>

#include "gnuplot.hpp"
#include "output_folder.hpp"

namespace examples {

/// An arm driven by a motor with torque u in Nm, under gravity and friction:
///     0.1 q'' = u - 2 sin q - 0.1 q' - 0.3 sign(q')           q: angle in rad, 0 when hanging down
struct Arm {
  double q = 0, velocity = 0;

  /// Applies the torque u for dt seconds. A steep tanh stands for sign(q').
  void move(double u, double dt) {
    for (int part = 0; part < 10; ++part) {
      const double acceleration = (u - 2 * std::sin(q) - 0.1 * velocity - 0.3 * std::tanh(velocity / 0.05)) / 0.1;
      velocity += acceleration * dt / 10;
      q += velocity * dt / 10;
    }
  }
};

/// The target angle after t seconds, a sum of two sines with a period of 4 seconds, and its first and second derivative.
struct Target {
  explicit Target(double t)
      : q{1.2 * std::sin(w * t) + 0.5 * std::sin(2 * w * t)},
        velocity{w * (1.2 * std::cos(w * t) + std::cos(2 * w * t))},
        acceleration{-w * w * (1.2 * std::sin(w * t) + 2 * std::sin(2 * w * t))} {}
  double q, velocity, acceleration;

 private:
  static constexpr double w = std::numbers::pi / 2;
};

/// One row per tick: seconds, target, q, target - q.
using ArmLog = std::vector<std::vector<double>>;

/// Prints and returns the root mean square of the tracking error for each period of 4 seconds. An incomplete last period is left out.
inline std::vector<double> print_tracking_errors(const ArmLog& log, std::ptrdiff_t ticks_in_4_seconds) {
  const auto ticks = static_cast<std::size_t>(ticks_in_4_seconds);
  std::vector<double> errors;
  std::printf("root mean square of the tracking error in each period of 4 seconds:");
  for (std::size_t i = 0; i + ticks <= log.size(); i += ticks) {
    double sum = 0;
    for (std::size_t k = i; k < i + ticks; ++k) sum += log[k][3] * log[k][3];
    errors.push_back(std::sqrt(sum / static_cast<double>(ticks)));
    std::printf(" %.3f", errors.back());
  }
  std::printf("\n");
  return errors;
}

/// Writes NAME.csv, NAME.png and NAME.svg: the angle and its target above, the tracking error below.
inline void plot_tracking(const std::string& name, const ArmLog& log, const OutputFolder& output) {
  const std::string table = quoted(output.write_table(name, {"seconds", "target", "q", "error"}, log));
  const auto curve = [&](const std::string& column, const std::string& color, const std::string& title) {
    return table + " every ::1 using 1:" + column + " with lines linewidth 2 linecolor '" + color + "' title '" + title + "'";
  };
  output.paint(name, 1000, 600,
               "set datafile separator ','\nset multiplot layout 2,1\nset grid\nset key outside top center horizontal\n"
               "set lmargin 9\nset xlabel 'seconds'\nset ylabel 'q in rad'\nplot " +
                   curve("2", "gray60", "target") + ", " + curve("3", "#286ebe", "arm") + "\nset ylabel 'error in rad'\nplot " +
                   curve("4", "#f08c1e", "target - arm") + "\nunset multiplot\n");
}

}  // namespace examples
