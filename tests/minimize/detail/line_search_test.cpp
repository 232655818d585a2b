#include <chainrule/minimize/detail/line_search.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using chainrule::detail::cubic_minimizer;
using chainrule::detail::Trial;
using Search = chainrule::detail::WolfeSearch<double>;

namespace {

/// The trials of a search on phi, with the result as the last one.
template <class Phi>
Search::Result search(const Phi& phi, double first, double c1, double c2, chainrule::Index max_evaluations, std::vector<double>& steps) {
  const Trial<double> start = phi(0);
  return Search(c1, c2, max_evaluations).search(start.value, start.slope, first, [&](double step) {
    steps.push_back(step);
    return phi(step);
  });
}

Trial<double> quadratic(double a) { return {a, (a - 2) * (a - 2), 2 * (a - 2)}; }
/// Ends at a = 1: NaN from there on, and falling until then.
Trial<double> cliff(double a) { return {a, a < 1 ? -a : std::numeric_limits<double>::quiet_NaN(), -1}; }

}  // namespace

TEST_CASE("the cubic through two points has its minimum where the formula says") {
  // a^3 - 3 a has the minimum -2 at 1; (a - 2)^2 its minimum at 2; a^3 + a has none
  CHECK(std::abs(cubic_minimizer<double>({0, 0, -3}, {2, 2, 9}) - 1) < 1e-15);
  CHECK(std::abs(cubic_minimizer<double>({2, 2, 9}, {0, 0, -3}) - 1) < 1e-15);
  CHECK(std::abs(cubic_minimizer<double>(quadratic(0), quadratic(5)) - 2) < 1e-15);
  CHECK_FALSE(std::isfinite(cubic_minimizer<double>({-1, -2, 4}, {1, 2, 4})));
}

TEST_CASE("the line search brackets and zooms to the strong Wolfe conditions") {
  for (const double first : {1e-3, 0.5, 2.0, 3.9, 100.0})
    for (const double c2 : {0.9, 0.1, 1e-6}) {
      CAPTURE(first, c2);
      std::vector<double> steps;
      const auto [end, trial] = search(quadratic, first, 1e-4, c2, 25, steps);
      CHECK(end == Search::End::wolfe);
      CHECK(trial.step == steps.back());
      CHECK(trial.value <= 4 - 4e-4 * trial.step);
      CHECK(std::abs(trial.slope) <= 4 * c2);
      CHECK(steps.front() == first);
      CHECK(steps.size() <= 7);
    }
}

TEST_CASE("the line search takes the lowest finite step where no step satisfies the conditions") {
  std::vector<double> steps;
  const auto [end, trial] = search(cliff, 8, 1e-4, 0.9, 12, steps);
  CHECK(end == Search::End::decrease);
  CHECK(trial.value == -trial.step);
  CHECK(trial.step < 1);
  CHECK(trial.step > 0.9);
  CHECK(steps.back() == trial.step);  // evaluated last, so that the caller has its theta
  CHECK(steps.size() <= 13);

  // uphill although the slope says downhill: a wrong gradient
  steps.clear();
  const auto uphill = [](double a) { return Trial<double>{a, a, -1}; };
  CHECK(search(uphill, 1, 1e-4, 0.9, 10, steps).end == Search::End::none);
  CHECK(steps.size() == 10);
}
