#include <chainrule/activations/gelu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/derivatives/first_order.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;

TEST_CASE("the Jacobian is that of central differences, however many directions there is room for") {
  const Network<double, SquaredError, Dense<3, 4, Tanh>, Dense<4, 5, GELU>, Dense<5, 2>, Activate<Tanh>> net{Seed{1}};
  Random random{Seed{1}};
  const Eigen::MatrixXd x = chainrule_test::random_matrix<double>(3, 2, random);
  for (const Index directions : {1, 2}) {
    auto work = net.make_derivative_workspace(2, directions);
    Eigen::MatrixXd J(2, 6);
    net.jacobian(x, work, J);
    for (Index k = 0; k < 3; ++k) {
      Eigen::MatrixXd above = x, below = x;
      above.row(k).array() += 1e-5;
      below.row(k).array() -= 1e-5;
      const Eigen::MatrixXd difference = (net.predict_raw(above) - net.predict_raw(below)) / 2e-5;
      for (Index j = 0; j < 2; ++j) CHECK((J.col(3 * j + k) - difference.col(j)).norm() < 1e-9);
    }
  }
}

TEST_CASE("jvp and vjp are products with the Jacobian") {
  const Network<double, SquaredError, Dense<3, 20, Tanh>, Dense<20, 5>> net{Seed{1}};
  Random random{Seed{1}};
  const Eigen::MatrixXd x = chainrule_test::random_matrix<double>(3, 4, random), u = chainrule_test::random_matrix<double>(3, 4, random),
                        v = chainrule_test::random_matrix<double>(5, 4, random);
  auto work = net.make_derivative_workspace(4);
  Eigen::MatrixXd J(5, 12), along_u(5, 4), by_x(3, 4);
  net.jacobian(x, work, J);
  CHECK(net.jvp(x, u, work, along_u) == net.predict_raw(x));
  net.vjp(x, v, work, by_x);
  for (Index j = 0; j < 4; ++j) {
    CHECK((along_u.col(j) - J.middleCols(3 * j, 3) * u.col(j)).norm() < 1e-14);
    CHECK((by_x.col(j) - J.middleCols(3 * j, 3).transpose() * v.col(j)).norm() < 1e-14);
  }
}
