#include "problem.hpp"

#include <cmath>
#include <random>

namespace bench {

Problem make_problem(const Row& row, double learning_rate) {
  Problem problem{row, {}, {}, {}, {}, learning_rate};
  std::mt19937 bits{1};
  const auto number = [&](double limit) { return static_cast<Scalar>(limit * (2.0 * bits() / 4294967295.0 - 1)); };

  for (std::size_t l = 0; l + 1 < row.widths.size(); ++l) {
    const int in = row.widths[l], out = row.widths[l + 1];
    const double limit = std::sqrt(6.0 / (in + out));  // Xavier's limit, so that no unit is saturated
    for (int i = 0; i < in * out; ++i) problem.theta.push_back(number(limit));
    for (int i = 0; i < out; ++i) problem.theta.push_back(number(0.1));
  }
  const auto batch = static_cast<std::size_t>(row.batch);
  const auto outputs = static_cast<std::size_t>(row.widths.back());
  problem.x.resize(static_cast<std::size_t>(row.widths.front()) * batch);
  for (Scalar& x : problem.x) x = number(1);
  problem.y.resize(outputs * batch);
  for (std::size_t i = 0; i < batch; ++i) {
    const std::size_t label = bits() % outputs;
    problem.labels.push_back(static_cast<int>(label));
    for (std::size_t k = 0; k < outputs; ++k) problem.y[i * outputs + k] = row.loss == Loss::squared ? number(1) : Scalar(k == label);
  }
  return problem;
}

}  // namespace bench
