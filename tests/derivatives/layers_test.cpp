// Derivatives through all kinds of layers, in networks whose layers are known only at run time: against central differences of the same
// network in long double, and bit for bit against the network of fixed layers.

#include <chainrule/activations/gelu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/activations/softplus.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_activation.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/layers/layer_norm.hpp>
#include <chainrule/layers/normalize.hpp>
#include <chainrule/layers/prelu.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/squared_error.hpp>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;
using chainrule_test::random_matrix;

namespace {

template <class Scalar, class F>
AnyLayer<Scalar> dense(Index inputs, Index outputs, const F& f) {
  using Any = AnyActivation<Scalar, DerivativeFromOutput<F>>;
  return Dense<Dynamic, Dynamic, Any>{inputs, outputs, Any(f)};
}

constexpr int kinds = 7;

/// A network 3 -> 2 with the activation f and one of several kinds of layers between two Dense.
template <class Scalar, class F>
AnyNetwork<Scalar> network_with(int kind, const F& f) {
  AnyLayers<Scalar> layers;
  if (kind == 0) layers.add(Normalize<3>{});
  layers.add(dense<Scalar>(3, 4, f));
  if (kind == 1) layers.add(LayerNorm<>{});
  if (kind == 2) layers.add(BatchNorm<>{});
  if (kind == 3) layers.add(PReLU<>{});
  if (kind == 4) layers.add(PReLU<Slopes::per_unit>{});
  if (kind == 5) layers.add(Dropout<>{});
  if (kind == 6) layers.add(Residual<AnyLayers<Scalar>>{{dense<Scalar>(4, 5, f), LayerNorm<>{}, dense<Scalar>(5, 4, Tanh{})}});
  layers.add(Dense<Dynamic, Dynamic>{4, 2});
  layers.add(Activate<Sigmoid, Dynamic>{2});
  return {Seed{1}, SquaredError{}, layers};
}

/// Gives a network other parameters and buffers than those that it begins with, so that none is 0 or 1.
template <class Net>
void prepare(Net& net) {
  Random random{Seed{3}};
  for (Index i = 0; i < net.parameters().size(); ++i)
    net.parameters()[i] += static_cast<typename Net::ScalarType>(random.uniform() / 2 - 0.1);
  for (Index i = 0; i < net.buffers().size(); ++i) net.buffers()[i] += static_cast<typename Net::ScalarType>(random.uniform() + 0.5);
}

/// The largest difference, relative to the largest number or 1.
template <class A, class B>
double difference(const A& a, const B& b) {
  const Matrix<long double> exact = b.template cast<long double>();
  return static_cast<double>((a.template cast<long double>() - exact).cwiseAbs().maxCoeff() / std::max(1.0L, exact.cwiseAbs().maxCoeff()));
}

/// Checks all derivatives of a network against central differences of the same network in long double.
template <class Scalar>
void check_against_differences(const AnyNetwork<Scalar>& net, AnyNetwork<long double> exact, double tolerance) {
  constexpr long double h = std::numeric_limits<long double>::digits > 60 ? 1e-5L : 1e-3L;
  exact.parameters() = net.parameters().template cast<long double>();
  exact.buffers() = net.buffers().template cast<long double>();
  Random random{Seed{2}};
  const Index inputs = net.inputs(), outputs = net.outputs(), batch = 2;
  const Matrix<Scalar> x = random_matrix<Scalar>(inputs, batch, random);
  const Matrix<long double> exact_x = x.template cast<long double>();
  auto work = net.make_derivative_workspace(batch);
  auto exact_work = exact.make_derivative_workspace(batch);
  // the difference of what f computes into a matrix of this shape at x + h and x - h, where input k is moved
  const auto along = [&](Index k, Index rows, Index cols, const auto& f) {
    Matrix<long double> above(rows, cols), below(rows, cols), moved = exact_x;
    moved.row(k).array() += h;
    f(moved, above);
    moved.row(k).array() -= 2 * h;
    f(moved, below);
    return Matrix<long double>((above - below) / (2 * h));
  };

  Matrix<Scalar> J(outputs, inputs * batch);
  CHECK(net.jacobian(x, work, J) == net.predict_raw(x));
  for (Index k = 0; k < inputs; ++k) {
    const auto column = along(k, outputs, batch, [&](const auto& at, auto& out) { out = exact.predict_raw(at, exact_work); });
    for (Index j = 0; j < batch; ++j) CHECK(difference(J.col(j * inputs + k), column.col(j)) < tolerance);
  }

  auto jet_work = net.make_jet_workspace(batch);
  Matrix<Scalar> H(inputs, inputs * batch), laplacian(outputs, batch);
  net.laplacian(x, jet_work, laplacian);
  for (Index output = 0; output < outputs; ++output) {
    net.hessian(x, output, jet_work, H);
    for (Index k = 0; k < inputs; ++k) {
      const auto column = along(k, outputs, inputs * batch, [&](const auto& at, auto& out) { exact.jacobian(at, exact_work, out); });
      for (Index j = 0; j < batch; ++j)
        CHECK(difference(H.col(j * inputs + k), column.row(output).segment(j * inputs, inputs).transpose()) < tolerance);
    }
    for (Index j = 0; j < batch; ++j) {
      const Matrix<Scalar> of_sample = H.middleCols(j * inputs, inputs);
      CHECK(difference(of_sample, of_sample.transpose()) < tolerance);
      CHECK(std::abs(of_sample.trace() - laplacian(output, j)) < tolerance);
    }
  }

  // J = sum of factors * (value and derivatives)
  const Matrix<Scalar> u = random_matrix<Scalar>(inputs, 2, random), factors = random_matrix<Scalar>(outputs, 5 * batch, random);
  auto directed = net.make_jet_workspace(batch, {u, {{{0, 0}, {1, 1, 2}}, {{0, 1}}}});
  auto exact_directed = exact.make_jet_workspace(batch, {u.template cast<long double>(), {{{0, 0}, {1, 1, 2}}, {{0, 1}}}});
  const auto exact_J = [&] {
    exact.forward_jet(exact_x, exact_directed);
    Matrix<long double> all(outputs, 5 * batch);
    all << exact_directed.value(), exact_directed.first(0), exact_directed.first(1), exact_directed.second(0), exact_directed.second(1);
    return all.cwiseProduct(factors.template cast<long double>()).sum();
  };
  auto gradients = net.make_gradients();
  net.forward_jet(x, directed);
  directed.dJ_dvalue() = factors.leftCols(batch);
  for (Index k = 0; k < 2; ++k) {
    directed.dJ_dfirst(k) = factors.middleCols((1 + k) * batch, batch);
    directed.dJ_dsecond(k) = factors.middleCols((3 + k) * batch, batch);
  }
  net.backward_jet(x, directed, gradients);
  Vector<long double> differences(gradients.size());
  for (Index i = 0; i < gradients.size(); ++i) {
    const long double theta = exact.parameters()[i];
    exact.parameters()[i] = theta + h;
    differences[i] = exact_J();
    exact.parameters()[i] = theta - h;
    differences[i] = (differences[i] - exact_J()) / (2 * h);
    exact.parameters()[i] = theta;
  }
  CHECK(difference(gradients.flat(), differences) < tolerance);
}

template <class Scalar, class F>
void check_kinds(const F& f, int first, int last, double tolerance) {
  for (int kind = first; kind <= last; ++kind) {
    CAPTURE(kind, F::name);
    auto net = network_with<Scalar>(kind, f);
    prepare(net);
    check_against_differences(net, network_with<long double>(kind, f), tolerance);
  }
}

}  // namespace

TEST_CASE("derivatives through each kind of layer are those of central differences") {
  constexpr bool extended = std::numeric_limits<long double>::digits > 60;
  check_kinds<double>(Tanh{}, 0, kinds - 1, extended ? 1e-8 : 1e-4);
  check_kinds<double>(GELU{}, 1, 1, extended ? 1e-8 : 1e-4);
  check_kinds<double>(Softplus{}, 6, 6, extended ? 1e-8 : 1e-4);
  check_kinds<float>(Tanh{}, 6, 6, 1e-4);
  check_kinds<long double>(Tanh{}, 6, 6, extended ? 1e-8 : 1e-4);
}

namespace {

/// All derivatives that a network has, one after the other.
template <class Net>
std::vector<double> all_derivatives(const Net& net, const Eigen::MatrixXd& x) {
  const Index inputs = net.inputs(), outputs = net.outputs(), batch = x.cols();
  std::vector<double> all;
  const auto keep = [&](const auto& m) {
    for (Index j = 0; j < m.cols(); ++j)
      for (Index i = 0; i < m.rows(); ++i) all.push_back(m(i, j));
  };
  auto work = net.make_derivative_workspace(batch);
  auto jet_work = net.make_jet_workspace(batch, {Eigen::MatrixXd::Identity(inputs, 2), {{{0, 1}}}});
  auto second_order = net.make_jet_workspace(batch);
  auto gradients = net.make_gradients();
  Eigen::MatrixXd J(outputs, inputs * batch), along(outputs, batch), by_x(inputs, batch), H(inputs, inputs * batch);
  net.jacobian(x, work, J);
  keep(J);
  net.jvp(x, x, work, along);
  keep(along);
  net.vjp(x, along, work, by_x);
  keep(by_x);
  net.hessian(x, 1, second_order, H);
  keep(H);
  net.laplacian(x, second_order, along);
  keep(along);
  net.forward_jet(x, jet_work);
  keep(jet_work.second(0));
  jet_work.dJ_dvalue() = along;
  jet_work.dJ_dsecond(0) = along;
  net.backward_jet(x, jet_work, gradients);
  keep(gradients.flat());
  return all;
}

}  // namespace

TEST_CASE("a network of fixed layers and one of layers known at run time have the same derivatives, bit for bit") {
  using Inside = Residual<Dense<4, 5, GELU>, Dropout<>, BatchNorm<>, Dense<5, 4>>;
  Network<double, SquaredError, Normalize<3>, Dense<3, 4, Tanh>, LayerNorm<>, Inside, PReLU<>, Dense<4, 2>> fixed{Seed{1}};
  AnyNetwork<double> any{Seed{1},
                         SquaredError{},
                         {Normalize<3>{}, dense<double>(3, 4, Tanh{}), LayerNorm<>{},
                          Residual<AnyLayers<double>>{{dense<double>(4, 5, GELU{}), Dropout<>{}, BatchNorm<>{}, Dense<5, 4>{}}}, PReLU<>{},
                          Dense<Dynamic, Dynamic>{4, 2}}};
  prepare(fixed);
  any.parameters() = fixed.parameters();
  any.buffers() = fixed.buffers();
  Random random{Seed{2}};
  const Eigen::MatrixXd x = random_matrix<double>(3, 2, random);
  CHECK(all_derivatives(fixed, x) == all_derivatives(any, x));
}

TEST_CASE("LayerNorm's derivatives are right where squares of the inputs overflow") {
  Network<float, SquaredError, LayerNorm<4>> net{Seed{1}};
  auto work = net.make_derivative_workspace(1);
  auto jet_work = net.make_jet_workspace(1, {Eigen::Vector4f{1e25f, 0, 0, 0}, {{{0, 0}}}});
  const Eigen::Vector4f x{1e25f, 1e25f, 1e25f, -1e25f};
  Eigen::Vector4f along;
  net.jvp(x, Eigen::Vector4f{1e25f, 0, 0, 0}, work, along);
  net.forward_jet(x, jet_work);
  // derivatives of (s, 1, 1, -1) by s at s = 1: the deviations are (3 s - 1, 3 - s, 3 - s, -5 - s)/4, and their mean square is (3 s^2 - 2 s
  // + 11)/16
  CHECK(along.isApprox(Eigen::Vector4f{0.7698004f, -0.3849002f, -0.3849002f, 0}, 1e-5f));
  CHECK(jet_work.first(0).isApprox(along, 1e-6f));
  CHECK(jet_work.second(0).isApprox(Eigen::Vector4f{-0.3849002f, 0, 0, 0.3849002f}, 1e-5f));
}
