#include <chainrule/activations/gelu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/derivatives/second_order.hpp>
#include <chainrule/initializers/xavier.hpp>
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

// H = W1^T diag(-2 a (1 - a^2) W2) W1 with a = tanh(W1 x + b1), computed with 30 digits from this formula
TEST_CASE("the Hessian and the Laplacian of a 2-3-1 tanh net are those of the formula") {
  Network<double, SquaredError, Dense<2, 3, Tanh>, Dense<3, 1>> net{Seed{1}};
  net.parameters() << 0.5, -1, 0.125, -0.25, 0.75, 1.5, 0.25, -0.5, 0.1875, 1, -0.5, 2, 0.125;
  auto work = net.make_jet_workspace(1);
  Eigen::Matrix2d H, expected;
  expected << -0.317628293911032861, 0.473183939641731827, 0.473183939641731827, 3.06508106838525420;
  const Eigen::Vector2d x(0.5, -0.75);
  net.hessian(x, work, H);
  CHECK((H - expected).norm() < 1e-14);
  Eigen::Matrix<double, 1, 1> laplacian;
  net.laplacian(x, work, laplacian);
  CHECK(std::abs(laplacian(0, 0) - 2.74745277447422134) < 1e-14);
}

TEST_CASE("derivatives of second order refuse what cannot be right, and change no result") {
  const Network<double, SquaredError, Dense<2, 2, Tanh>, Dense<2, 2>> net{Seed{1}}, other{Seed{2}};
  using Directions = JetDirections<double>;
  auto work = net.make_jet_workspace(2), directed = net.make_jet_workspace(2, {MatrixXd::Identity(2, 1), {{{0, 0}}}});
  MatrixXd x = MatrixXd::Ones(2, 2), H = MatrixXd::Constant(2, 4, 7), laplacian = MatrixXd::Constant(2, 2, 7);
  const MatrixXd three = MatrixXd::Ones(2, 3), none(2, 0), wrong = MatrixXd::Ones(3, 2);
  CHECK_THROWS_SAYING(net.hessian(x, 2, work, H), ValueError, "hessian: there is no output 2; the network has 2, counted from 0");
  CHECK_THROWS_SAYING(net.hessian(x, -1, work, H), ValueError, "hessian: there is no output -1");
  CHECK_THROWS_SAYING(net.hessian(x, work, H), ShapeError,
                      "hessian: the network has 2 outputs; hessian(x, i, work, H) is that of output i");
  CHECK_THROWS_SAYING(net.hessian(x, 0, work, laplacian), ShapeError, "hessian: H is 2 x 4 here, but the matrix given for it is 2 x 2");
  CHECK_THROWS_SAYING(net.hessian(wrong, 0, work, H), ShapeError, "hessian: x has 3 rows, but the network has 2 inputs");
  CHECK_THROWS_SAYING(net.laplacian(x, work, H), ShapeError, "laplacian: the result is 2 x 2 here, but the matrix given for it is 2 x 4");
  CHECK_THROWS_SAYING(net.laplacian(none, work, H.leftCols(0)), ShapeError, "laplacian: the batch is empty");
  MatrixXd result = MatrixXd::Constant(2, 3, 7);
  CHECK_THROWS_SAYING(
      net.laplacian(three, directed, result), ShapeError,
      "laplacian: the batch has 3 samples, but the workspace has room for 2; net.make_jet_workspace(samples) makes one for 3");
  CHECK_THROWS_SAYING(net.forward_jet(three, directed), ShapeError, "net.make_jet_workspace(samples, directions) makes one for 3");
  const MatrixXd row = MatrixXd::Ones(1, 2);
  CHECK_THROWS_SAYING(net.hessian(row, 0, work, H), ShapeError, "hessian: x has 1 rows, but the network has 2 inputs");
  CHECK_THROWS_SAYING(net.hessian(none, 0, work, H), ShapeError, "hessian: the batch is empty");
  CHECK_THROWS_SAYING(net.laplacian(row, work, laplacian), ShapeError, "laplacian: x has 1 rows, but the network has 2 inputs");
  auto first_only = net.make_jet_workspace(2, Directions{MatrixXd::Identity(2, 1)});
  CHECK_THROWS_SAYING(net.laplacian(x, first_only, laplacian), ShapeError, "room for the derivatives of 1 samples, but x has 2");
  CHECK_THROWS_SAYING(net.forward_jet(x, work), StateError, "forward_jet: this workspace was made without directions");
  CHECK_THROWS_SAYING(directed.value(), StateError, "value: the workspace holds no derivatives; call forward_jet(x, work) first");
  CHECK_THROWS_SAYING(net.laplacian(x, work, x), ValueError, "laplacian: x and the result share memory");
  x(1, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(net.hessian(x, 0, work, H), ValueError, "hessian: x");
  CHECK_THROWS_SAYING(net.laplacian(x, work, laplacian), ValueError, "laplacian: x");
  CHECK_THROWS_SAYING(net.forward_jet(x, directed), ValueError, "forward_jet: x");
  x(1, 0) = 1;

  auto gradients = net.make_gradients();
  gradients.flat().setConstant(7);
  CHECK_THROWS_SAYING(net.backward_jet(x, directed, gradients), StateError, "backward_jet: the workspace holds no derivatives");
  net.forward_jet(x, directed);
  CHECK_THROWS_SAYING(directed.first(1), ValueError, "first(1): the workspace has 1 of these derivatives, counted from 0");
  CHECK_THROWS_SAYING(directed.dJ_dsecond(-1), ValueError, "dJ_dsecond(-1): the workspace has 1 of these");
  CHECK_THROWS_SAYING(net.forward_jet(directed.first(0), directed), ValueError, "forward_jet: x lies in the workspace");
  CHECK_THROWS_SAYING(net.laplacian(x, directed, directed.dJ_dvalue()), ValueError, "laplacian: the result lies in the workspace");
  CHECK_THROWS_SAYING(net.laplacian(x, directed, directed.dJ_dfirst(0)), ValueError, "laplacian: the result lies in the workspace");
  CHECK_THROWS_SAYING(other.backward_jet(x, directed, gradients), StateError,
                      "backward_jet: the last forward_jet in this workspace was made by another network");
  CHECK_THROWS_SAYING(net.backward_jet(x.leftCols(1), directed, gradients), ShapeError, "backward_jet: x has 1 samples");
  directed.dJ_dvalue()(0, 1) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_SAYING(net.backward_jet(x, directed, gradients), ValueError, "backward_jet: dJ_dvalue");
  directed.dJ_dvalue()(0, 1) = 1;
  directed.dJ_dsecond(0)(0, 1) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_SAYING(net.backward_jet(x, directed, gradients), ValueError, "backward_jet: dJ_dfirst or dJ_dsecond");
  net.hessian(x, 0, directed, H);
  CHECK_THROWS_SAYING(net.backward_jet(x, directed, gradients), StateError, "backward_jet: the workspace holds no derivatives");
  H.setConstant(7);
  auto moved = std::move(directed);
  CHECK_THROWS_SAYING(net.forward_jet(x, directed), StateError, "forward_jet: this workspace was moved to another object");
  CHECK_THROWS_SAYING(net.laplacian(x, directed, laplacian), StateError, "laplacian: this workspace was moved");
  CHECK_THROWS_SAYING(net.hessian(x, 0, directed, H), StateError, "hessian: this workspace was moved");
  CHECK_THROWS_SAYING(net.backward_jet(x, directed, gradients), StateError, "backward_jet: this workspace was moved");
  CHECK((H.array() == 7).all());
  CHECK((result.array() == 7).all());
  CHECK((laplacian.array() == 7).all());
  CHECK((gradients.flat().array() == 7).all());

  CHECK_THROWS_SAYING(net.make_jet_workspace(0), ShapeError, "make_jet_workspace: the number of samples must be at least 1, got 0");
  CHECK_THROWS_SAYING(net.make_jet_workspace(2, Directions{none}), ShapeError, "make_jet_workspace: the directions are 2 x 0");
  CHECK_THROWS_SAYING(net.make_jet_workspace(2, Directions{wrong}), ShapeError, "the directions are 3 x 2, but the network has 2 inputs");
  CHECK_THROWS_SAYING(net.make_jet_workspace(2, Directions{x, {{{0, 2}}}}), ValueError, "a second derivative along directions 0 and 2");
  CHECK_THROWS_SAYING(net.make_jet_workspace(2, Directions{MatrixXd::Constant(2, 1, HUGE_VAL)}), ValueError,
                      "the directions must be finite");
}

namespace {

/// z^2 with as many derivatives as the order says.
template <int order>
struct Square final : ElementwiseActivation<Square<order>> {
  static constexpr std::string_view name = "Square";
  XavierUniform default_initializer() const { return {}; }
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return z * z;
  }
  template <class V>
  CHAINRULE_FORMULA V f_prime(V z) const {
    return z + z;
  }
  template <class V>
  CHAINRULE_FORMULA V f_double_prime(V) const requires(order >= 2) {
    return V(2);
  }
};

/// Checks what works with an activation that has f'' but not f'''.
template <class TestedNet>
void check_without_third(const TestedNet& net) {
  auto work = net.make_jet_workspace(1, {MatrixXd::Identity(2, 2), {{{0, 0}}}});
  auto first_only = net.make_jet_workspace(1, JetDirections<double>{MatrixXd::Identity(2, 2)});
  auto gradients = net.make_gradients();
  gradients.flat().setConstant(7);
  const MatrixXd x = MatrixXd::Ones(2, 1);
  MatrixXd H(2, 2);
  net.hessian(x, work, H);
  net.forward_jet(x, work);
  CHECK(std::abs(work.second(0)(0, 0) - H(0, 0)) < 1e-13);
  work.dJ_dsecond(0).setOnes();
  CHECK_THROWS_SAYING(net.backward_jet(x, work, gradients), StateError, "backward_jet: the activation Square has no third derivative");
  CHECK((gradients.flat().array() == 7).all());
  net.forward_jet(x, first_only);
  first_only.dJ_dfirst(0).setOnes();
  CHECK_NOTHROW(net.backward_jet(x, first_only, gradients));
}

}  // namespace

TEST_CASE("an activation without f''' has Hessians, and one without f'' is refused") {
  check_without_third(Network<double, SquaredError, Dense<2, 3, Square<2>>, Dense<3, 1>>{Seed{1}});
  check_without_third(AnyNetwork<double>{Seed{1}, SquaredError{}, {Dense<2, 3, Square<2>>{}, Dense<3, 1>{}}});
  const AnyNetwork<double> without{Seed{1}, SquaredError{}, {Dense<2, 3, Square<1>>{}, Dense<3, 1>{}}};
  CHECK_THROWS_SAYING(without.make_jet_workspace(1), StateError, "make_jet_workspace: the activation Square has no second derivative");
}
