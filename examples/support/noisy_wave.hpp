#pragma once
// Data for learning quantiles, a wave with noise that grows with x, and a picture of the learned curves.

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <chainrule/core/random.hpp>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "gnuplot.hpp"
#include "output_folder.hpp"

namespace examples {

/// Fills x and y, which have the same length: x uniform from -3 to 3, y = sin 2x + (0.5 + x/8) u with u uniform from -1 to 1.
inline void sample_noisy_wave(chainrule::Random& random, Eigen::RowVectorXf& x, Eigen::RowVectorXf& y) {
  for (Eigen::Index j = 0; j < x.cols(); ++j) {
    x[j] = static_cast<float>(6 * random.uniform() - 3);
    y[j] = std::sin(2 * x[j]) + (0.5f + x[j] / 8) * static_cast<float>(2 * random.uniform() - 1);
  }
}

struct NoisyWave {
  Eigen::RowVectorXf x, y;
};
/// Makes `count` samples.
inline NoisyWave noisy_wave(Eigen::Index count, chainrule::Seed seed) {
  NoisyWave samples{Eigen::RowVectorXf(count), Eigen::RowVectorXf(count)};
  chainrule::Random random{seed};
  sample_noisy_wave(random, samples.x, samples.y);
  return samples;
}

/// A learned curve, y_hat at each x, below which a share tau of all y should lie.
struct QuantileCurve {
  double tau;
  Eigen::RowVectorXf y_hat;

  /// The percentage of y that lies below the curve.
  double percent_below(const Eigen::RowVectorXf& y) const { return 100 * (y.array() < y_hat.array()).cast<double>().mean(); }
  /// The percentage that should lie below the curve, as text.
  std::string percent() const { return std::to_string(std::lround(100 * tau)); }
};

/// Draws the first 1000 samples and up to three curves. Writes NAME.csv, NAME.png and NAME.svg.
inline void plot_quantiles(const std::string& name, const Eigen::RowVectorXf& x, const Eigen::RowVectorXf& y,
                           const std::vector<QuantileCurve>& curves, const OutputFolder& output) {
  std::vector<std::vector<double>> rows;
  for (Eigen::Index j = 0; j < std::min<Eigen::Index>(1000, x.cols()); ++j) {
    rows.push_back({x[j], y[j]});
    for (const QuantileCurve& curve : curves) rows.back().push_back(curve.y_hat[j]);
  }
  std::sort(rows.begin(), rows.end());
  std::vector<std::string> columns{"x", "y"};
  for (const QuantileCurve& curve : curves) columns.push_back("y" + curve.percent());

  constexpr std::array<const char*, 3> colors{"#286ebe", "black", "#f08c1e"};
  std::string script = "set datafile separator ','\nset key outside bottom center horizontal\nset xlabel 'x'\nset ylabel 'y'\nplot " +
                       quoted(output.write_table(name, columns, rows)) +
                       " every ::1 using 1:2 with points pointtype 7 pointsize 0.4 linecolor 'gray60' title 'samples'";
  for (std::size_t k = 0; k < std::min(curves.size(), colors.size()); ++k)
    script += ", '' every ::1 using 1:" + std::to_string(3 + k) + " with lines linewidth 3 linecolor '" + colors[k] + "' title '" +
              curves[k].percent() + " % lie below'";
  output.paint(name, 900, 560, script + "\n");
}

}  // namespace examples
