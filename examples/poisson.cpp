// Solves a differential equation with a net: Poisson's equation in a square, learned from the equation alone, without any solution.
//
// Such nets are known as physics-informed neural networks (Raissi, Perdikaris and Karniadakis 2019). The loss depends on second derivatives
// of the net by its input; chainrule computes them, and the gradient of the loss by theta, exactly and in one pass.
#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <vector>

#include "support/flags.hpp"
#include "support/gnuplot.hpp"
#include "support/output_folder.hpp"
namespace cr = chainrule;
using cr::Index;
using Row = Eigen::RowVectorXd;

// The equation, with u = 0 on the boundary of the square 0 <= x1, x2 <= 1, and its solution, which only measures the error:
//     Laplacian u = d2u/dx1^2 + d2u/dx2^2 = f,   f = -5 pi^2 sin(2 pi x1) sin(pi x2),   u = sin(2 pi x1) sin(pi x2)
Row exact_solution(const Eigen::Matrix2Xd& x) {
  return (2 * std::numbers::pi * x.row(0)).array().sin() * (std::numbers::pi * x.row(1)).array().sin();
}
Row right_side(const Eigen::Matrix2Xd& x) { return -5 * std::numbers::pi * std::numbers::pi * exact_solution(x); }

// F(x) = W(3) a(3) + b(3),  a(l+1) = tanh(W(l) a(l) + b(l)),  a(1) = x. SquaredError is not used: J is computed below.
using Net = cr::Network<double, cr::SquaredError, cr::Dense<2, 32, cr::Tanh>, cr::Dense<32, 32, cr::Tanh>, cr::Dense<32, 1>>;

// u(x) = B(x) F(x) is 0 on the boundary whatever F is, because B is. The factor 4 makes B at most 1, so that F is of the size of u, and
// of order 1. Without it F reaches 20, and the same training ends with an error of 0.02.
//     B = p(x1) p(x2),  p(s) = 4 s (1 - s):   dB/dx1 = p'(x1) p(x2),  dB/dx2 = p(x1) p'(x2),   Laplacian B = -8 p(x2) - 8 p(x1)
struct Bubble {
  Row value, by_x1, by_x2, laplacian;
  explicit Bubble(const Eigen::Matrix2Xd& x) {
    const Row p1 = 4 * x.row(0).array() * (1 - x.row(0).array()), p2 = 4 * x.row(1).array() * (1 - x.row(1).array());
    value = p1.cwiseProduct(p2);
    by_x1 = 4 * (1 - 2 * x.row(0).array()) * p2.array();
    by_x2 = 4 * p1.array() * (1 - 2 * x.row(1).array());
    laplacian = -8 * (p1 + p2);
  }
};

// Calculates the loss and its gradient for the points x:
//     Laplacian u = B Laplacian F + 2 (dB/dx1 dF/dx1 + dB/dx2 dF/dx2) + F Laplacian B
//     J = 1/(2 n) sum over the n points of r^2,   r = Laplacian u - f
// so the derivatives of J at each point are
//     dJ/dF = r/n Laplacian B,   dJ/d(dF/dx_i) = 2 r/n dB/dx_i,   dJ/d(Laplacian F) = r/n B
double loss_and_gradient(const Net& net, const Eigen::Matrix2Xd& x, Net::JetWorkspace& work, Net::Gradients& dJ) {
  const Bubble B(x);
  net.forward_jet(x, work);  // F(x), its derivatives by x1 and x2, and its Laplacian
  const Row laplacian_u = B.value.cwiseProduct(work.second(0)) + 2 * B.by_x1.cwiseProduct(work.first(0)) +
                          2 * B.by_x2.cwiseProduct(work.first(1)) + B.laplacian.cwiseProduct(work.value());
  const Row r = laplacian_u - right_side(x);
  const Row r_n = r / static_cast<double>(x.cols());
  work.dJ_dvalue() = r_n.cwiseProduct(B.laplacian);
  work.dJ_dfirst(0) = 2 * r_n.cwiseProduct(B.by_x1);
  work.dJ_dfirst(1) = 2 * r_n.cwiseProduct(B.by_x2);
  work.dJ_dsecond(0) = r_n.cwiseProduct(B.value);
  net.backward_jet(x, work, dJ);  // the chain rule from these derivatives back to theta
  return r.dot(r_n) / 2;
}

// The solution that the net has found, at the columns of x.
Row solution(const Net& net, const Eigen::Matrix2Xd& x) { return Bubble(x).value.cwiseProduct(net.predict(x)); }

// Points of a grid over the square, boundary included, for measuring the error and for the picture.
constexpr Index side = 101;
Eigen::Matrix2Xd grid() {
  Eigen::Matrix2Xd x(2, side * side);
  for (Index i = 0; i < x.cols(); ++i) x.col(i) << static_cast<double>(i % side), static_cast<double>(i / side);
  return x / static_cast<double>(side - 1);
}

// Draws the net's solution, its error, and how J and the error fell during training.
void plot(const Net& net, const std::vector<std::vector<double>>& curve, const examples::OutputFolder& output) {
  const Eigen::Matrix2Xd x = grid();
  const Row u = solution(net, x), error = u - exact_solution(x);
  std::vector<std::vector<double>> rows;
  for (Index i = 0; i < x.cols(); ++i) rows.push_back({x(0, i), x(1, i), u[i], error[i]});
  output.paint(
      "poisson", 1350, 430,
      "set datafile separator ','\nset multiplot layout 1,3\nset size ratio -1\nset xrange [0:1]\nset yrange [0:1]\n"
      "set xlabel 'x1'\nset ylabel 'x2'\nset palette defined (-1 '#286ebe', 0 'white', 1 '#f08c1e')\n"
      "map = " +
          examples::quoted(output.write_table("poisson_map", {"x1", "x2", "u", "error"}, rows)) +
          "\nset title 'u, the solution of the net'\nset cbrange [-1:1]\nplot map every ::1 using 1:2:3 with image notitle\n"
          "stats map every ::1 using (abs($4)) nooutput\nset format cb '%.0e'\nset cbrange [-STATS_max:STATS_max]\n"
          "set title 'its error, at most '.sprintf('%.1e', STATS_max)\nplot map every ::1 using 1:2:4 with image notitle\n"
          "set size noratio\nset autoscale x\nset autoscale y\nset logscale y\nset format y '10^{%T}'\nset grid\nset title 'training'\n"
          "set xlabel 'step'\nunset ylabel\ncurve = " +
          examples::quoted(output.write_table("poisson_curve", {"step", "J", "largest error"}, curve)) +
          "\nplot curve every ::1 using 1:2 with lines linewidth 2 linecolor '#286ebe' title 'J', "
          "curve every ::1 using 1:3 with lines linewidth 2 linecolor '#d2321e' title 'largest error of u'\nunset multiplot\n");
}

int main(int argc, char** argv) try {
  Index steps = 5000, points = 256;
  double learning_rate = 0.01;
  std::uint64_t seed = 1;
  examples::Flags flags("Solves Poisson's equation in a square with a net that learns from the equation.");
  flags.add("--steps", steps, "Number of training steps");
  flags.add("--points", points, "Number of points that are drawn in the square for each step");
  flags.add("--learning-rate", learning_rate, "Step size of Adam in the first step; it falls to 0 along a cosine");
  flags.add_seed(seed, "the initial weights and the points");
  const examples::OutputFolder output(flags);
  flags.parse(argc, argv);

  Net net{cr::Seed{seed}};
  // The directions of differentiation are x1 and x2, and the one second derivative is the sum of d2F/dx1^2 and d2F/dx2^2.
  auto work = net.make_jet_workspace(points, {Eigen::Matrix2d::Identity(), {{{0, 0}, {1, 1}}}});
  auto dJ = net.make_gradients();
  cr::Adam adam{.learning_rate = learning_rate};
  auto state = adam.make_state(net);
  const cr::Cosine falling{.period = static_cast<double>(steps)};
  std::printf("%s\n%6s %12s %16s\n", cr::summary(net).c_str(), "step", "J", "largest error");

  cr::Random random{cr::Seed{seed}};
  Eigen::Matrix2Xd x(2, points);
  const Eigen::Matrix2Xd test_points = grid();
  const Row exact = exact_solution(test_points);
  const auto largest_error = [&] { return (solution(net, test_points) - exact).cwiseAbs().maxCoeff(); };
  std::vector<std::vector<double>> curve;
  std::chrono::duration<double> seconds{0};
  for (Index step = 1; step <= steps; ++step) {
    const auto begin = std::chrono::steady_clock::now();
    for (double& coordinate : x.reshaped()) coordinate = random.uniform();
    const double J = loss_and_gradient(net, x, work, dJ);
    adam.learning_rate = learning_rate * falling(static_cast<double>(step - 1));
    adam.step(net.parameters(), dJ, state);
    seconds += std::chrono::steady_clock::now() - begin;
    if (step % std::max<Index>(steps / 100, 1) == 0) curve.push_back({static_cast<double>(step), J, largest_error()});
    if (step % std::max<Index>(steps / 10, 1) == 0) std::printf("%6td %12.3e %16.3e\n", step, J, curve.back()[2]);
  }
  std::printf("\n%.1f s for %td steps, %.0f us for each\n", seconds.count(), steps, 1e6 * seconds.count() / static_cast<double>(steps));
  plot(net, curve, output);

  const Row error = solution(net, test_points) - exact;
  std::printf("error of u, which is between -1 and 1: largest %.1e, root mean square %.1e\n", error.cwiseAbs().maxCoeff(),
              std::sqrt(error.squaredNorm() / static_cast<double>(error.size())));
} catch (const std::exception& error) {
  std::fprintf(stderr, "poisson: %s\n", error.what());
  return 1;
}
