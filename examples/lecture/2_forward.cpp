// Forward propagation through the lecture's net: x, every z(l), every a(l), y_hat and J, each compared with its formula.
//
// The input is a(1) = x. Layer l computes the pre-activation z(l+1) = W(l) a(l) + b(l) and the activation a(l+1) = f(z(l+1)). The program
// prints all of them, first as the library computes them, and compares them with the same formulas written out with Eigen.
#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "support/flags.hpp"
#include "support/side_by_side.hpp"
namespace cr = chainrule;
using Matrix = Eigen::MatrixXd;

// Three inputs x1 x2 x3, two hidden layers of four units with activation sigma, three outputs y1 y2 y3. The last Dense layer is linear:
// SoftmaxCrossEntropy works on its raw outputs (logits) and applies the softmax that turns them into probabilities.
using Net = cr::Network<double, cr::SoftmaxCrossEntropy, cr::Dense<3, 4, cr::Sigmoid>, cr::Dense<4, 4, cr::Sigmoid>, cr::Dense<4, 3>>;

// sigma(z) = 1/(1 + e^-z), elementwise
Matrix sigma(const Matrix& z) { return 1 / (1 + (-z.array()).exp()); }

// softmax(z)_k = e^z_k / (e^z_1 + e^z_2 + ...), for each column
Matrix softmax(const Matrix& z) {
  const Matrix e = z.array().exp();
  return e.array().rowwise() / e.array().colwise().sum();
}

int main(int argc, char** argv) try {
  std::uint64_t seed = 1;
  examples::Flags flags("Passes two samples forward through a net with three weight matrices, and computes the same from the formulas.");
  flags.add_seed(seed, "weights and biases");
  flags.parse(argc, argv);

  // One column is one sample. The two samples belong to the first and to the third class.
  Matrix x(3, 2), y(3, 2);
  x << 1.0, -0.5,  //
      0.5, 2.0,    //
      -1.0, 0.0;
  y << 1, 0,  //
      0, 0,   //
      0, 1;

  // A new net has random weights and biases of 0. Here the biases are random too, so that their effect can be seen.
  Net net{cr::Seed{seed}};
  cr::Random random{cr::Seed{seed}};
  for (double& number : net.parameters()) number = random.normal();
  const auto [W1, b1] = net.layer<0>();  // W(1) is 4 x 3, b(1) has 4 entries
  const auto [W2, b2] = net.layer<1>();  // W(2) is 4 x 4, b(2) has 4 entries
  const auto [W3, b3] = net.layer<2>();  // W(3) is 3 x 4, b(3) has 3 entries

  // With the library: pass in the input, calculate each layer, get the output, evaluate J(y, y_hat).
  auto work = net.make_workspace(x.cols());
  const Matrix net_z4 = net.forward(x, work);  // the output of the last layer, before the softmax
  const double net_J = net.loss(y, work);
  const Matrix net_a2 = work.activation<0>();  // the workspace keeps every activation
  const Matrix net_a3 = work.activation<1>();
  const Matrix net_y_hat = net.predict(x);  // predict applies the softmax

  // By hand: the formulas from x to J, with the net's weights and biases. The library does not keep z(2) and z(3), because the backward
  // pass needs only sigma'(z) = a (1 - a), which follows from a = sigma(z).
  const Matrix z2 = (W1 * x).colwise() + b1;
  const Matrix a2 = sigma(z2);
  const Matrix z3 = (W2 * a2).colwise() + b2;
  const Matrix a3 = sigma(z3);
  const Matrix z4 = (W3 * a3).colwise() + b3;
  const Matrix y_hat = softmax(z4);
  const double J = -(y.array() * y_hat.array().log()).sum() / static_cast<double>(x.cols());  // mean over the samples

  std::printf("One column of x, z, a, y_hat and y is one sample.\n\n");
  std::printf("z(2) = W(1) x + b(1),  a(2) = sigma(z(2))\n\n");
  examples::print_side_by_side({{"W(1)", W1}, {"x", x}, {"b(1)", b1}, {"z(2)", z2}, {"a(2)", net_a2}});
  std::printf("z(3) = W(2) a(2) + b(2),  a(3) = sigma(z(3))\n\n");
  examples::print_side_by_side({{"W(2)", W2}, {"a(2)", net_a2}, {"b(2)", b2}, {"z(3)", z3}, {"a(3)", net_a3}});
  std::printf("z(4) = W(3) a(3) + b(3),  y_hat = softmax(z(4))\n\n");
  examples::print_side_by_side({{"W(3)", W3}, {"a(3)", net_a3}, {"b(3)", b3}, {"z(4)", net_z4}, {"y_hat", net_y_hat}});
  std::printf("J(y, y_hat) = - mean over the samples of sum_k y_k ln y_hat_k\n\n");
  examples::print_side_by_side({{"y", y}, {"y_hat", net_y_hat}, {"J", Matrix::Constant(1, 1, net_J)}});

  std::printf("largest difference between the net and the formula\n");
  double largest = 0;
  const auto compare = [&largest](const char* name, const Matrix& of_net, const Matrix& of_formula) {
    const double difference = (of_net - of_formula).cwiseAbs().maxCoeff<Eigen::PropagateNaN>();
    std::printf("  %-6s %.1e\n", name, difference);
    if (!(difference < 1e-14)) throw std::runtime_error(std::string(name) + " of the net differs from its formula");
    largest = std::max(largest, difference);
  };
  compare("a(2)", net_a2, a2);
  compare("a(3)", net_a3, a3);
  compare("z(4)", net_z4, z4);
  compare("y_hat", net_y_hat, y_hat);
  compare("J", Matrix::Constant(1, 1, net_J), Matrix::Constant(1, 1, J));
  std::printf("largest difference between the net and its formulas: %.1e\n", largest);
} catch (const std::exception& error) {
  std::fprintf(stderr, "forward: %s\n", error.what());
  return 1;
}
