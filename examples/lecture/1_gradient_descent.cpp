// The five steps of gradient descent on a net of two weights, with a learning rate that is too small, right and too large.
//
// With only two weights the loss J is a surface over the plane of w1 and w2, so the path of the descent can be drawn on its contour lines.
// The next examples show what happens inside the calls below: 2_forward inside forward(), 3_chain_rule inside backward().
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

// y_hat = w2 tanh(w1 x). The biases, which every Dense layer has, stay 0 in this example, so J depends on w1 and w2 only.
using Net = cr::Network<double, cr::SquaredError, cr::Dense<1, 1, cr::Tanh>, cr::Dense<1, 1>>;
double& w1(Net& net) { return net.layer<0>().weight(0, 0); }
double& w2(Net& net) { return net.layer<1>().weight(0, 0); }

// 21 samples of y = 1.5 tanh(x). J is 0 at (w1, w2) = (1, 1.5) and, because tanh is odd, at (-1, -1.5). Between these minima is a saddle
// point at (0, 0).
struct Samples {
  Eigen::RowVectorXd x = Eigen::RowVectorXd::LinSpaced(21, -2, 2);
  Eigen::RowVectorXd y = 1.5 * x.array().tanh();
};

// Gradient descent from (w1, w2) = (-0.4, 1.4). Returns one row per step: learning rate, step, w1, w2, J.
Table descend(const Samples& samples, double learning_rate, cr::Index steps) {
  const auto& [x, y] = samples;
  Net net{cr::Seed{0}};
  net.parameters() << -0.4, 0, 1.4, 0;  // w1, its bias, w2, its bias
  auto work = net.make_workspace(x.cols());
  auto dJ = net.make_gradients();
  const cr::SGD sgd{.learning_rate = learning_rate};

  Table path;
  for (cr::Index step = 0; step <= steps; ++step) {
    net.forward(x, work);                // 1  make a prediction
    const double J = net.loss(y, work);  // 2  calculate the loss
    if (!std::isfinite(J)) break;        //    with too large a learning rate it may overflow
    path.push_back({learning_rate, static_cast<double>(step), w1(net), w2(net), J});
    net.backward(x, y, work, dJ);    // 3  calculate the gradient of the loss with respect to the parameters
    dJ.layer<0>().bias.setZero();    //    a gradient of 0 keeps the biases at 0
    dJ.layer<1>().bias.setZero();    //
    sgd.step(net.parameters(), dJ);  // 4  update the parameters by a step in the opposite direction: w <- w - learning_rate dJ/dw
  }                                  // 5  iterate
  return path;
}

// The surface of J on a grid: w1, w2, J, row by row.
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

std::string to_text(double number) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.6g", number);
  return digits;
}

// Formats a table as a data block of a gnuplot script. gnuplot wants an empty line after each row of a grid, that is after every
// `rows_together` lines.
std::string data_block(const std::string& name, const Table& table, std::size_t rows_together) {
  std::string lines = "$" + name + " << END\n";
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (i > 0 && i % rows_together == 0) lines += "\n";
    for (const double number : table[i]) lines += to_text(number) + " ";
    lines += "\n";
  }
  return lines + "END\n";
}

struct Descent {
  std::string name, color;
  double learning_rate;
  Table path = {};
};

// Draws the paths on the contour lines of J.
void plot(const std::vector<Descent>& runs, const Table& grid, const examples::OutputFolder& output) {
  std::string script = data_block("surface", grid, grid_columns), curves;
  for (const Descent& run : runs) {
    const std::string path = "path" + std::to_string(&run - runs.data());
    script += data_block(path, run.path, run.path.size());
    curves += ", $" + path + " using 3:4 with linespoints pointtype 7 pointsize 0.7 linewidth 1.5 linecolor '" + run.color + "' title '" +
              run.name + ": " + to_text(run.learning_rate) + "'";
  }
  script +=
      "set contour base\nunset surface\nset cntrparam levels discrete 0.02,0.05,0.1,0.2,0.4,0.8,1.6,3.2,6.4\n"
      "set table $contours\nsplot $surface\nunset table\n"
      "set xrange [-2.4:5.6]\nset yrange [-3:4.5]\nset xlabel 'w1'\nset ylabel 'w2' norotate\nset key outside top center maxrows 2 samplen "
      "2\n"
      "set palette defined (0 'gray20', 1 'gray90')\nset logscale cb\nset cbrange [0.02:6.4]\nset cblabel 'J' norotate\n"
      "set cbtics (0.02,0.05,0.1,0.2,0.4,0.8,1.6,3.2,6.4)\n";
  script += "$minima << EOD\n1 1.5\n-1 -1.5\nEOD\n";
  curves +=
      ", $path0 every ::::0 using 3:4 with points pointtype 5 pointsize 1.2 linecolor 'black' title 'start'"
      ", $minima using 1:2 with points pointtype 7 pointsize 1.2 linecolor 'black' title 'J = 0'";
  output.paint("gradient_descent", 900, 820, script + "plot $contours using 1:2:3 with lines linecolor palette notitle" + curves + "\n");
}

int main(int argc, char** argv) try {
  cr::Index steps = 40;
  std::vector<Descent> runs{{"too large", "#d2321e", 2.5}, {"right", "#1e9632", 0.5}, {"too small", "#286ebe", 0.005}};
  Descent &large = runs[0], &right = runs[1], &small = runs[2];
  examples::Flags flags("Descends the loss surface of a net with two weights, with three learning rates.");
  flags.add("--steps", steps, "Number of steps of each descent", 1, 1000);
  flags.add("--too-small", small.learning_rate, "A learning rate with which J hardly falls");
  flags.add("--right", right.learning_rate, "A learning rate with which J reaches 0");
  flags.add("--too-large", large.learning_rate, "A learning rate with which J grows");
  const examples::OutputFolder output(flags);
  flags.parse(argc, argv);

  const Samples samples;
  Table paths;
  for (Descent& run : runs) {
    run.path = descend(samples, run.learning_rate, steps);
    paths.insert(paths.end(), run.path.begin(), run.path.end());
  }
  std::printf("J after each number of steps, with a learning rate that is\n    ");
  for (const Descent& run : runs) std::printf("  %16s", (run.name + ": " + to_text(run.learning_rate)).c_str());
  for (std::size_t step = 0; step <= static_cast<std::size_t>(steps); step += step < 5 ? 1 : 5) {
    std::printf("\n%4d", static_cast<int>(step));
    for (const Descent& run : runs) std::printf("  %16s", step < run.path.size() ? to_text(run.path[step].back()).c_str() : "not finite");
  }
  std::printf("\n\n");
  const Table grid = surface(samples);
  output.write_table("gradient_descent_surface", {"w1", "w2", "J"}, grid);
  output.write_table("gradient_descent_paths", {"learning_rate", "step", "w1", "w2", "J"}, paths);
  plot(runs, grid, output);

  // Checks that each learning rate has the effect that its name says.
  const auto require = [](const Descent& run, bool holds, const char* what) {
    if (!holds) throw std::runtime_error("the learning rate " + to_text(run.learning_rate) + " is not " + run.name + ": J " + what);
  };
  const auto J = [](const Descent& run) { return run.path.back().back(); };  // the last loss
  const double start = right.path.front().back();
  require(small, J(small) < start && J(small) > 0.1 * start, "did not fall, or fell below a tenth of its start");
  require(right, J(right) < 1e-4 * start, "did not fall below a ten thousandth of its start");
  require(large, J(large) > start, "ended lower than it started");
  std::printf("J went from %.4f to %.4f (too small), %.1e (right) and %.1e (too large)\n", start, J(small), J(right), J(large));
} catch (const std::exception& error) {
  std::fprintf(stderr, "gradient_descent: %s\n", error.what());
  return 1;
}
