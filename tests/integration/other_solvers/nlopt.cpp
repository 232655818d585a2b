// NLopt (Johnson) minimizes J of a network by the function objective.

#include <nlopt.h>
#include <chainrule/minimize/objective.hpp>

#include <span>
#include <vector>

#include "integration/other_solvers/fit.hpp"
#include "support/catch.hpp"

using namespace chainrule_test;

TEST_CASE("NLopt minimizes J of a network") {
  const auto data = curve();
  FitNet net = net_of_sines();
  auto J = chainrule::objective(net, data, {.l2 = 1e-4});
  const auto function = [](unsigned n, const double* theta, double* gradient, void* objective) {
    return (*static_cast<decltype(J)*>(objective))(std::span(theta, n), std::span(gradient, gradient == nullptr ? 0 : n));
  };
  std::vector<double> theta(net.parameters().begin(), net.parameters().end());
  double found = 0;
  nlopt_opt solver = nlopt_create(NLOPT_LD_LBFGS, static_cast<unsigned>(J.size()));
  nlopt_set_min_objective(solver, function, &J);
  nlopt_set_maxeval(solver, 5000);
  nlopt_set_ftol_rel(solver, 1e-15);
  const nlopt_result result = nlopt_optimize(solver, theta.data(), &found);
  INFO("NLopt returned " << nlopt_result_to_string(result) << " after " << nlopt_get_numevals(solver) << " evaluations");
  nlopt_destroy(solver);
  CHECK(std::abs(found - minimum_with_penalty) < 1e-9 * minimum_with_penalty);
  CHECK(J(theta) == found);
}
