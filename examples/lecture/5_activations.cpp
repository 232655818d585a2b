// Activations: the lecture's statements about sigmoid, tanh, ReLU and leaky ReLU, checked, and a picture of every activation and its f'.
//
// Vanishing gradients are the reason for other activations than the sigmoid. The program checks the values that the lecture gives for four
// of them, and draws f(z) and f'(z) of all activations in the library.
#include <algorithm>
#include <array>
#include <chainrule/any/known.hpp>  // the list of all activations
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "support/flags.hpp"
#include "support/gnuplot.hpp"
#include "support/output_folder.hpp"
namespace cr = chainrule;

// f(z) and f'(z) at one z. Activations compute on a Chunk of several numbers at once, so all of them are set to z. An activation whose
// derivative is simplest in terms of a = f(z), like sigma' = a (1 - a), has derivative_from_output(a) in place of derivative(z).
struct Point {
  double value, derivative;
};
template <cr::Activation F>
Point evaluate(const F& f, double z) {
  using Chunk = cr::Chunk<double>;
  const Chunk zs = Chunk::Constant(z);
  const Chunk a = f.value(zs);
  Chunk slope;
  if constexpr (cr::DerivativeFromOutput<F>)
    slope = f.derivative_from_output(a);
  else
    slope = f.derivative(zs);
  return {a[0], slope[0]};
}

struct Curve {
  std::string name;
  std::vector<Point> points;  // one per z
};

template <class F>
Curve curve_of(const F& f, const std::vector<double>& zs) {
  Curve curve{std::string(f.name), {}};
  for (const double z : zs) curve.points.push_back(evaluate(f, z));
  return curve;
}

// The curves of all activations in the list cr::Activations: first the lecture's four in its order, then the others.
template <class... F>
std::vector<Curve> all_curves(cr::Types<F...>, const cr::LeakyReLU& leaky, const std::vector<double>& zs) {
  const auto configured = [&leaky]<class A>(const A& by_default) {
    if constexpr (std::is_same_v<A, cr::LeakyReLU>)
      return leaky;
    else
      return by_default;
  };
  std::vector<Curve> curves{curve_of(configured(F{}), zs)...};
  std::stable_sort(curves.begin(), curves.end(), [](const Curve& a, const Curve& b) {
    const std::array<std::string, 4> lecture{"Sigmoid", "Tanh", "ReLU", "LeakyReLU"};
    const auto rank = [&lecture](const Curve& c) { return std::find(lecture.begin(), lecture.end(), c.name) - lecture.begin(); };
    return rank(a) < rank(b);
  });
  return curves;
}

// Writes the numbers as a table and draws one panel per activation.
void plot(const std::vector<Curve>& curves, const std::vector<double>& zs, const examples::OutputFolder& output) {
  std::vector<std::string> columns{"z"};
  std::vector<std::vector<double>> rows;
  for (const Curve& curve : curves) columns.insert(columns.end(), {curve.name, curve.name + "'"});
  for (std::size_t i = 0; i < zs.size(); ++i) {
    rows.push_back({zs[i]});
    for (const Curve& curve : curves) rows[i].insert(rows[i].end(), {curve.points[i].value, curve.points[i].derivative});
  }
  const std::string table = examples::quoted(output.write_table("activations", columns, rows));

  const std::size_t across = 4, down = (curves.size() + across - 1) / across;
  std::string script = "set datafile separator ','\nset multiplot layout " + std::to_string(down) + "," + std::to_string(across) +
                       "\nset xrange [-4:4]\nset yrange [-2:2.5]\nset xtics 2\nset ytics 1\nset zeroaxis linetype 1 linecolor 'gray'\n" +
                       "set key outside bottom center maxrows 1\nset xlabel 'z' offset 0,0.7\n";
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const std::string column = std::to_string(2 * i + 2), next = std::to_string(2 * i + 3);
    script += "set title '" + curves[i].name + "'\nplot " + table + " every ::1 using 1:" + column +
              " with lines linewidth 2 linecolor '#286ebe' title 'f(z)', '' every ::1 using 1:" + next +
              " with lines linewidth 2 dashtype 2 linecolor '#f08c1e' title \"f'(z)\"\n";
  }
  script += "unset multiplot\n";
  output.paint("activations", 1100, 260 * static_cast<int>(down), script);
}

int main(int argc, char** argv) try {
  double alpha = 0.1;
  examples::Flags flags("Draws every activation with its derivative, and checks the lecture's statements about four of them.");
  flags.add("--alpha", alpha, "Slope of the leaky ReLU for z < 0, below 1 (the library's default, 0.01, could not be seen in the picture)");
  const examples::OutputFolder output(flags);
  flags.parse(argc, argv);

  const cr::LeakyReLU leaky{alpha};
  std::vector<double> zs;
  for (int i = -400; i <= 400; ++i) zs.push_back(i / 100.0);  // z = -4, -3.99, ..., 4

  int right = 0, statements = 0;
  std::printf("%-45s  %8s  %s\n", "statement of the lecture", "expected", "computed");
  const auto check = [&](const char* statement, double expected, double computed) {
    const bool is_right = std::abs(computed - expected) < 1e-14;
    std::printf("%-45s  %8g  %.3g%s\n", statement, expected, computed, is_right ? "" : "  WRONG");
    right += is_right ? 1 : 0;
    ++statements;
  };
  // The largest difference between f(z) and a formula, for z from -4 to 4.
  const auto largest_difference = [&zs](const auto& f, const auto& formula) {
    double largest = 0;
    for (const double z : zs) {
      const double here = std::abs(f(z) - formula(z));
      largest = std::max(largest, std::isnan(here) ? HUGE_VAL : here);
    }
    return largest;
  };

  const auto sigma = [](double z) { return 1 / (1 + std::exp(-z)); };
  const auto sigma_prime = [](double z) { return evaluate(cr::Sigmoid{}, z).derivative; };
  const double steepest = *std::max_element(zs.begin(), zs.end(), [&](double a, double b) { return sigma_prime(a) < sigma_prime(b); });
  check("largest |sigma' - sigma (1 - sigma)|", 0, largest_difference(sigma_prime, [&](double z) { return sigma(z) * (1 - sigma(z)); }));
  check("largest sigma'(z)", 0.25, sigma_prime(steepest));
  check("  at z =", 0, steepest);

  const auto tanh = [](double z) { return evaluate(cr::Tanh{}, z).value; };
  check("largest |tanh(z) - sinh z / cosh z|", 0, largest_difference(tanh, [](double z) { return std::sinh(z) / std::cosh(z); }));
  check("largest |tanh(z) - (e^2z - 1)/(e^2z + 1)|", 0,
        largest_difference(tanh, [](double z) { return (std::exp(2 * z) - 1) / (std::exp(2 * z) + 1); }));
  check("tanh(0)", 0, tanh(0));
  check("tanh(z) for z -> inf, here 1000", 1, tanh(1000));
  check("tanh(z) for z -> -inf, here -1000", -1, tanh(-1000));

  const double z = 10;  // z >> 0
  check("ReLU(0)", 0, evaluate(cr::ReLU{}, 0).value);
  check("ReLU(z) = z, z = 10", z, evaluate(cr::ReLU{}, z).value);
  check("ReLU(-z) = 0", 0, evaluate(cr::ReLU{}, -z).value);
  check("LReLU(0)", 0, evaluate(leaky, 0).value);
  check("LReLU(z) = z", z, evaluate(leaky, z).value);
  check("LReLU(-z) = -alpha z", -alpha * z, evaluate(leaky, -z).value);

  const std::vector<Curve> curves = all_curves(cr::Activations{}, leaky, zs);
  plot(curves, zs, output);
  if (right < statements) throw std::runtime_error(std::to_string(statements - right) + " of the statements are wrong");
  std::printf("%d of %d statements are right; %d activations in the picture\n", right, statements, static_cast<int>(curves.size()));
} catch (const std::exception& error) {
  std::fprintf(stderr, "activations: %s\n", error.what());
  return 1;
}
