// The same layers, weighted losses and a small net with BatchNorm in chainrule and in PyTorch, from the same parameters, inputs and
// targets. make_pytorch_layer_reference.py made the literals.

#include "pytorch_layer_reference.hpp"

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
#include <cmath>
#include <iostream>
#include <iterator>
#include <span>
#include <sstream>
#include <vector>

#include "support/catch.hpp"

namespace cr = chainrule;
namespace pytorch = chainrule_test::pytorch;

namespace {

/// Compares numbers with PyTorch's, and keeps the worst relative difference,  |ours - theirs| / max(|theirs|, floor * largest |theirs|),
/// because what is left when terms cancel is rounded in proportion to the terms.
template <class Scalar>
class Comparison {
 public:
  void operator()(const char* what, const cr::Matrix<Scalar>& ours, std::span<const double> theirs) {
    INFO(what << " in " << (sizeof(Scalar) == 4 ? "float" : "double"));
    REQUIRE(ours.size() == static_cast<cr::Index>(theirs.size()));
    double largest = 0;
    for (const double number : theirs) largest = std::max(largest, std::abs(number));
    double worst = 0;
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      const double error = std::abs(static_cast<double>(ours.data()[i]) - theirs[i]) / std::max(std::abs(theirs[i]), 1e-2 * largest);
      if (!(error <= worst)) worst = std::isnan(error) ? 1e300 : error;
    }
    CHECK(worst <= (sizeof(Scalar) == 4 ? 1e-5 : 1e-12));
    worst_ = std::max(worst_, worst);
  }
  double worst() const { return worst_; }

 private:
  double worst_ = 0;
};

/// Literals as a matrix of so many rows.
template <class Scalar>
cr::Matrix<Scalar> matrix(cr::Index rows, std::span<const double> numbers) {
  return Eigen::Map<const cr::Matrix<double>>(numbers.data(), rows, static_cast<cr::Index>(numbers.size()) / rows).cast<Scalar>();
}

/// The gradient of the mean squared error of one batch.
template <class Net, class Scalar = typename Net::ScalarType>
void compare_gradients(Comparison<Scalar>& agrees, const Net& net, const cr::Matrix<Scalar>& x, std::span<const double> y,
                       std::span<const double> outputs, std::span<const double> dJ_dtheta, std::span<const double> dJ_dx) {
  auto work = net.make_workspace(x.cols());
  auto gradients = net.make_gradients();
  cr::Matrix<Scalar> input_gradient(x.rows(), x.cols());
  agrees("outputs", net.forward(x, work), outputs);
  net.backward(x, matrix<Scalar>(net.outputs(), y), work, gradients, input_gradient);
  agrees("dJ/dtheta", gradients.flat(), dJ_dtheta);
  agrees("dJ/dx", input_gradient, dJ_dx);
}

constexpr cr::Seed seed{1};  // no matter which: all parameters are set

template <class Scalar>
double compare_batch_norm() {
  namespace theirs = pytorch::batch_norm;
  Comparison<Scalar> agrees;
  cr::Network<Scalar, cr::MeanSquaredError, cr::BatchNorm<3>> net{seed};
  net.parameters() = matrix<Scalar>(6, theirs::theta);
  const cr::Matrix<Scalar> x = matrix<Scalar>(3, theirs::x);
  auto work = net.make_workspace(4);
  for (cr::Index batch = 0; batch < 3; ++batch) {
    net.forward(x.middleCols(4 * batch, 4), work);
    net.update_statistics(work);
  }
  const cr::Matrix<Scalar> last = x.rightCols(4);
  compare_gradients(agrees, net, last, theirs::y, theirs::outputs, theirs::dJ_dtheta, theirs::dJ_dx);
  agrees("running mean", net.template buffers<0>().running_mean, theirs::running_mean);
  agrees("running variance", net.template buffers<0>().running_variance, theirs::running_variance);
  agrees("prediction", net.predict(last), theirs::prediction);
  return agrees.worst();
}

template <class Scalar>
double compare_layer_norm() {
  namespace theirs = pytorch::layer_norm;
  Comparison<Scalar> agrees;
  cr::Network<Scalar, cr::MeanSquaredError, cr::LayerNorm<5>> net{seed};
  net.parameters() = matrix<Scalar>(10, theirs::theta);
  compare_gradients(agrees, net, matrix<Scalar>(5, theirs::x), theirs::y, theirs::outputs, theirs::dJ_dtheta, theirs::dJ_dx);
  return agrees.worst();
}

template <class Scalar>
double compare_prelu() {
  Comparison<Scalar> agrees;
  {
    namespace theirs = pytorch::shared_slope;
    cr::Network<Scalar, cr::MeanSquaredError, cr::PReLU<cr::Slopes::shared, 4>> net{seed};
    net.parameters() = matrix<Scalar>(1, theirs::theta);
    compare_gradients(agrees, net, matrix<Scalar>(4, theirs::x), theirs::y, theirs::outputs, theirs::dJ_dtheta, theirs::dJ_dx);
  }
  {
    namespace theirs = pytorch::slope_per_unit;
    cr::Network<Scalar, cr::MeanSquaredError, cr::PReLU<cr::Slopes::per_unit, 4>> net{seed};
    net.parameters() = matrix<Scalar>(4, theirs::theta);
    compare_gradients(agrees, net, matrix<Scalar>(4, theirs::x), theirs::y, theirs::outputs, theirs::dJ_dtheta, theirs::dJ_dx);
  }
  return agrees.worst();
}

template <class Scalar>
double compare_net() {
  namespace theirs = pytorch::net;
  Comparison<Scalar> agrees;
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
  agrees("losses", losses, theirs::losses);
  agrees("theta after five steps", net.parameters(), theirs::stepped_theta);
  agrees("running mean", net.template buffers<1>().running_mean, theirs::running_mean);
  agrees("running variance", net.template buffers<1>().running_variance, theirs::running_variance);
  agrees("prediction", net.predict(x), theirs::prediction);
  return agrees.worst();
}

template <class Scalar>
double compare_weights() {
  namespace theirs = pytorch::weighted_cross_entropy;
  Comparison<Scalar> agrees;
  const cr::Matrix<Scalar> logits = matrix<Scalar>(3, theirs::logits);
  const auto z = cr::detail::const_view<Scalar>(logits);
  const auto labels = cr::detail::target_view<Scalar>(pytorch::weighted_labels);
  cr::Matrix<Scalar> dJ = logits;

  const cr::ClassWeighted<cr::SoftmaxCrossEntropy> by_class(
      std::vector<double>(std::begin(theirs::class_weights), std::end(theirs::class_weights)));
  agrees("loss by class", cr::Matrix<Scalar>::Constant(1, 1, by_class.value(z, labels)), theirs::class_loss);
  by_class.gradient(z, labels, cr::detail::mutable_view<Scalar>(dJ));
  agrees("gradient by class", dJ, theirs::class_dJ_dlogits);

  const cr::SoftmaxCrossEntropy plain;
  const std::vector<Scalar> weights(std::begin(theirs::sample_weights), std::end(theirs::sample_weights));
  const auto y = cr::weighted(labels, weights);
  agrees("loss by sample", cr::Matrix<Scalar>::Constant(1, 1, cr::detail::loss_value(plain, z, y)), theirs::sample_loss);
  cr::detail::loss_gradient(plain, z, y, cr::detail::mutable_view<Scalar>(dJ));
  agrees("gradient by sample", dJ, theirs::sample_dJ_dlogits);
  return agrees.worst();
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
  std::ostringstream line;  // of its own, so that std::cout keeps its format
  line.precision(1);
  line << std::scientific << "worst relative difference to PyTorch in layers: float " << compare_all<float>() << ", double "
       << compare_all<double>() << "\n";
  std::cout << line.str();
}
