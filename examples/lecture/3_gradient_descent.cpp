// Gradient descent on a net of two weights: its five steps on the surface of J, with a learning rate too small, right and too large.
#include <chainrule/chainrule.hpp>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/flags.hpp"
#include "support/output_folder.hpp"
namespace cr = chainrule;
using Table = std::vector<std::vector<double>>;

// y_hat = w2 tanh(w1 x). A Dense has a bias too: all biases stay 0 here, so that J is a surface over the plane of w1 and w2.
using Net = cr::Network<double, cr::SquaredError, cr::Dense<1, 1, cr::Tanh>, cr::Dense<1, 1>>;
double& w1(Net& net) { return net.layer<0>().weight(0, 0); }
double& w2(Net& net) { return net.layer<1>().weight(0, 0); }

// 21 samples of 1.5 tanh(x): J is 0 for (w1, w2) = (1, 1.5), and for (-1, -1.5) too. Between them there is a saddle at (0, 0).
struct Samples {
  Eigen::RowVectorXd x = Eigen::RowVectorXd::LinSpaced(21, -2, 2);
  Eigen::RowVectorXd y = 1.5 * x.array().tanh();
};

// Where the descent from (-0.4, 1.4) comes by: learning rate, step, w1, w2, J.
Table descend(const Samples& samples, double learning_rate, cr::Index steps) {
  const auto& [x, y] = samples;
  Net net{cr::Seed{0}};
  net.parameters() << -0.4, 0, 1.4, 0;  // w1 and w2, each with its bias
  auto work = net.make_workspace(x.cols());
  auto dJ = net.make_gradients();
  const cr::SGD sgd{.learning_rate = learning_rate};

  Table path;
  for (cr::Index step = 0; step <= steps; ++step) {
    net.forward(x, work);                // 1  make a prediction
    const double J = net.loss(y, work);  // 2  calculate the loss
    if (!std::isfinite(J)) break;        //    (which may have got out of hand)
    path.push_back({learning_rate, static_cast<double>(step), w1(net), w2(net), J});
    net.backward(x, y, work, dJ);    // 3  calculate the gradient of the loss with respect to the parameters
    dJ.layer<0>().bias.setZero();    //    (of which only the weights are to move)
    dJ.layer<1>().bias.setZero();    //
    sgd.step(net.parameters(), dJ);  // 4  a step in the opposite direction: w <- w - learning_rate dJ/dw
  }                                  // 5  iterate
  return path;
}

// w1, w2, J on a grid, row by row.
constexpr std::size_t grid_rows = 121, grid_columns = 193;
Table surface(const Samples& samples) {
  Net net{cr::Seed{0}};
  auto work = net.make_workspace(samples.x.cols());
  Table grid;
  for (std::size_t row = 0; row < grid_rows; ++row)
    for (std::size_t column = 0; column < grid_columns; ++column) {
      w1(net) = -2.4 + static_cast<double>(column) / 24;
      w2(net) = -3 + static_cast<double>(row) / 16;
      net.forward(samples.x, work);
      grid.push_back({w1(net), w2(net), net.loss(samples.y, work)});
    }
  return grid;
}

std::string text(double number) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.6g", number);
  return digits;
}

// A table as it stands in a script of gnuplot's, which wants an empty line between the rows of a grid.
std::string block(const std::string& name, const Table& table, std::size_t rows_together) {
  std::string lines = "$" + name + " << END\n";
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (i > 0 && i % rows_together == 0) lines += "\n";
    for (const double number : table[i]) lines += text(number) + " ";
    lines += "\n";
  }
  return lines + "END\n";
}

struct Run {
  std::string name, color;
  double learning_rate;
  Table path = {};
};

// The paths on the contours of J.
void plot(const std::vector<Run>& runs, const Table& grid, const examples::OutputFolder& output) {
  std::string script = block("surface", grid, grid_columns), curves;
  for (const Run& run : runs) {
    const std::string path = "path" + std::to_string(&run - runs.data());
    script += block(path, run.path, run.path.size());
    curves += ", $" + path + " using 3:4 with linespoints pointtype 7 pointsize 0.7 linewidth 1.5 linecolor '" + run.color + "' title '" +
              run.name + ": " + text(run.learning_rate) + "'";
  }
  script +=
      "set contour base\nunset surface\nset cntrparam levels discrete 0.02,0.05,0.1,0.2,0.4,0.8,1.6,3.2,6.4\n"
      "set table $contours\nsplot $surface\nunset table\n"
      "set xrange [-2.4:5.6]\nset yrange [-3:4.5]\nset xlabel 'w1'\nset ylabel 'w2' norotate\nset key outside top center maxrows 1\n"
      "set palette defined (0 'gray20', 1 'gray90')\nset logscale cb\nset cbrange [0.02:6.4]\nset cblabel 'J' norotate\n"
      "set cbtics (0.02,0.05,0.1,0.2,0.4,0.8,1.6,3.2,6.4)\nset label 'start' at -0.4,1.4 right offset -0.9,0 front\n";
  for (const char* minimum : {"1,1.5", "-1,-1.5"})
    script += std::string("set label 'J = 0' at ") + minimum + " offset 0.6,-0.7 front\nset object circle at " + minimum +
              " size 0.06 front fillstyle solid fillcolor 'black'\n";
  output.paint("gradient_descent", 900, 820, script + "plot $contours using 1:2:3 with lines linecolor palette notitle" + curves + "\n");
}

int main(int argc, char** argv) try {
  cr::Index steps = 40;
  std::vector<Run> runs{{"too large", "#d2321e", 2.5}, {"right", "#1e9632", 0.5}, {"too small", "#286ebe", 0.005}};
  Run &large = runs[0], &right = runs[1], &small = runs[2];
  examples::Flags flags("Goes down the surface of J over two weights with three learning rates.");
  flags.add("--steps", steps, "How many steps each goes", 1, 1000);
  flags.add("--too-small", small.learning_rate, "A learning rate with which it creeps");
  flags.add("--right", right.learning_rate, "One with which it arrives");
  flags.add("--too-large", large.learning_rate, "One with which it leaps further and further");
  const examples::OutputFolder output(flags);
  flags.parse(argc, argv);

  const Samples samples;
  Table paths;
  for (Run& run : runs) {
    run.path = descend(samples, run.learning_rate, steps);
    paths.insert(paths.end(), run.path.begin(), run.path.end());
  }
  std::printf("J after so many steps, with a learning rate\n    ");
  for (const Run& run : runs) std::printf("  %16s", (run.name + ": " + text(run.learning_rate)).c_str());
  for (std::size_t step = 0; step <= static_cast<std::size_t>(steps); step += step < 5 ? 1 : 5) {
    std::printf("\n%4d", static_cast<int>(step));
    for (const Run& run : runs) std::printf("  %16s", step < run.path.size() ? text(run.path[step].back()).c_str() : "not finite");
  }
  std::printf("\n\n");
  const Table grid = surface(samples);
  output.write_table("gradient_descent_surface", {"w1", "w2", "J"}, grid);
  output.write_table("gradient_descent_paths", {"learning_rate", "step", "w1", "w2", "J"}, paths);
  plot(runs, grid, output);

  // Each learning rate must do what its name says.
  const auto must = [](const Run& run, bool holds, const char* what) {
    if (!holds) throw std::runtime_error("the learning rate " + text(run.learning_rate) + " is not " + run.name + ": J " + what);
  };
  const auto J = [](const Run& run) { return run.path.back().back(); };  // the last one
  const double start = right.path.front().back();
  must(small, J(small) < start && J(small) > 0.1 * start, "did not fall, or fell to less than a tenth");
  must(right, J(right) < 1e-4 * start, "did not fall to a ten thousandth");
  must(large, J(large) > start, "ended lower than it began");
  std::printf("J went from %.4f to %.4f creeping, to %.1e arriving, to %.1e leaping\n", start, J(small), J(right), J(large));
} catch (const std::exception& error) {
  std::fprintf(stderr, "gradient_descent: %s\n", error.what());
  return 1;
}
