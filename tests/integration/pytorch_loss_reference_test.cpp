// Compares activations, losses and their derivatives with PyTorch's, at the same points. make_pytorch_loss_reference.py wrote the literals.

#include "integration/pytorch_loss_reference.hpp"

#include <algorithm>
#include <chainrule/activations/elu.hpp>
#include <chainrule/activations/gelu.hpp>
#include <chainrule/activations/hard_sigmoid.hpp>
#include <chainrule/activations/hard_swish.hpp>
#include <chainrule/activations/hard_tanh.hpp>
#include <chainrule/activations/mish.hpp>
#include <chainrule/activations/selu.hpp>
#include <chainrule/activations/silu.hpp>
#include <chainrule/activations/softplus.hpp>
#include <chainrule/activations/softsign.hpp>
#include <chainrule/core/targets.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/gaussian_nll.hpp>
#include <chainrule/losses/hinge.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/losses/kl_divergence.hpp>
#include <chainrule/losses/log_cosh.hpp>
#include <chainrule/losses/mean_absolute_error.hpp>
#include <chainrule/losses/poisson_nll.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <cstdio>
#include <vector>

#include "integration/pytorch_comparison.hpp"
#include "support/catch.hpp"

namespace cr = chainrule;
namespace pytorch = chainrule_test::pytorch_losses;

namespace {

using chainrule_test::PyTorchComparison;

/// A comparison with the tolerance for Scalar.
template <class Scalar>
PyTorchComparison comparison(const std::string& family) {
  return sizeof(Scalar) == 4 ? PyTorchComparison{family + " in float", 1e-5} : PyTorchComparison{family + " in double", 1e-12};
}

template <class Scalar, class F>
void compare_curve(PyTorchComparison& compare, const F& f, const pytorch::Curve& reference) {
  const cr::Vector<Scalar> z = Eigen::Map<const Eigen::VectorXd>(pytorch::z, pytorch::points).cast<Scalar>();
  cr::Vector<Scalar> a(z.size());
  cr::Vector<Scalar> delta = cr::Vector<Scalar>::Ones(z.size());
  cr::kernels::activate(f, z.size(), z.data(), a.data());
  cr::kernels::multiply_by_derivative(f, z.size(), cr::DerivativeFromOutput<F> ? a.data() : z.data(), delta.data());
  compare(reference.name + std::string(": value"), a, reference.value);
  compare(reference.name + std::string(": derivative"), delta, reference.derivative);
}

template <class Scalar>
double compare_curves() {
  PyTorchComparison compare = comparison<Scalar>("activations");
  compare_curve<Scalar>(compare, cr::ELU{}, pytorch::elu);
  compare_curve<Scalar>(compare, cr::ELU{0.5}, pytorch::elu_half);
  compare_curve<Scalar>(compare, cr::SELU{}, pytorch::selu);
  compare_curve<Scalar>(compare, cr::GELU{}, pytorch::gelu);
  compare_curve<Scalar>(compare, cr::GELUTanh{}, pytorch::gelu_tanh);
  compare_curve<Scalar>(compare, cr::SiLU{}, pytorch::silu);
  compare_curve<Scalar>(compare, cr::Mish{}, pytorch::mish);
  compare_curve<Scalar>(compare, cr::Softplus{}, pytorch::softplus);
  compare_curve<Scalar>(compare, cr::Softplus{2}, pytorch::softplus_2);
  compare_curve<Scalar>(compare, cr::Softsign{}, pytorch::softsign);
  compare_curve<Scalar>(compare, cr::HardSigmoid{}, pytorch::hard_sigmoid);
  compare_curve<Scalar>(compare, cr::HardSwish{}, pytorch::hard_swish);
  compare_curve<Scalar>(compare, cr::HardTanh{}, pytorch::hard_tanh);
  compare_curve<Scalar>(compare, cr::HardTanh{0, 6}, pytorch::hard_tanh_0_6);
  return compare.worst();
}

/// Literals as a matrix of Scalar.
template <class Scalar>
cr::Matrix<Scalar> matrix(const double* literals, cr::Index rows = pytorch::outputs) {
  return Eigen::Map<const Eigen::MatrixXd>(literals, rows, pytorch::samples).cast<Scalar>();
}

template <class Scalar, class Loss, class Y>
void compare_loss(PyTorchComparison& compare, const Loss& loss, const Y& y, const pytorch::Reference& reference) {
  const cr::Matrix<Scalar> y_hat = matrix<Scalar>(pytorch::y_hat);
  cr::Matrix<Scalar> dJ(y_hat.rows(), y_hat.cols());
  const auto output = cr::detail::const_view<Scalar>(y_hat);
  const auto target = cr::detail::target_view<Scalar>(y);
  loss.gradient(output, target, cr::detail::mutable_view<Scalar>(dJ));
  compare(reference.name + std::string(": value"), cr::Matrix<Scalar>::Constant(1, 1, loss.value(output, target)), {&reference.value, 1});
  compare(reference.name + std::string(": gradient"), dJ, reference.gradient);
}

template <class Scalar>
double compare_losses() {
  PyTorchComparison compare = comparison<Scalar>("losses");
  const cr::Matrix<Scalar> real = matrix<Scalar>(pytorch::real);
  const cr::Matrix<Scalar> means = matrix<Scalar>(pytorch::means, pytorch::outputs / 2);
  const cr::Matrix<Scalar> classes = matrix<Scalar>(pytorch::classes);
  const std::vector<int> labels(std::begin(pytorch::labels), std::end(pytorch::labels));
  compare_loss<Scalar>(compare, cr::MeanAbsoluteError{}, real, pytorch::mean_absolute_error);
  compare_loss<Scalar>(compare, cr::Huber{}, real, pytorch::huber);
  compare_loss<Scalar>(compare, cr::Huber{.delta = 0.5}, real, pytorch::huber_half);
  compare_loss<Scalar>(compare, cr::LogCosh{}, real, pytorch::log_cosh);
  compare_loss<Scalar>(compare, cr::Hinge{}, matrix<Scalar>(pytorch::signs), pytorch::hinge);
  compare_loss<Scalar>(compare, cr::PoissonNLL{}, matrix<Scalar>(pytorch::counts), pytorch::poisson_nll);
  compare_loss<Scalar>(compare, cr::GaussianNLL{.minimum_variance = 0}, means, pytorch::gaussian_nll);
  compare_loss<Scalar>(compare, cr::GaussianNLL{.minimum_variance = 0.25}, means, pytorch::gaussian_nll_least);
  compare_loss<Scalar>(compare, cr::KLDivergence{}, classes, pytorch::kl_divergence);
  compare_loss<Scalar>(compare, cr::SoftmaxCrossEntropy{.label_smoothing = 0.1}, labels, pytorch::softmax_smoothed_labels);
  compare_loss<Scalar>(compare, cr::SoftmaxCrossEntropy{.label_smoothing = 0.1}, classes, pytorch::softmax_smoothed);
  compare_loss<Scalar>(compare, cr::BinaryCrossEntropy{.label_smoothing = 0.1}, matrix<Scalar>(pytorch::probabilities),
                       pytorch::binary_smoothed);
  return compare.worst();
}

}  // namespace

TEST_CASE("PyTorch agrees: activations", "[pytorch]") {
  compare_curves<float>();
  compare_curves<double>();
}

TEST_CASE("PyTorch agrees: losses", "[pytorch]") {
  compare_losses<float>();
  compare_losses<double>();
}

TEST_CASE("PyTorch agrees: how closely, activations and losses", "[.report]") {
  std::printf("worst relative difference to PyTorch, activations: float %.1e, double %.1e; losses: float %.1e, double %.1e\n",
              compare_curves<float>(), compare_curves<double>(), compare_losses<float>(), compare_losses<double>());
}
