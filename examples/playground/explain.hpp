#pragma once
// The numbers of the chain rule, one by one, for a single sample and a single weight. They are computed in double precision with the
// weights of the net that is being trained, so that a central difference agrees to many digits.

#include <chainrule/inspect/layer_values.hpp>
#include <cmath>
#include <limits>

#include "trainer.hpp"

namespace playground {

/// Returns the numbers in this order, which the page reads (engine.js):
///   J, y, y_hat, J(w + h), J(w - h), h, dJ/dw of the weight W(layer + 1) in this row and column
///   x
///   for each layer: for each unit z, a, f'(z) and delta; W row by row; b; the norm of dJ/dW
/// The last layer has y_hat as its a, and its delta is dJ/dz, so its f'(z) is 1.
inline std::vector<double> explain(const Trainer& trainer, Index sample, Index layer, Index row, Index column) {
  auto net = make_net<double>(trainer.choice());
  net.parameters() = trainer.net().parameters().cast<double>();
  const Point& point = trainer.points().at(static_cast<std::size_t>(sample));
  cr::Matrix<double> x(net.inputs(), 1), y(1, 1);
  trainer.write_inputs(point, x.col(0));
  y(0, 0) = point.y;

  auto work = net.make_workspace(1);
  auto dJ = net.make_gradients();
  net.forward(x, work);
  const double J = net.loss(y, work);
  net.backward(x, y, work, dJ);
  const auto values = cr::layer_values(net, x, y, work);
  const auto f = make_activation<double>(trainer.choice().activation);

  const auto tensor = [](auto& of, Index l, const char* name) { return of.tensor(std::to_string(l) + name); };
  const auto W = tensor(net, layer, ".weight");
  if (row < 0 || row >= W.rows() || column < 0 || column >= W.cols()) throw cr::ValueError("there is no such weight");
  double& w = tensor(net, layer, ".weight")(row, column);
  const double weight = w, h = std::cbrt(std::numeric_limits<double>::epsilon()) * std::fmax(1, std::abs(weight));
  const auto J_at = [&](double changed) {
    w = changed;
    net.forward(x, work);
    return net.loss(y, work);
  };
  const double J_above = J_at(weight + h), J_below = J_at(weight - h);
  w = weight;

  std::vector<double> all{J, point.y, net.predict(x)(0, 0), J_above, J_below, h, tensor(dJ, layer, ".weight")(row, column)};
  for (Index i = 0; i < x.rows(); ++i) all.push_back(x(i, 0));
  for (Index l = 0; l < trainer.layers(); ++l) {
    const bool is_last = l + 1 == trainer.layers();
    const auto& [name, activation, z, a, delta] = values[static_cast<std::size_t>(l)];
    for (Index i = 0; i < z.rows(); ++i) {
      double slope = 1;
      if (!is_last) f.times_derivative(1, &a(i, 0), &slope);
      all.insert(all.end(), {z(i, 0), is_last ? all[2] : a(i, 0), slope, delta(i, 0)});
    }
    const auto weights = tensor(net, l, ".weight"), biases = tensor(net, l, ".bias");
    for (Index i = 0; i < weights.rows(); ++i)
      for (Index j = 0; j < weights.cols(); ++j) all.push_back(weights(i, j));
    for (Index i = 0; i < weights.rows(); ++i) all.push_back(biases(i, 0));
    all.push_back(tensor(dJ, l, ".weight").norm());
  }
  return all;
}

}  // namespace playground
