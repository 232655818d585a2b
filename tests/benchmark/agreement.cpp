#include "agreement.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace bench {

bool same_step(const Row& row, const Peer& ours, const Peer& peer) {
  const Problem problem = make_problem(row, 0.1);
  const auto a = ours.make(problem), b = peer.make(problem);
  if (!a || !b) return true;
  a->step();
  b->step();
  const auto theta = a->parameters(), other = b->parameters();
  if (other.empty()) return true;
  if (other.size() != theta.size())
    return std::printf("%s: %s has %zu parameters, not %zu\n", row.name().c_str(), peer.name.c_str(), other.size(), theta.size()), false;

  std::size_t i = 0;
  for (std::size_t l = 0; l + 1 < row.widths.size(); ++l) {
    const std::size_t end = i + static_cast<std::size_t>(row.widths[l] + 1) * static_cast<std::size_t>(row.widths[l + 1]);
    double largest = 0, largest_step = 0, difference = 0;
    for (; i < end; ++i) {
      largest = std::max(largest, std::abs(double(theta[i])));
      largest_step = std::max(largest_step, std::abs(double(theta[i]) - double(problem.theta[i])));
      difference = std::max(difference, std::abs(double(theta[i]) - double(other[i])));
    }
    const bool same = difference <= 1e-4 * largest && difference <= 1e-3 * largest_step + 1e-7 * largest && largest_step > 0;
    if (!same) {
      std::printf("%s: layer %zu after one step: %s is %.1e from ours, where the step is %.1e and the parameters are up to %.1e\n",
                  row.name().c_str(), l, peer.name.c_str(), difference, largest_step, largest);
      return false;
    }
  }
  return true;
}

}  // namespace bench
