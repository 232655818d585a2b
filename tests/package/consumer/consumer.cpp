// Includes only the headers it needs, so that it compiles quickly.
#include <chainrule/activations/tanh.hpp>
#include <chainrule/core/version.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <cstdio>

int main() {
  namespace cr = chainrule;
  cr::Network<double, cr::SquaredError, cr::Dense<2, 3, cr::Tanh>, cr::Dense<3, 1>> net{cr::Seed{1}};
  std::printf("chainrule %s: %g\n", cr::version, net.predict(Eigen::Vector2d{1, 2})[0]);
}
