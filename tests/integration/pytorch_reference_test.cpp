// Compares small networks with PyTorch's, from the same parameters, inputs and targets: forward pass, prediction, loss, every gradient, and
// ten steps of gradient descent. make_pytorch_reference.py wrote the literals.

#include "integration/pytorch_reference.hpp"

#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <cstdio>
#include <string>
#include <utility>

#include "integration/pytorch_comparison.hpp"
#include "support/catch.hpp"

namespace cr = chainrule;
namespace pytorch = chainrule_test::pytorch;

namespace {

using Eigen::MatrixXd;

Eigen::Map<const MatrixXd> matrix(const pytorch::Literals& literals) { return {literals.values, literals.rows, literals.cols}; }

template <class Scalar>
cr::Matrix<Scalar> matrix_of(const pytorch::Literals& literals) {
  return matrix(literals).cast<Scalar>();
}

/// Largest relative difference that passes. In float, PyTorch differs from its own double by up to 2e-6 on these networks; the script
/// rejects networks where the difference is larger.
template <class Scalar>
constexpr double tolerance = 1e-10;
template <>
constexpr double tolerance<float> = 1e-5;

/// Calls f(l, layer of net, layer of reference) for every layer; net may be gradients.
template <class Net, class F>
void for_each_layer(Net& net, const pytorch::Reference& reference, F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    REQUIRE(reference.layers.size() == sizeof...(I));
    (f(std::to_string(I + 1), net.template layer<I>(), reference.layers[I]), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(net.layers())>>>{});
}

/// Sets the parameters of the network, repeats what PyTorch did and returns the worst relative difference.
template <class Net, class Targets>
double compare_net(Net net, const std::string& kind, const pytorch::Reference& reference, const Targets& y) {
  using Scalar = typename Net::ScalarType;
  chainrule_test::PyTorchComparison compare{reference.name + (" (" + kind + ", ") + (sizeof(Scalar) == 4 ? "float)" : "double)"),
                                            tolerance<Scalar>};
  for_each_layer(net, reference, [](const std::string&, auto layer, const pytorch::Layer& theirs) {
    layer.weight = matrix_of<Scalar>(theirs.weight);
    layer.bias = matrix_of<Scalar>(theirs.bias);
  });

  const cr::Matrix<Scalar> x = matrix_of<Scalar>(reference.x);
  auto work = net.make_workspace(x.cols() + 2);
  auto gradients = net.make_gradients();
  cr::Matrix<Scalar> dJ_dx(x.rows(), x.cols());

  compare("outputs", net.forward(x, work), matrix(reference.outputs));
  compare("loss", cr::Matrix<Scalar>::Constant(1, 1, net.loss(y, work)), matrix(reference.loss));
  net.backward(x, y, work, gradients, dJ_dx);
  for_each_layer(gradients, reference, [&](const std::string& l, auto layer, const pytorch::Layer& theirs) {
    compare("dJ/dW(" + l + ")", layer.weight, matrix(theirs.dJ_dweight));
    compare("dJ/db(" + l + ")", layer.bias, matrix(theirs.dJ_dbias));
  });
  compare("dJ/dx", dJ_dx, matrix(reference.dJ_dx));
  compare("prediction", net.predict(x), matrix(reference.prediction));

  const cr::SGD sgd{.learning_rate = pytorch::learning_rate};
  for (int step = 0; step < pytorch::steps; ++step) {
    net.forward(x, work);
    net.backward(x, y, work, gradients);
    sgd.step(net.parameters(), gradients);
  }
  for_each_layer(net, reference, [&](const std::string& l, auto layer, const pytorch::Layer& theirs) {
    compare("W(" + l + ") after ten steps", layer.weight, matrix(theirs.stepped_weight));
    compare("b(" + l + ") after ten steps", layer.bias, matrix(theirs.stepped_bias));
  });
  return compare.worst();
}

constexpr cr::Seed seed{1};  // has no effect, because compare_net sets all parameters

template <class Scalar>
double compare_labelled_classes() {
  using Net = cr::Network<Scalar, cr::SoftmaxCrossEntropy, cr::Dense<4, 5, cr::Tanh>, cr::Dense<5, 3>>;
  const auto& reference = pytorch::labelled_classes::reference;
  return compare_net(Net{seed}, "fixed", reference, reference.labels);
}

template <class Scalar>
double compare_probable_classes() {
  using Net = cr::Network<Scalar, cr::SoftmaxCrossEntropy, cr::Dense<4, 5, cr::Tanh>, cr::Dense<5, 3>>;
  const auto& reference = pytorch::probable_classes::reference;
  return compare_net(Net{seed}, "fixed", reference, matrix_of<Scalar>(reference.y));
}

template <class Scalar>
double compare_yes_or_no() {
  using Net = cr::Network<Scalar, cr::BinaryCrossEntropy, cr::Dense<3, 8, cr::Sigmoid>, cr::Dense<8, 4, cr::ReLU>, cr::Dense<4, 2>>;
  const auto& reference = pytorch::yes_or_no::reference;
  return compare_net(Net{seed}, "fixed", reference, matrix_of<Scalar>(reference.y));
}

template <class Scalar>
double compare_dynamic_yes_or_no() {
  using cr::Dense, cr::Dynamic;
  const auto& reference = pytorch::yes_or_no::reference;
  return compare_net(
      cr::make_network<Scalar, cr::BinaryCrossEntropy>(seed, Dense<Dynamic, Dynamic, cr::Sigmoid>{3, 8},
                                                       Dense<Dynamic, Dynamic, cr::ReLU>{8, 4}, Dense<Dynamic, Dynamic>{4, 2}),
      "Dynamic", reference, matrix_of<Scalar>(reference.y));
}

template <class Scalar>
double compare_regression() {
  using Hidden = cr::Dense<5, 6, cr::LeakyReLU>;
  using Net = cr::Network<Scalar, cr::MeanSquaredError, Hidden, cr::Dense<6, 2>>;
  const auto& reference = pytorch::regression::reference;
  return compare_net(Net{seed, Hidden{cr::LeakyReLU{0.2}}, cr::Dense<6, 2>{}}, "fixed", reference, matrix_of<Scalar>(reference.y));
}

template <class Scalar>
double compare_lecture() {
  using Net =
      cr::Network<Scalar, cr::SquaredError, cr::Dense<3, 4, cr::Sigmoid>, cr::Dense<4, 4, cr::Sigmoid>, cr::Dense<4, 3, cr::Sigmoid>>;
  const auto& reference = pytorch::lecture::reference;
  return compare_net(Net{seed}, "fixed", reference, matrix_of<Scalar>(reference.y));
}

template <class Scalar>
double compare_all() {
  return std::max({compare_labelled_classes<Scalar>(), compare_probable_classes<Scalar>(), compare_yes_or_no<Scalar>(),
                   compare_dynamic_yes_or_no<Scalar>(), compare_regression<Scalar>(), compare_lecture<Scalar>()});
}

}  // namespace

TEMPLATE_TEST_CASE("PyTorch agrees: softmax and cross-entropy of class labels", "[pytorch]", float, double) {
  compare_labelled_classes<TestType>();
}

TEMPLATE_TEST_CASE("PyTorch agrees: softmax and cross-entropy of class probabilities", "[pytorch]", float, double) {
  compare_probable_classes<TestType>();
}

TEMPLATE_TEST_CASE("PyTorch agrees: sigmoid and binary cross-entropy", "[pytorch]", float, double) { compare_yes_or_no<TestType>(); }

TEMPLATE_TEST_CASE("PyTorch agrees: sigmoid and binary cross-entropy with dynamic extents", "[pytorch]", float, double) {
  compare_dynamic_yes_or_no<TestType>();
}

TEMPLATE_TEST_CASE("PyTorch agrees: mean squared error", "[pytorch]", float, double) { compare_regression<TestType>(); }

TEMPLATE_TEST_CASE("PyTorch agrees: half the squared error in the net of the lecture", "[pytorch]", float, double) {
  compare_lecture<TestType>();
}

TEST_CASE("PyTorch agrees: how closely", "[.report]") {
  std::printf("worst relative difference to PyTorch: float %.1e, double %.1e\n", compare_all<float>(), compare_all<double>());
}
