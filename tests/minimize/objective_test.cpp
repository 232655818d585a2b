#include <chainrule/minimize/objective.hpp>

#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/losses/class_weighted.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

template <class Scalar>
Matrix<Scalar> drawn(Index rows, Index cols, std::uint64_t seed) {
  Random random{Seed{seed}};
  return random_matrix<Scalar>(rows, cols, random);
}

RegressionDataset<double> regression(Index samples) {
  RegressionDataset<double> data;
  data.features = drawn<double>(3, samples, 1);
  data.targets = drawn<double>(2, samples, 2);
  return data;
}

AnyNetwork<double> small_net() { return {Seed{3}, SquaredError{}, {Dense<Dynamic, Dynamic, Tanh>{3, 5}, Dense<Dynamic, Dynamic>{5, 2}}}; }

}  // namespace

TEST_CASE("an objective of few samples has the bits of evaluate and backward") {
  auto data = regression(100);
  data.weights = drawn<double>(1, 100, 4).cwiseAbs().transpose();
  const auto net = small_net();
  auto J = objective(net, data);
  REQUIRE(J.size() == net.parameters().size());
  REQUIRE(J.samples() == 100);
  const Vector<double> theta = 0.5 * net.parameters();
  Vector<double> gradient(J.size());
  const double value = J(theta, gradient);

  auto other = net;
  other.parameters() = theta;
  auto work = other.make_workspace(100);
  auto dJ = other.make_gradients();
  const auto y = weighted(data.targets, data.weights);
  CHECK(value == other.evaluate(data.features, y, work).loss);
  other.forward(data.features, work);
  other.backward(data.features, weighted(data.targets, data.weights, other.mean_weight(y)), work, dJ);
  CHECK(gradient == Vector<double>(dJ.flat()));
  CHECK(J(theta) == value);
  CHECK(net.parameters() == small_net().parameters());
}

TEST_CASE("an objective of many samples is J of all at once") {
  // labels, weights of samples and classes, and the penalty, in float; compared with one batch in long double
  Dataset<float> data;
  data.features = drawn<float>(2, 1000, 5);
  data.weights = drawn<float>(1, 1000, 6).cwiseAbs().transpose();
  for (Index j = 0; j < 1000; ++j) data.targets.push_back(data.features(0, j) > data.features(1, j) ? 2 : data.features(0, j) > 0 ? 1 : 0);
  using Net = Network<float, ClassWeighted<SoftmaxCrossEntropy>, Dense<2, 6, Tanh>, Dense<6, 3>>;
  const Net net{Seed{1}, {{1, 2, 0.5}}};
  auto J = objective(net, data, {.l2 = 0.1});
  Vector<float> gradient(J.size());
  const double value = J(net.parameters(), gradient);

  const auto exact = net.rebind<long double>();
  const Matrix<long double> x = data.features.cast<long double>();
  const Vector<long double> w = data.weights.cast<long double>();
  auto work = exact.make_workspace(1000);
  auto dJ = exact.make_gradients();
  const long double squares = exact.layer<0>().weight.squaredNorm() + exact.layer<1>().weight.squaredNorm();
  const long double expected = exact.evaluate(x, weighted(data.targets, w), work).loss + 0.05L * squares;
  CHECK(std::abs(static_cast<long double>(value) - expected) < 1e-7L * expected);
  exact.forward(x, work);
  exact.backward(x, weighted(data.targets, w, exact.mean_weight(weighted(data.targets, w))), work, dJ);
  dJ.layer<0>().weight += 0.1L * exact.layer<0>().weight;
  dJ.layer<1>().weight += 0.1L * exact.layer<1>().weight;
  CHECK((gradient.cast<long double>() - dJ.flat()).norm() < 2e-6L * dJ.flat().norm());
}

TEST_CASE("an objective has the same bits for any number of threads") {
  const AnyNetwork<double> net{Seed{3}, SquaredError{}, {Dense<Dynamic, Dynamic, Tanh>{3, 128}, Dense<Dynamic, Dynamic>{128, 2}}};
  const auto data = regression(600);
  std::vector<double> values;
  std::vector<Vector<double>> gradients;
  for (const Index threads : {1, 2, 3}) {
    auto J = objective(net, data, {.threads = threads});
    gradients.emplace_back(J.size());
    values.push_back(J(net.parameters(), gradients.back()));
  }
  CHECK(values[0] == values[1]);
  CHECK(values[0] == values[2]);
  CHECK(gradients[0] == gradients[1]);
  CHECK(gradients[0] == gradients[2]);
}

TEST_CASE("an objective takes the vectors of other libraries") {
  const auto net = small_net();
  const auto data = regression(20);
  auto J = objective(net, DataView{data.features, data.targets});
  const Vector<double> theta = net.parameters();
  Vector<double> gradient(J.size());
  const double value = J(theta, gradient);
  const std::vector<double> as_vector(theta.begin(), theta.end());
  std::vector<double> of_vector(as_vector.size()), none;
  CHECK(J(as_vector, of_vector) == value);
  CHECK(std::equal(of_vector.begin(), of_vector.end(), gradient.begin()));
  CHECK(J(std::span<const double>(as_vector), std::span<double>(of_vector)) == value);
  CHECK(J(as_vector, none) == value);
  Vector<double> both = theta;  // a gradient that overwrites theta
  CHECK(J(both, both) == value);
  CHECK(both == gradient);
}

TEST_CASE("an objective returns a J that is not finite") {
  const auto net = small_net();
  const auto data = regression(300);
  auto J = objective(net, data);
  Vector<double> theta = net.parameters(), gradient(J.size());
  theta[J.size() - 1] = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(J(theta)));
  CHECK(std::isnan(J(theta, gradient)));
  theta[J.size() - 1] = 1e200;
  CHECK(std::isinf(J(theta, gradient)));
  theta = net.parameters();
  CHECK(std::isfinite(J(theta, gradient)));
  CHECK(gradient.allFinite());
}

TEST_CASE("an objective refuses sizes and options that do not fit") {
  const auto net = small_net();
  const auto data = regression(20);
  auto J = objective(net, data);
  Vector<double> theta = net.parameters(), gradient = Vector<double>::Zero(J.size() - 1);
  CHECK_THROWS_SAYING(J(theta, gradient), ShapeError, "objective: the gradient has 31 numbers, but the network has 32 parameters");
  CHECK_THROWS_SAYING(J(gradient), ShapeError, "objective: theta has 31 numbers, but the network has 32 parameters");
  CHECK_THROWS_SAYING(J(gradient, theta), ShapeError, "objective: theta has 31 numbers");
  CHECK(theta == Vector<double>(net.parameters()));
  const auto empty = regression(0);
  CHECK_THROWS_SAYING(objective(net, empty), ShapeError, "objective: the batch is empty");
  CHECK_THROWS_SAYING(objective(net, data, {.l2 = -1}), ValueError, "objective: l2 must be at least 0");
  CHECK_THROWS_SAYING(objective(net, data, {.threads = 0}), ValueError, "objective: threads must be 1 to 1024, got 0");
  auto broken = regression(20);
  broken.features(1, 7) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(objective(net, broken), ValueError, "objective: x(1, 7) is nan");
  broken = regression(20);
  broken.weights = Vector<double>::Zero(20);
  CHECK_THROWS_SAYING(objective(net, broken), ValueError, "objective: all weights of the samples are 0");
}

TEST_CASE("an objective refuses networks whose J is no function of theta") {
  const auto data = regression(20);
  const auto with = [](const AnyLayer<double>& layer) {
    return AnyNetwork<double>{Seed{3}, SquaredError{}, {Dense<Dynamic, Dynamic, Tanh>{3, 5}, layer, Dense<Dynamic, Dynamic>{5, 2}}};
  };
  CHECK_THROWS_SAYING(objective(with(Dropout<>{0.01}), data), ValueError, "objective: in training, output", "Dropout", "Trainer");
  auto zeros = with(Dropout<>{0.5});
  zeros.parameters().setZero();
  CHECK_THROWS_SAYING(objective(zeros, data), ValueError, "Dropout");
  CHECK_THROWS_SAYING(objective(with(BatchNorm<>{}), data), ValueError, "objective: a layer (BatchNorm)", "LayerNorm");
  CHECK_NOTHROW(objective(with(Dropout<>{0.0}), data));
}
