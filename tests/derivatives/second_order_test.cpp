#include <chainrule/activations/gelu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/derivatives/second_order.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;
using chainrule_test::random_matrix;
using Eigen::MatrixXd;

namespace {

using Net = Network<double, SquaredError, Dense<3, 4, Tanh>, Dense<4, 5, GELU>, Activate<Tanh>, Dense<5, 2>, Activate<Tanh>>;

}  // namespace

TEST_CASE("Hessians are those of central differences of Jacobians, symmetric, and their traces the Laplacian") {
  const Net net{Seed{1}};
  Random random{Seed{1}};
  const MatrixXd x = random_matrix<double>(3, 3, random);
  auto work = net.make_jet_workspace(3);
  auto first_order = net.make_derivative_workspace(3);
  MatrixXd laplacian(2, 3), H(3, 9), above(2, 9), below(2, 9);
  net.laplacian(x, work, laplacian);
  for (Index output = 0; output < 2; ++output) {
    net.hessian(x, output, work, H);
    for (Index k = 0; k < 3; ++k) {
      MatrixXd shifted = x;
      shifted.row(k).array() += 1e-5;
      net.jacobian(shifted, first_order, above);
      shifted.row(k).array() -= 2e-5;
      net.jacobian(shifted, first_order, below);
      for (Index j = 0; j < 3; ++j)
        CHECK((H.col(3 * j + k) - (above - below).row(output).segment(3 * j, 3).transpose() / 2e-5).norm() < 1e-8);
    }
    for (Index j = 0; j < 3; ++j) {
      const MatrixXd of_sample = H.middleCols(3 * j, 3);
      CHECK((of_sample - of_sample.transpose()).norm() < 1e-14);
      CHECK(std::abs(of_sample.trace() - laplacian(output, j)) < 1e-13);
    }
  }
}

TEST_CASE("a workspace for fewer samples computes the same Hessians and Laplacian in pieces") {
  const Net net{Seed{1}};
  Random random{Seed{1}};
  const MatrixXd x = random_matrix<double>(3, 3, random);
  auto large = net.make_jet_workspace(3), small = net.make_jet_workspace(1);
  MatrixXd H(3, 9), H_in_pieces(3, 9), laplacian(2, 3), laplacian_in_pieces(2, 3);
  net.hessian(x, 1, large, H);
  net.hessian(x, 1, small, H_in_pieces);
  net.laplacian(x, large, laplacian);
  net.laplacian(x, small, laplacian_in_pieces);
  CHECK((H - H_in_pieces).norm() < 1e-14);
  CHECK((laplacian - laplacian_in_pieces).norm() < 1e-14);
}

TEST_CASE("backward_jet gives the gradient by theta of any function of the value and its derivatives") {
  Net net{Seed{1}};
  Random random{Seed{1}};
  const MatrixXd x = random_matrix<double>(3, 4, random);
  auto work = net.make_jet_workspace(4, {random_matrix<double>(3, 2, random), {{{0, 0}, {1, 1, 2}}, {{0, 1}}}});
  std::vector<MatrixXd> factors;
  for (int i = 0; i < 5; ++i) factors.push_back(random_matrix<double>(2, 4, random));
  const auto J = [&] {
    net.forward_jet(x, work);
    return work.value().cwiseProduct(factors[0]).sum() + work.first(0).cwiseProduct(factors[1]).sum() +
           work.first(1).cwiseProduct(factors[2]).sum() + work.second(0).cwiseProduct(factors[3]).sum() +
           work.second(1).cwiseProduct(factors[4]).sum();
  };
  J();
  auto gradients = net.make_gradients();
  work.dJ_dvalue() = factors[0];
  work.dJ_dfirst(0) = factors[1];
  work.dJ_dfirst(1) = factors[2];
  work.dJ_dsecond(0) = factors[3];
  work.dJ_dsecond(1) = factors[4];
  net.backward_jet(x, work, gradients);
  CHECK_THROWS_AS(net.backward_jet(x, work, gradients), StateError);
  for (Index i = 0; i < net.parameters().size(); ++i) {
    const double theta = net.parameters()[i];
    net.parameters()[i] = theta + 1e-5;
    const double above = J();
    net.parameters()[i] = theta - 1e-5;
    const double difference = (above - J()) / 2e-5;
    net.parameters()[i] = theta;
    CHECK(std::abs(gradients.flat()[i] - difference) < 1e-8);
  }
}
