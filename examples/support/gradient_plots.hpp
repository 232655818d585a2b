#pragma once
// The picture of the example vanishing_gradients: the norm of dJ/dW(l) in each layer before and after training, and the losses.

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "gnuplot.hpp"
#include "output_folder.hpp"

namespace examples {

/// The curves of one net.
struct GradientCurves {
  std::string name, color;
  std::vector<double> at_start, at_end;  // the norm of dJ/dW(l) for l = 1, ..., L
  std::vector<double> J;                 // the loss before each step, and after the last
};

/// Draws nets with the same numbers of layers and steps, and a dashed line that falls by a factor 1/4 per layer, the bound for sigma'.
/// Writes NAME.csv (the norms), NAME_loss.csv, NAME.png and NAME.svg.
inline void plot_gradients(const std::string& name, const std::vector<GradientCurves>& nets, const OutputFolder& output) {
  const std::size_t layers = nets[0].at_start.size(), losses = nets[0].J.size();
  std::vector<std::string> columns{"layer"}, loss_columns{"step"};
  for (const GradientCurves& net : nets) {
    columns.insert(columns.end(), {net.name + " at the start", net.name + " at the end"});
    loss_columns.push_back(net.name);
  }
  columns.push_back("1/4 per layer");
  std::vector<std::vector<double>> norms, J;
  for (std::size_t l = 0; l < layers; ++l) {
    norms.push_back({static_cast<double>(l + 1)});
    for (const GradientCurves& net : nets) norms[l].insert(norms[l].end(), {net.at_start[l], net.at_end[l]});
    norms[l].push_back(nets[0].at_start.back() * std::pow(0.25, static_cast<double>(layers - 1 - l)));
  }
  for (std::size_t step = 0; step < losses; ++step) {
    J.push_back({static_cast<double>(step)});
    for (const GradientCurves& net : nets) J[step].push_back(net.J[step]);
  }
  const std::string table = quoted(output.write_table(name, columns, norms));
  const std::string loss_table = quoted(output.write_table(name + "_loss", loss_columns, J));

  const auto curves = [&](const std::string& of, std::size_t first, std::size_t stride, const char* style) {
    std::string text = "plot ";
    for (std::size_t i = 0; i < nets.size(); ++i)
      text += (i > 0 ? ", " : "") + of + " every ::1 using 1:" + std::to_string(first + stride * i) + " with " + style +
              " linewidth 2 linecolor '" + nets[i].color + "' title '" + nets[i].name + "'";
    return text;
  };
  const std::string quarter =
      ", " + table + " every ::1 using 1:" + std::to_string(columns.size()) + " with lines dashtype 2 linecolor 'gray40' title '";
  output.paint(name, 1350, 480,
               "set datafile separator ','\nset multiplot layout 1,3\nset grid\nset key outside bottom center maxrows 3 Left reverse "
               "samplen 2 font ',10'\nset format y '10^{%L}'\n"
               "set logscale y\nset xlabel 'layer l'\nset ylabel '||dJ/dW(l)||'\nset xtics 1\nset title '||dJ/dW(l)|| at the start'\n" +
                   curves(table, 2, 2, "linespoints pointtype 7") + quarter + "a factor 1/4 per layer'\nset title '||dJ/dW(l)|| after " +
                   std::to_string(losses - 1) + " steps'\n" + curves(table, 3, 2, "linespoints pointtype 7") +
                   "\nunset logscale\nset format y '%g'\nset xtics autofreq\nset logscale x\nset xlabel 'step'\nset ylabel 'J'\nset yrange "
                   "[0:1]\nset title 'training loss'\n" +
                   curves(loss_table, 2, 1, "lines") + "\nunset multiplot\n");
}

}  // namespace examples
