// Backpropagation: every dJ/dW(l) and dJ/db(l) by the lecture's formulas, by the library, and by central differences.
//
// The chain rule gives dJ/dW(3) first, then dJ/dW(2), then dJ/dW(1). Each step reuses the delta of the step before, so all gradients
// together cost about as much as two forward passes.
#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/flags.hpp"
#include "support/side_by_side.hpp"
namespace cr = chainrule;
using cr::Index;
using Matrix = Eigen::MatrixXd;

// The lecture's net, as in 2_forward.cpp.
using Net = cr::Network<double, cr::SoftmaxCrossEntropy, cr::Dense<3, 4, cr::Sigmoid>, cr::Dense<4, 4, cr::Sigmoid>, cr::Dense<4, 3>>;

// sigma(z) = 1/(1 + e^-z);  sigma'(z) = sigma(z) (1 - sigma(z)) = a (1 - a) with a = sigma(z)
Matrix sigma(const Matrix& z) { return 1 / (1 + (-z.array()).exp()); }
Eigen::ArrayXXd sigma_prime(const Matrix& a) { return a.array() * (1 - a.array()); }

// softmax(z)_k = e^z_k / (e^z_1 + e^z_2 + ...), for each column
Matrix softmax(const Matrix& z) {
  const Matrix e = z.array().exp();
  return e.array().rowwise() / e.array().colwise().sum();
}

// The lecture's formulas, for one sample and without biases:
//     dJ/dW(3) = (y_hat - y) . a(3)
//     dJ/dW(2) = (y_hat - y) . W(3) . sigma'(z(3)) . a(2)
//     dJ/dW(1) = (y_hat - y) . W(3) . sigma'(z(3)) . W(2) . sigma'(z(2)) . X
// For a batch they are products of matrices, below in the order that the shapes require. Each delta(l) = dJ/dz(l) follows from delta(l+1);
// this recursion is backpropagation.
Net::Gradients by_formulas(const Net& net, const Matrix& x, const Matrix& y) {
  const auto [W1, b1] = net.layer<0>();
  const auto [W2, b2] = net.layer<1>();
  const auto [W3, b3] = net.layer<2>();
  const Matrix a2 = sigma((W1 * x).colwise() + b1);
  const Matrix a3 = sigma((W2 * a2).colwise() + b2);
  const Matrix y_hat = softmax((W3 * a3).colwise() + b3);

  const Matrix delta4 = (y_hat - y) / static_cast<double>(x.cols());          // dJ/dz(4), 3 x batch
  const Matrix delta3 = (W3.transpose() * delta4).array() * sigma_prime(a3);  // dJ/dz(3), 4 x batch
  const Matrix delta2 = (W2.transpose() * delta3).array() * sigma_prime(a2);  // dJ/dz(2), 4 x batch

  auto dJ = net.make_gradients();
  dJ.layer<2>().weight = delta4 * a3.transpose();  // dJ/dW(3), 3 x 4
  dJ.layer<1>().weight = delta3 * a2.transpose();  // dJ/dW(2), 4 x 4
  dJ.layer<0>().weight = delta2 * x.transpose();   // dJ/dW(1), 4 x 3
  dJ.layer<2>().bias = delta4.rowwise().sum();     // dJ/db(l): b(l) is added with the factor 1, where W(l) has the factor a(l)
  dJ.layer<1>().bias = delta3.rowwise().sum();
  dJ.layer<0>().bias = delta2.rowwise().sum();
  return dJ;
}

// The library's forward and backward pass.
Net::Gradients by_backward(const Net& net, const Matrix& x, const Matrix& y) {
  auto work = net.make_workspace(x.cols());
  auto dJ = net.make_gradients();
  net.forward(x, work);
  net.backward(x, y, work, dJ);
  return dJ;
}

// Without the chain rule: dJ/dp = (J(p + h) - J(p - h))/2h up to an error of order h^2, for every single weight or bias p. This takes two
// forward passes for each parameter, so it serves for checking only.
Net::Gradients by_differences(Net net, const Matrix& x, const Matrix& y, double h) {
  auto work = net.make_workspace(x.cols());
  auto dJ = net.make_gradients();
  const auto J = [&] {
    net.forward(x, work);
    return net.loss(y, work);
  };
  for (Index k = 0; k < net.parameters().size(); ++k) {
    double& p = net.parameters()[k];
    const double original = p;
    p = original + h;
    const double J_above = J();
    p = original - h;
    const double J_below = J();
    p = original;
    dJ.flat()[k] = (J_above - J_below) / (2 * h);
  }
  return dJ;
}

// max |a - b| / max |b|
double relative_difference(const Matrix& a, const Matrix& b) {
  return (a - b).cwiseAbs().maxCoeff<Eigen::PropagateNaN>() / b.cwiseAbs().maxCoeff<Eigen::PropagateNaN>();
}

int main(int argc, char** argv) try {
  std::uint64_t seed = 1;
  Index samples = 5;
  double h = 1e-5;
  examples::Flags flags("Computes the gradient of a net with three weight matrices in three ways, and compares them.");
  flags.add("--samples", samples, "Number of samples in the batch", 1, 10'000);
  flags.add("--step", h, "Step h of the central differences");
  flags.add_seed(seed, "weights, biases and samples");
  flags.parse(argc, argv);
  if (!(h > 0)) throw std::runtime_error("--step must be above 0");

  Net net{cr::Seed{seed}};
  cr::Random random{cr::Seed{seed}};
  Matrix x(3, samples), y = Matrix::Zero(3, samples);
  for (double& number : net.parameters()) number = random.normal();
  for (double& number : x.reshaped()) number = random.normal();
  for (Index sample = 0; sample < samples; ++sample) y(static_cast<Index>(random.below(3)), sample) = 1;  // the correct class

  const Net::Gradients formulas = by_formulas(net, x, y), backward = by_backward(net, x, y), differences = by_differences(net, x, y, h);

  struct Row {
    std::string name;
    double formulas, differences;
  };
  std::vector<Row> table;
  const auto compare = [&table](const std::string& l, const auto& formula, const auto& ours, const auto& difference) {
    examples::print_side_by_side({{"by formula", formula.weight}, {"by backward", ours.weight}, {"by differences", difference.weight}}, 5);
    table.push_back(
        {"dJ/dW(" + l + ")", relative_difference(formula.weight, ours.weight), relative_difference(difference.weight, ours.weight)});
    table.push_back({"dJ/db(" + l + ")", relative_difference(formula.bias, ours.bias), relative_difference(difference.bias, ours.bias)});
  };
  std::printf("dJ/dW(3) = delta(4) a(3)^T  with  delta(4) = (y_hat - y)/batch\n\n");
  compare("3", formulas.layer<2>(), backward.layer<2>(), differences.layer<2>());
  std::printf("dJ/dW(2) = delta(3) a(2)^T  with  delta(3) = W(3)^T delta(4) * sigma'(z(3))\n\n");
  compare("2", formulas.layer<1>(), backward.layer<1>(), differences.layer<1>());
  std::printf("dJ/dW(1) = delta(2) x^T  with  delta(2) = W(2)^T delta(3) * sigma'(z(2))\n\n");
  compare("1", formulas.layer<0>(), backward.layer<0>(), differences.layer<0>());

  std::printf("largest difference from backward(), relative to the largest entry\n            formulas   central differences\n");
  Row largest{"", 0, 0};
  for (const Row& row : table) {
    std::printf("  %s   %.1e   %.1e\n", row.name.c_str(), row.formulas, row.differences);
    if (!(row.formulas < 1e-12)) throw std::runtime_error(row.name + " by backward() differs from its formula");
    if (!(row.differences < 1e-6)) throw std::runtime_error(row.name + " by backward() differs from the central differences");
    largest = {"", std::max(largest.formulas, row.formulas), std::max(largest.differences, row.differences)};
  }
  std::printf("largest relative difference from backward: formulas %.1e, central differences %.1e\n", largest.formulas,
              largest.differences);
} catch (const std::exception& error) {
  std::fprintf(stderr, "chain_rule: %s\n", error.what());
  return 1;
}
