#pragma once
// The picture of the example overfitting: losses over the epochs, and the prediction of each net in the plane.

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string>
#include <vector>

#include "gnuplot.hpp"
#include "output_folder.hpp"

namespace examples {

/// The results of one net.
struct OverfittingCurves {
  std::string name;
  std::size_t best_epoch;  // counted from 1
  Eigen::MatrixXd J;       // 3 x epochs (fewer after early stopping): training, validation and test loss
  Eigen::RowVectorXd map;  // P(y = 1) for each place of places_of_square()
};

/// The centres of 60 x 60 cells of the square from -1 to 1, as a 2 x 3600 matrix.
inline Eigen::MatrixXd places_of_square() {
  constexpr int side = 60;
  Eigen::MatrixXd places(2, side * side);
  const auto centres = Eigen::VectorXd::LinSpaced(side, -1 + 1.0 / side, 1 - 1.0 / side);
  for (Eigen::Index i = 0; i < side * side; ++i) places.col(i) << centres[i % side], centres[i / side];
  return places;
}

// The gnuplot script. Upper row: losses over the epochs. Lower row: P(y = 1) in the plane, blue for 0 and orange for 1, and the training
// points.
inline constexpr const char* overfitting_picture = R"(
set datafile separator ','
set multiplot layout 2,4
set grid; set ylabel 'J'; set yrange [0:1.2]; set xlabel 'epoch'; set xrange [0:epochs]; set xtics ceil(epochs/4.)
set key outside bottom center maxrows 2 samplen 2 Left reverse font ',10' width -2
do for [i=1:4] {
  best = int(word(bests, i))
  set title word(names, i).", best: epoch ".best
  set arrow 1 from best,0 to best,1.2 nohead linecolor 'gray50'
  plot losses every ::1 using 1:3*i-1 with lines linewidth 2 linecolor '#286ebe' title 'training', \
       losses every ::1 using 1:3*i   with lines linewidth 2 linecolor '#d2321e' title 'validation', \
       losses every ::1 using 1:3*i+1 with lines linewidth 2 linecolor '#f08c1e' title 'test', \
       noise with lines dashtype 2 linecolor 'gray40' title 'noise alone'
}
unset arrow; unset grid; unset colorbox
set size ratio -1; set xlabel 'x1'; set ylabel 'x2'; set xrange [-1:1]; set yrange [-1:1]; set xtics 0.5; set ytics 0.5
set cbrange [0:1]; set palette defined (0 '#286ebe', 0.5 'white', 1 '#f08c1e')
set object circle at 0,0 size 0.75 front fillstyle empty border linecolor 'black' dashtype 3
do for [i=1:4] {
  set title "P(y = 1): ".word(names, i)
  plot map every ::1 using 1:2:2+i with image notitle, \
       points every ::1 using 1:2 with points pointtype 7 pointsize 1 linecolor 'black' notitle, \
       points every ::1 using 1:2:3 with points pointtype 7 pointsize 0.7 linecolor palette notitle, \
       NaN with points pointtype 7 linecolor '#286ebe' title 'y = 0', NaN with points pointtype 7 linecolor '#f08c1e' title 'y = 1', \
       NaN with lines dashtype 3 linecolor 'black' title 'true boundary'
}
unset multiplot
)";

/// Draws the results of four nets, the first of which must not have stopped early. points: the training points, 3 x count (x1, x2, y).
/// noise_alone: the loss that the noise in the labels alone causes, drawn as a line. Writes NAME_losses.csv, NAME_map.csv, NAME_points.csv,
/// NAME.png and NAME.svg.
inline void plot_overfitting(const std::string& name, const std::vector<OverfittingCurves>& nets, const Eigen::MatrixXd& points,
                             double noise_alone, const OutputFolder& output) {
  const Eigen::Index epochs = nets[0].J.cols(), count = std::ssize(nets);
  const Eigen::MatrixXd places = places_of_square();
  Eigen::MatrixXd losses = Eigen::MatrixXd::Constant(1 + 3 * count, epochs, NAN), map(2 + count, places.cols());
  losses.row(0).setLinSpaced(1, static_cast<double>(epochs));
  map.topRows(2) = places;

  std::vector<std::string> loss_columns{"epoch"}, map_columns{"x1", "x2"};
  std::string names, bests;
  for (Eigen::Index m = 0; const OverfittingCurves& net : nets) {
    for (const char* of : {": training", ": validation", ": test"}) loss_columns.push_back(net.name + of);
    losses.block(1 + 3 * m, 0, 3, net.J.cols()) = net.J;
    map_columns.push_back(net.name);
    map.row(2 + m++) = net.map;
    names += "\"" + net.name + "\" ";
    bests += std::to_string(net.best_epoch) + " ";
  }
  std::string script = "names = '" + names + "'\nbests = '" + bests + "'\nnoise = " + std::to_string(noise_alone) +
                       "\nepochs = " + std::to_string(epochs) + "\n";
  const auto write = [&](const std::string& what, const std::vector<std::string>& columns, const Eigen::MatrixXd& numbers) {
    std::vector<std::vector<double>> rows;
    for (const auto& column : numbers.colwise()) rows.emplace_back(column.begin(), column.end());
    script += what + " = " + quoted(output.write_table(name + "_" + what, columns, rows)) + "\n";
  };
  write("losses", loss_columns, losses);
  write("map", map_columns, map);
  write("points", {"x1", "x2", "y"}, points);
  output.paint(name, 1400, 860, script + overfitting_picture);
}

}  // namespace examples
