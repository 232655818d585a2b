#pragma once
// A small fit that solvers of other libraries do in tests: sin(3 x) + 0.3 x^2 by four units, with the parameters sin(1), sin(2), ... at the
// start. tests/minimize/minimize_test.cpp does the same with the library's own minimizers.

#include <chainrule/activations/tanh.hpp>
#include <chainrule/data/dataset.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <cmath>

namespace chainrule_test {

using FitNet = chainrule::Network<double, chainrule::SquaredError, chainrule::Dense<1, 4, chainrule::Tanh>, chainrule::Dense<4, 1>>;

inline FitNet net_of_sines() {
  FitNet net{chainrule::Seed{1}};
  for (chainrule::Index i = 0; i < net.parameters().size(); ++i) net.parameters()[i] = std::sin(static_cast<double>(i + 1));
  return net;
}

inline chainrule::RegressionDataset<double> curve() {
  chainrule::RegressionDataset<double> data;
  data.features.resize(1, 300);
  data.targets.resize(1, 300);
  for (chainrule::Index j = 0; j < 300; ++j) {
    const double x = -1 + 2 * static_cast<double>(j) / 299;
    data.features(0, j) = x;
    data.targets(0, j) = std::sin(3 * x) + 0.3 * x * x;
  }
  return data;
}

/// J at the minimum with l2 = 1e-4, by scipy.optimize.minimize (1.10.1), method="BFGS", gtol=1e-12.
inline constexpr double minimum_with_penalty = 0.0010208613923905548;

}  // namespace chainrule_test
