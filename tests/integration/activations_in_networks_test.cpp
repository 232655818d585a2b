// Gradients of networks with activations in several layers, which check the chain rule through all of them.

#include <chainrule/activations/gelu.hpp>
#include <chainrule/activations/mish.hpp>
#include <chainrule/activations/selu.hpp>
#include <chainrule/activations/softplus.hpp>
#include <chainrule/inspect/check_gradient.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/log_cosh.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;
using namespace chainrule_test;

// GELU and Mish compute f' from z; SELU and Softplus compute it from f(z).
TEST_CASE("dJ/dtheta and dJ/dx are right through GELU, SELU, Mish and Softplus in a row", "[activation]") {
  const auto net = make_network<double, LogCosh>(Seed{3}, Dense<Dynamic, Dynamic, GELU>{4, 5}, Dense<Dynamic, Dynamic, SELU>{5, 4},
                                                 Dense<Dynamic, Dynamic, Mish>{4, 3}, Dense<Dynamic, Dynamic, Softplus>{3, 2, Softplus{2}});
  Random random{Seed{1}};
  const Matrix<double> x = 2 * random_matrix<double>(4, 6, random);
  const GradientReport report = check_gradient(net, x, random_matrix<double>(2, 6, random));
  INFO(report.to_string());
  CHECK(report.passed);
  CHECK(report.kinks == 0);
  CHECK(report.entries == 25 + 24 + 15 + 8 + 24);
}
