#include "agreement.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace bench {

double step_difference(const Row& row, const Peer& ours, const Peer& peer) {
  const Problem problem = make_problem(row, 0.1);
  const auto a = ours.make(problem), b = peer.make(problem);
  if (!a || !b) return 0;
  a->step();
  b->step();
  const auto theta = a->parameters(), other = b->parameters();
  if (other.empty()) return 0;
  const auto wrong = [&](const std::string& what) {
    std::printf("%s: after one step %s\n", row.name().c_str(), what.c_str());
    return std::numeric_limits<double>::infinity();
  };
  if (other.size() != theta.size()) return wrong(peer.label() + " has " + std::to_string(other.size()) + " parameters");

  double worst = 0;
  std::size_t i = 0;
  for (std::size_t tensor = 0; tensor + 2 < 2 * row.widths.size(); ++tensor) {  // W, b, W, b, ...
    const std::size_t l = tensor / 2;
    const auto out = static_cast<std::size_t>(row.widths[l + 1]), in = static_cast<std::size_t>(row.widths[l]);
    double parameters = 0, step = 0, difference = 0;  // squared norms
    for (const std::size_t end = i + (tensor % 2 == 0 ? in * out : out); i < end; ++i) {
      parameters += std::pow(double(theta[i]), 2);
      step += std::pow(double(theta[i]) - double(problem.theta[i]), 2);
      difference += std::pow(double(theta[i]) - double(other[i]), 2);
    }
    const double of_step = std::sqrt(difference / step), of_parameters = std::sqrt(difference / parameters);
    const double rounding =
        std::numeric_limits<Scalar>::epsilon() * std::sqrt(parameters / step);  // rounding of theta, relative to the step
    if (!(of_parameters <= 1e-4 && of_step <= 1e-3 + rounding)) {
      char text[200];
      std::snprintf(text, sizeof text, "%s differs from ours in %s(%zu) by %.1e of the step and %.1e of the parameters",
                    peer.label().c_str(), tensor % 2 == 0 ? "W" : "b", l + 1, of_step, of_parameters);
      return wrong(text);
    }
    worst = std::max(worst, of_step);
  }
  return worst;
}

double prediction_difference(const Row& row, const Peer& ours, const Peer& peer) {
  const Problem problem = make_problem(row, 0.1);
  const auto a = ours.make(problem), b = peer.make(problem);
  if (!a || !b) return 0;
  const double number = a->predict(), difference = std::abs(b->predict() - number) / std::max(1.0, std::abs(number));
  if (difference <= 1e-4) return difference;
  std::printf("%s: %s predicts %g in place of our %g\n", row.name().c_str(), peer.label().c_str(), double(b->predict()), number);
  return std::numeric_limits<double>::infinity();
}

bool all_agree(const std::vector<Row>& rows, const std::vector<Peer>& peers) {
  bool agree = true;
  std::string summary;
  for (std::size_t p = 1; p < peers.size(); ++p) {
    double worst = 0;
    for (const Row& row : rows)
      worst = std::max(worst,
                       row.predicts ? prediction_difference(row, peers.front(), peers[p]) : step_difference(row, peers.front(), peers[p]));
    agree = agree && std::isfinite(worst);
    char text[100];
    std::snprintf(text, sizeof text, " %s %.1e", peers[p].label().c_str(), worst);
    summary += text;
  }
  std::printf("largest relative difference from our step or prediction:%s\n", summary.c_str());
  return agree;
}

}  // namespace bench
