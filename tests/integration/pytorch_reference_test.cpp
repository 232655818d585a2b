// The same small nets in chainrule and in PyTorch, from the same parameters, inputs and targets: forward pass, prediction, loss,
// every gradient, and ten steps of gradient descent. make_pytorch_reference.py made the literals.

#include "pytorch_reference.hpp"

#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <cmath>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>

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

// In float, PyTorch itself differs from its own double by up to 2e-6 on these nets; the script takes no net where it is more.
template <class Scalar>
constexpr double tolerance = 1e-10;
template <>
constexpr double tolerance<float> = 1e-5;

/// Compares tensors of one net with PyTorch's, and keeps the worst relative difference.
///
/// The relative difference of an entry is |ours - theirs| / max(|theirs|, floor * largest |entry| of theirs). The floor is there
/// because an entry is a sum of products, rounded in proportion to its terms and not to what is left when they cancel: without
/// it, float misses 1e-5 in an entry that is small beside the largest of its tensor, and so does PyTorch's own float.
class Comparison {
 public:
  Comparison(std::string net, double tolerance) : net_{std::move(net)}, tolerance_{tolerance} {}

  void operator()(const std::string& tensor, const MatrixXd& ours, const pytorch::Literals& literals) {
    const auto theirs = matrix(literals);
    INFO(net_ << ": " << tensor);
    REQUIRE(ours.rows() == theirs.rows());
    REQUIRE(ours.cols() == theirs.cols());

    const double smallest = floor * theirs.cwiseAbs().maxCoeff();
    double worst = -1;
    std::ostringstream entry;
    for (Eigen::Index j = 0; j < theirs.cols(); ++j)
      for (Eigen::Index i = 0; i < theirs.rows(); ++i) {
        const double difference = std::abs(ours(i, j) - theirs(i, j)) / std::max(std::abs(theirs(i, j)), smallest);
        if (difference <= worst || std::isnan(worst)) continue;  // so NaN is the worst, and fails below
        worst = difference;
        entry.str("");
        entry.precision(17);
        entry << "(" << i << ", " << j << ") is " << ours(i, j) << ", PyTorch has " << theirs(i, j);
      }
    INFO("entry " << entry.str());
    CHECK(worst <= tolerance_);
    worst_ = std::max(worst_, worst);
  }

  double worst() const { return worst_; }

 private:
  static constexpr double floor = 1e-2;
  std::string net_;
  double tolerance_;
  double worst_ = 0;
};

/// Calls f(l, layer of net, layer of reference) for every layer; net may be gradients.
template <class Net, class F>
void for_each_layer(Net& net, const pytorch::Reference& reference, F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    REQUIRE(reference.layers.size() == sizeof...(I));
    (f(std::to_string(I + 1), net.template layer<I>(), reference.layers[I]), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(net.layers())>>>{});
}

/// Sets the net's parameters, lets it do all that PyTorch did and returns the worst relative difference.
template <class Net, class Targets>
double compare(Net net, const std::string& kind, const pytorch::Reference& reference, const Targets& y) {
  using Scalar = typename Net::ScalarType;
  Comparison agrees{reference.name + (" (" + kind + ", ") + (sizeof(Scalar) == 4 ? "float)" : "double)"), tolerance<Scalar>};
  for_each_layer(net, reference, [](const std::string&, auto layer, const pytorch::Layer& theirs) {
    layer.weight = matrix_of<Scalar>(theirs.weight);
    layer.bias = matrix_of<Scalar>(theirs.bias);
  });

  const cr::Matrix<Scalar> x = matrix_of<Scalar>(reference.x);
  auto work = net.make_workspace(x.cols() + 2);
  auto gradients = net.make_gradients();
  cr::Matrix<Scalar> dJ_dx(x.rows(), x.cols());

  agrees("outputs", net.forward(x, work).template cast<double>(), reference.outputs);
  agrees("loss", MatrixXd::Constant(1, 1, static_cast<double>(net.loss(y, work))), reference.loss);
  net.backward(x, y, work, gradients, dJ_dx);
  for_each_layer(gradients, reference, [&](const std::string& l, auto layer, const pytorch::Layer& theirs) {
    agrees("dJ/dW(" + l + ")", layer.weight.template cast<double>(), theirs.dJ_dweight);
    agrees("dJ/db(" + l + ")", layer.bias.template cast<double>(), theirs.dJ_dbias);
  });
  agrees("dJ/dx", dJ_dx.template cast<double>(), reference.dJ_dx);
  agrees("prediction", net.predict(x).template cast<double>(), reference.prediction);

  const cr::SGD sgd{.learning_rate = pytorch::learning_rate};
  for (int step = 0; step < pytorch::steps; ++step) {
    net.forward(x, work);
    net.backward(x, y, work, gradients);
    sgd.step(net.parameters(), gradients);
  }
  for_each_layer(net, reference, [&](const std::string& l, auto layer, const pytorch::Layer& theirs) {
    agrees("W(" + l + ") after ten steps", layer.weight.template cast<double>(), theirs.stepped_weight);
    agrees("b(" + l + ") after ten steps", layer.bias.template cast<double>(), theirs.stepped_bias);
  });
  return agrees.worst();
}

constexpr cr::Seed seed{1};  // no matter which: compare sets all parameters

template <class Scalar>
double compare_labelled_classes() {
  using Net = cr::Network<Scalar, cr::SoftmaxCrossEntropy, cr::Dense<4, 5, cr::Tanh>, cr::Dense<5, 3>>;
  const auto& reference = pytorch::labelled_classes::reference;
  return compare(Net{seed}, "fixed", reference, reference.labels);
}

template <class Scalar>
double compare_probable_classes() {
  using Net = cr::Network<Scalar, cr::SoftmaxCrossEntropy, cr::Dense<4, 5, cr::Tanh>, cr::Dense<5, 3>>;
  const auto& reference = pytorch::probable_classes::reference;
  return compare(Net{seed}, "fixed", reference, matrix_of<Scalar>(reference.y));
}

template <class Scalar>
double compare_yes_or_no() {
  using Net = cr::Network<Scalar, cr::BinaryCrossEntropy, cr::Dense<3, 8, cr::Sigmoid>, cr::Dense<8, 4, cr::ReLU>, cr::Dense<4, 2>>;
  const auto& reference = pytorch::yes_or_no::reference;
  return compare(Net{seed}, "fixed", reference, matrix_of<Scalar>(reference.y));
}

template <class Scalar>
double compare_dynamic_yes_or_no() {
  using cr::Dense, cr::Dynamic;
  const auto& reference = pytorch::yes_or_no::reference;
  return compare(cr::make_network<Scalar, cr::BinaryCrossEntropy>(seed, Dense<Dynamic, Dynamic, cr::Sigmoid>{3, 8},
                                                                  Dense<Dynamic, Dynamic, cr::ReLU>{8, 4}, Dense<Dynamic, Dynamic>{4, 2}),
                 "Dynamic", reference, matrix_of<Scalar>(reference.y));
}

template <class Scalar>
double compare_regression() {
  using Hidden = cr::Dense<5, 6, cr::LeakyReLU>;
  using Net = cr::Network<Scalar, cr::MeanSquaredError, Hidden, cr::Dense<6, 2>>;
  const auto& reference = pytorch::regression::reference;
  return compare(Net{seed, Hidden{cr::LeakyReLU{0.2}}, cr::Dense<6, 2>{}}, "fixed", reference, matrix_of<Scalar>(reference.y));
}

template <class Scalar>
double compare_lecture() {
  using Net =
      cr::Network<Scalar, cr::SquaredError, cr::Dense<3, 4, cr::Sigmoid>, cr::Dense<4, 4, cr::Sigmoid>, cr::Dense<4, 3, cr::Sigmoid>>;
  const auto& reference = pytorch::lecture::reference;
  return compare(Net{seed}, "fixed", reference, matrix_of<Scalar>(reference.y));
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

TEMPLATE_TEST_CASE("PyTorch agrees: sigmoid and binary cross-entropy with extents that are values", "[pytorch]", float, double) {
  compare_dynamic_yes_or_no<TestType>();
}

TEMPLATE_TEST_CASE("PyTorch agrees: mean squared error", "[pytorch]", float, double) { compare_regression<TestType>(); }

TEMPLATE_TEST_CASE("PyTorch agrees: half the squared error in the net of the lecture", "[pytorch]", float, double) {
  compare_lecture<TestType>();
}

TEST_CASE("PyTorch agrees: how closely", "[.report]") {
  std::ostringstream line;  // of its own, so that std::cout keeps its format
  line.precision(1);
  line << std::scientific << "worst relative difference to PyTorch: float " << compare_all<float>() << ", double " << compare_all<double>()
       << "\n";
  std::cout << line.str();
}
