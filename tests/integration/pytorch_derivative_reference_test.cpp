// Compares derivatives of a network by its inputs and parameters with those that PyTorch computes for the same parameters and inputs.
// make_pytorch_derivative_reference.py wrote the literals.

#include "integration/pytorch_derivative_reference.hpp"

#include <chainrule/chainrule.hpp>
#include <span>

#include "support/catch.hpp"

namespace cr = chainrule;
namespace theirs = chainrule_test::pytorch::derivatives;
using Eigen::MatrixXd;

namespace {

// The largest difference, relative to the largest number.
double difference(const MatrixXd& ours, const double* numbers) {
  const Eigen::Map<const MatrixXd> expected(numbers, ours.rows(), ours.cols());
  return (ours - expected).cwiseAbs().maxCoeff() / expected.cwiseAbs().maxCoeff();
}

}  // namespace

TEST_CASE("derivatives by x and theta agree with PyTorch") {
  using Net =
      cr::Network<double, cr::SoftmaxCrossEntropy, cr::Dense<3, 5, cr::Tanh>, cr::LayerNorm<>, cr::Dense<5, 4, cr::GELU>, cr::Dense<4, 2>>;
  Net net{cr::Seed{1}};
  constexpr cr::Index parameters = std::size(theirs::theta);
  REQUIRE(net.parameters().size() == parameters);
  net.parameters() = Eigen::Map<const Eigen::VectorXd>(theirs::theta, parameters);
  const MatrixXd x = Eigen::Map<const MatrixXd>(theirs::x, 3, 3);

  auto work = net.make_derivative_workspace(3);
  MatrixXd jacobian(2, 9), hessian(3, 9), by_parameters(parameters, 6);
  net.jacobian(x, work, jacobian);
  net.parameter_jacobian(x, work, by_parameters);
  CHECK(difference(jacobian, theirs::jacobian) < 1e-12);
  CHECK(difference(by_parameters, theirs::parameter_jacobian) < 1e-12);

  auto jets = net.make_jet_workspace(3);
  net.hessian(x, 1, jets, hessian);
  CHECK(difference(hessian, theirs::hessian) < 1e-12);

  auto along = net.make_hessian_vector_workspace(3);
  const Eigen::VectorXd direction = Eigen::Map<const Eigen::VectorXd>(theirs::direction, parameters);
  Eigen::VectorXd product(parameters);
  net.hessian_vector_product(x, std::span(theirs::labels), direction, along, product);
  CHECK(difference(product, theirs::hessian_vector_product) < 1e-12);

  auto residual = net.make_jet_workspace(3, {MatrixXd::Identity(3, 3), {{{0, 0}, {1, 1}, {2, 2}}}});
  auto gradients = net.make_gradients();
  net.forward_jet(x, residual);
  const MatrixXd r = residual.second(0) + residual.first(0);
  CHECK(std::abs(r.squaredNorm() / 2 - theirs::residual[0]) < 1e-12 * theirs::residual[0]);
  residual.dJ_dsecond(0) = r;
  residual.dJ_dfirst(0) = r;
  net.backward_jet(x, residual, gradients);
  CHECK(difference(gradients.flat(), theirs::residual_gradient) < 1e-11);
}
