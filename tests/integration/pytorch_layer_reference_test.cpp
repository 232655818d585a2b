// Compares layers, weighted losses and a small network with BatchNorm with PyTorch's, from the same parameters, inputs and targets.
// make_pytorch_layer_reference.py wrote the literals.

#include "integration/pytorch_layer_reference.hpp"

#include <algorithm>
#include <chainrule/activations/relu.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/layer_norm.hpp>
#include <chainrule/layers/prelu.hpp>
#include <chainrule/losses/class_weighted.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>
#include <cstdio>
#include <iterator>
#include <span>
#include <vector>

#include "integration/pytorch_comparison.hpp"
#include "support/catch.hpp"

namespace cr = chainrule;
namespace pytorch = chainrule_test::pytorch;

namespace {

using chainrule_test::PyTorchComparison;

/// A comparison with the tolerance for Scalar.
template <class Scalar>
PyTorchComparison comparison(const std::string& layer) {
  return sizeof(Scalar) == 4 ? PyTorchComparison{layer + " in float", 1e-5} : PyTorchComparison{layer + " in double", 1e-12};
}

/// Literals as a matrix with this number of rows.
template <class Scalar>
cr::Matrix<Scalar> matrix(cr::Index rows, std::span<const double> numbers) {
  return Eigen::Map<const cr::Matrix<double>>(numbers.data(), rows, static_cast<cr::Index>(numbers.size()) / rows).cast<Scalar>();
}

/// Compares the outputs, dJ/dtheta and dJ/dx of one batch with the mean squared error.
template <class Net, class Scalar = typename Net::ScalarType>
void compare_gradients(PyTorchComparison& compare, const Net& net, const cr::Matrix<Scalar>& x, std::span<const double> y,
                       std::span<const double> outputs, std::span<const double> dJ_dtheta, std::span<const double> dJ_dx) {
  auto work = net.make_workspace(x.cols());
  auto gradients = net.make_gradients();
  cr::Matrix<Scalar> input_gradient(x.rows(), x.cols());
  compare("outputs", net.forward(x, work), outputs);
  net.backward(x, matrix<Scalar>(net.outputs(), y), work, gradients, input_gradient);
  compare("dJ/dtheta", gradients.flat(), dJ_dtheta);
  compare("dJ/dx", input_gradient, dJ_dx);
}

constexpr cr::Seed seed{1};  // has no effect, because the tests set all parameters

template <class Scalar>
double compare_batch_norm() {
  namespace theirs = pytorch::batch_norm;
  PyTorchComparison compare = comparison<Scalar>("BatchNorm");
  cr::Network<Scalar, cr::MeanSquaredError, cr::BatchNorm<3>> net{seed};
  net.parameters() = matrix<Scalar>(6, theirs::theta);
  const cr::Matrix<Scalar> x = matrix<Scalar>(3, theirs::x);
  auto work = net.make_workspace(4);
  for (cr::Index batch = 0; batch < 3; ++batch) {
    net.forward(x.middleCols(4 * batch, 4), work);
    net.update_statistics(work);
  }
  const cr::Matrix<Scalar> last = x.rightCols(4);
  compare_gradients(compare, net, last, theirs::y, theirs::outputs, theirs::dJ_dtheta, theirs::dJ_dx);
  compare("running mean", net.template buffers<0>().running_mean, theirs::running_mean);
  compare("running variance", net.template buffers<0>().running_variance, theirs::running_variance);
  compare("prediction", net.predict(last), theirs::prediction);
  return compare.worst();
}

template <class Scalar>
double compare_layer_norm() {
  namespace theirs = pytorch::layer_norm;
  PyTorchComparison compare = comparison<Scalar>("LayerNorm");
  cr::Network<Scalar, cr::MeanSquaredError, cr::LayerNorm<5>> net{seed};
  net.parameters() = matrix<Scalar>(10, theirs::theta);
  compare_gradients(compare, net, matrix<Scalar>(5, theirs::x), theirs::y, theirs::outputs, theirs::dJ_dtheta, theirs::dJ_dx);
  return compare.worst();
}

template <class Scalar>
double compare_prelu() {
  PyTorchComparison compare = comparison<Scalar>("PReLU");
  {
    namespace theirs = pytorch::shared_slope;
    cr::Network<Scalar, cr::MeanSquaredError, cr::PReLU<cr::Slopes::shared, 4>> net{seed};
    net.parameters() = matrix<Scalar>(1, theirs::theta);
    compare_gradients(compare, net, matrix<Scalar>(4, theirs::x), theirs::y, theirs::outputs, theirs::dJ_dtheta, theirs::dJ_dx);
  }
  {
    namespace theirs = pytorch::slope_per_unit;
    cr::Network<Scalar, cr::MeanSquaredError, cr::PReLU<cr::Slopes::per_unit, 4>> net{seed};
    net.parameters() = matrix<Scalar>(4, theirs::theta);
    compare_gradients(compare, net, matrix<Scalar>(4, theirs::x), theirs::y, theirs::outputs, theirs::dJ_dtheta, theirs::dJ_dx);
  }
  return compare.worst();
}

template <class Scalar>
double compare_net() {
  namespace theirs = pytorch::net;
  PyTorchComparison compare = comparison<Scalar>("network with BatchNorm");
  cr::Network<Scalar, cr::SoftmaxCrossEntropy, cr::Dense<3, 6>, cr::BatchNorm<>, cr::Activate<cr::ReLU>, cr::Dense<6, 2>> net{seed};
  net.parameters() = matrix<Scalar>(std::ssize(theirs::theta), theirs::theta);
  const cr::Matrix<Scalar> x = matrix<Scalar>(3, theirs::x);
  auto work = net.make_workspace(x.cols());
  auto gradients = net.make_gradients();
  cr::Matrix<Scalar> losses(std::ssize(theirs::losses), 1);
  for (Scalar& loss : losses.reshaped()) {
    net.forward(x, work);
    loss = net.loss(pytorch::net_labels, work);
    net.backward(x, pytorch::net_labels, work, gradients);
    net.update_statistics(work);
    net.parameters() -= static_cast<Scalar>(pytorch::net_learning_rate) * gradients.flat();
  }
  compare("losses", losses, theirs::losses);
  compare("theta after five steps", net.parameters(), theirs::stepped_theta);
  compare("running mean", net.template buffers<1>().running_mean, theirs::running_mean);
  compare("running variance", net.template buffers<1>().running_variance, theirs::running_variance);
  compare("prediction", net.predict(x), theirs::prediction);
  return compare.worst();
}

template <class Scalar>
double compare_weights() {
  namespace theirs = pytorch::weighted_cross_entropy;
  PyTorchComparison compare = comparison<Scalar>("weighted cross-entropy");
  const cr::Matrix<Scalar> logits = matrix<Scalar>(3, theirs::logits);
  const auto z = cr::detail::const_view<Scalar>(logits);
  const auto labels = cr::detail::target_view<Scalar>(pytorch::weighted_labels);
  cr::Matrix<Scalar> dJ = logits;

  const cr::ClassWeighted<cr::SoftmaxCrossEntropy> by_class(
      std::vector<double>(std::begin(theirs::class_weights), std::end(theirs::class_weights)));
  // PyTorch divides by the sum of the weights of the batch, as if it were the whole data set
  const auto of_batch = [&](const auto& loss, auto y) { return cr::detail::with_mean_weight<Scalar>("PyTorch", loss, y); };
  const auto by_label = of_batch(by_class, labels);
  compare("loss by class", cr::Matrix<Scalar>::Constant(1, 1, cr::detail::loss_value(by_class, z, by_label)), theirs::class_loss);
  cr::detail::loss_gradient(by_class, z, by_label, cr::detail::mutable_view<Scalar>(dJ));
  compare("gradient by class", dJ, theirs::class_dJ_dlogits);

  const cr::SoftmaxCrossEntropy plain;
  const std::vector<Scalar> weights(std::begin(theirs::sample_weights), std::end(theirs::sample_weights));
  const auto y = of_batch(plain, cr::weighted(labels, weights));
  compare("loss by sample", cr::Matrix<Scalar>::Constant(1, 1, cr::detail::loss_value(plain, z, y)), theirs::sample_loss);
  cr::detail::loss_gradient(plain, z, y, cr::detail::mutable_view<Scalar>(dJ));
  compare("gradient by sample", dJ, theirs::sample_dJ_dlogits);
  return compare.worst();
}

template <class Scalar>
double compare_all() {
  return std::max({compare_batch_norm<Scalar>(), compare_layer_norm<Scalar>(), compare_prelu<Scalar>(), compare_net<Scalar>(),
                   compare_weights<Scalar>()});
}

}  // namespace

TEMPLATE_TEST_CASE("PyTorch agrees: BatchNorm1d over three batches", "[pytorch]", float, double) { compare_batch_norm<TestType>(); }

TEMPLATE_TEST_CASE("PyTorch agrees: LayerNorm", "[pytorch]", float, double) { compare_layer_norm<TestType>(); }

TEMPLATE_TEST_CASE("PyTorch agrees: PReLU with one slope and with one for each unit", "[pytorch]", float, double) {
  compare_prelu<TestType>();
}

TEMPLATE_TEST_CASE("PyTorch agrees: five steps of a net with BatchNorm", "[pytorch]", float, double) { compare_net<TestType>(); }

TEMPLATE_TEST_CASE("PyTorch agrees: cross-entropy with weights of classes and of samples", "[pytorch]", float, double) {
  compare_weights<TestType>();
}

TEST_CASE("PyTorch agrees: how closely in layers", "[.report]") {
  std::printf("worst relative difference to PyTorch in layers: float %.1e, double %.1e\n", compare_all<float>(), compare_all<double>());
}
