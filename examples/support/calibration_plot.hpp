#pragma once
// The picture of the example churn: how many leave over the probability of leaving.

#include <chainrule/metrics/calibration.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "gnuplot.hpp"
#include "output_folder.hpp"

namespace examples {

/// Draws the share of yes over its predicted probability, for several predictions of the labels y: a point for each tenth of the
/// probabilities, larger where there are more samples. Each prediction is 1 x samples. Writes NAME.csv, a line for each tenth with mean
/// probability, share of yes and number of samples of each prediction, NAME.png and NAME.svg.
inline void plot_calibration(const std::string& name, const std::vector<std::string>& titles,
                             const std::vector<chainrule::Matrix<float>>& predictions, const std::vector<int>& y,
                             const OutputFolder& output) {
  constexpr int bins = 10;
  std::vector<std::string> columns;
  std::vector<std::vector<double>> rows(bins);
  std::string curves;
  for (std::size_t k = 0; k < predictions.size(); ++k) {
    const chainrule::ReliabilityDiagram diagram(predictions[k], y, bins, chainrule::ReliabilityOf::yes);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const chainrule::ReliabilityBin& bin = diagram.bins()[i];
      const bool is_empty = bin.samples == 0;
      rows[i].insert(rows[i].end(), {is_empty ? NAN : bin.confidence, is_empty ? NAN : bin.accuracy, static_cast<double>(bin.samples)});
    }
    for (const char* what : {"probability", "share", "samples"}) columns.push_back(std::string(what) + " " + titles.at(k));
    const std::string x = std::to_string(3 * k + 1), share = std::to_string(3 * k + 2), count = std::to_string(3 * k + 3);
    curves += ", numbers every ::1 using " + x + ":" + share + ":(0.6+sqrt($" + count +
              ")/10) with linespoints linewidth 2 pointtype 7 pointsize variable title " + quoted(titles[k]);
  }
  const std::string table = output.write_table(name, columns, rows);
  output.paint(name, 560, 560,
               "set datafile separator ','\nnumbers = " + quoted(table) +
                   "\nset grid\nset key top left\nset size square\nset xrange [0:1]\nset yrange [0:1]\n"
                   "set xlabel 'predicted probability'\nset ylabel 'share of those who leave'\n"
                   "plot x with lines dashtype 2 linecolor 'gray40' title 'perfect'" +
                   curves + "\n");
}

}  // namespace examples
