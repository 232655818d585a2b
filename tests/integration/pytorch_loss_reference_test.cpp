// Activations and losses at the same points in chainrule and in PyTorch, with their derivatives. make_pytorch_loss_reference.py made
// the literals.

#include "pytorch_loss_reference.hpp"

#include <algorithm>
#include <chainrule/activations/elu.hpp>
#include <chainrule/activations/gelu.hpp>
#include <chainrule/activations/hard_sigmoid.hpp>
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
#include <cmath>
#include <iostream>
#include <sstream>
#include <vector>

#include "support/catch.hpp"

namespace cr = chainrule;
namespace pytorch = chainrule_test::pytorch_losses;

namespace {

/// Compares arrays with PyTorch's and keeps the worst difference, relative to max(|theirs|, a hundredth of their largest): what is
/// small beside its neighbours is what is left when larger terms cancel.
class Comparison {
 public:
  explicit Comparison(double tolerance) : tolerance_{tolerance} {}

  void operator()(const char* name, const char* what, const std::vector<double>& ours, const double* theirs) {
    double largest = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) largest = std::max(largest, std::abs(theirs[i]));
    double worst = 0;
    std::size_t where = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      const double difference = std::abs(ours[i] - theirs[i]) / std::max(std::abs(theirs[i]), largest / 100);
      if (difference <= worst || std::isnan(worst)) continue;  // so NaN is the worst, and fails below
      worst = difference;
      where = i;
    }
    INFO(name << ": " << what << ", entry " << where << " is " << ours[where] << ", PyTorch has " << theirs[where]);
    CHECK(worst <= tolerance_);
    worst_ = std::max(worst_, worst);
  }

  double worst() const { return worst_; }

 private:
  double tolerance_;
  double worst_ = 0;
};

template <class Scalar, class F>
void compare_curve(Comparison& agrees, const F& f, const pytorch::Curve& reference) {
  std::vector<Scalar> z(std::begin(pytorch::z), std::end(pytorch::z));
  std::vector<Scalar> a(z.size());
  std::vector<Scalar> delta(z.size(), Scalar{1});
  cr::kernels::activate(f, cr::Index{pytorch::points}, static_cast<const Scalar*>(z.data()), a.data());
  cr::kernels::multiply_by_derivative(f, cr::Index{pytorch::points}, cr::DerivativeFromOutput<F> ? a.data() : z.data(), delta.data());
  agrees(reference.name, "value", {a.begin(), a.end()}, reference.value);
  agrees(reference.name, "derivative", {delta.begin(), delta.end()}, reference.derivative);
}

template <class Scalar>
double compare_curves() {
  Comparison agrees{sizeof(Scalar) == 4 ? 1e-5 : 1e-12};
  compare_curve<Scalar>(agrees, cr::ELU{}, pytorch::elu);
  compare_curve<Scalar>(agrees, cr::ELU{0.5}, pytorch::elu_half);
  compare_curve<Scalar>(agrees, cr::SELU{}, pytorch::selu);
  compare_curve<Scalar>(agrees, cr::GELU{}, pytorch::gelu);
  compare_curve<Scalar>(agrees, cr::GELUTanh{}, pytorch::gelu_tanh);
  compare_curve<Scalar>(agrees, cr::SiLU{}, pytorch::silu);
  compare_curve<Scalar>(agrees, cr::Mish{}, pytorch::mish);
  compare_curve<Scalar>(agrees, cr::Softplus{}, pytorch::softplus);
  compare_curve<Scalar>(agrees, cr::Softplus{2}, pytorch::softplus_2);
  compare_curve<Scalar>(agrees, cr::Softsign{}, pytorch::softsign);
  compare_curve<Scalar>(agrees, cr::HardSigmoid{}, pytorch::hard_sigmoid);
  compare_curve<Scalar>(agrees, cr::HardTanh{}, pytorch::hard_tanh);
  compare_curve<Scalar>(agrees, cr::HardTanh{0, 6}, pytorch::hard_tanh_0_6);
  return agrees.worst();
}

/// Literals as a matrix of Scalar.
template <class Scalar>
cr::Matrix<Scalar> matrix(const double* literals, cr::Index rows = pytorch::outputs) {
  return Eigen::Map<const Eigen::MatrixXd>(literals, rows, pytorch::samples).cast<Scalar>();
}

template <class Scalar, class Loss, class Y>
void compare_loss(Comparison& agrees, const Loss& loss, const Y& y, const pytorch::Reference& reference) {
  const cr::Matrix<Scalar> y_hat = matrix<Scalar>(pytorch::y_hat);
  cr::Matrix<Scalar> dJ(y_hat.rows(), y_hat.cols());
  const auto output = cr::detail::const_view<Scalar>(y_hat);
  const auto target = cr::detail::target_view<Scalar>(y);
  loss.gradient(output, target, cr::detail::mutable_view<Scalar>(dJ));
  agrees(reference.name, "value", {static_cast<double>(loss.value(output, target))}, &reference.value);
  agrees(reference.name, "gradient", {dJ.data(), dJ.data() + dJ.size()}, reference.gradient);
}

template <class Scalar>
double compare_losses() {
  Comparison agrees{sizeof(Scalar) == 4 ? 1e-5 : 1e-12};
  const cr::Matrix<Scalar> real = matrix<Scalar>(pytorch::real);
  const cr::Matrix<Scalar> means = matrix<Scalar>(pytorch::means, pytorch::outputs / 2);
  const cr::Matrix<Scalar> classes = matrix<Scalar>(pytorch::classes);
  const std::vector<int> labels(std::begin(pytorch::labels), std::end(pytorch::labels));
  compare_loss<Scalar>(agrees, cr::MeanAbsoluteError{}, real, pytorch::mean_absolute_error);
  compare_loss<Scalar>(agrees, cr::Huber{}, real, pytorch::huber);
  compare_loss<Scalar>(agrees, cr::Huber{.delta = 0.5}, real, pytorch::huber_half);
  compare_loss<Scalar>(agrees, cr::LogCosh{}, real, pytorch::log_cosh);
  compare_loss<Scalar>(agrees, cr::Hinge{}, matrix<Scalar>(pytorch::signs), pytorch::hinge);
  compare_loss<Scalar>(agrees, cr::PoissonNLL{}, matrix<Scalar>(pytorch::counts), pytorch::poisson_nll);
  compare_loss<Scalar>(agrees, cr::GaussianNLL{.minimum_variance = 0}, means, pytorch::gaussian_nll);
  compare_loss<Scalar>(agrees, cr::GaussianNLL{.minimum_variance = 0.25}, means, pytorch::gaussian_nll_least);
  compare_loss<Scalar>(agrees, cr::KLDivergence{}, classes, pytorch::kl_divergence);
  compare_loss<Scalar>(agrees, cr::SoftmaxCrossEntropy{.label_smoothing = 0.1}, labels, pytorch::softmax_smoothed_labels);
  compare_loss<Scalar>(agrees, cr::SoftmaxCrossEntropy{.label_smoothing = 0.1}, classes, pytorch::softmax_smoothed);
  compare_loss<Scalar>(agrees, cr::BinaryCrossEntropy{.label_smoothing = 0.1}, matrix<Scalar>(pytorch::probabilities),
                       pytorch::binary_smoothed);
  return agrees.worst();
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
  std::ostringstream line;  // of its own, so that std::cout keeps its format
  line.precision(1);
  line << std::scientific << "worst relative difference to PyTorch, activations: float " << compare_curves<float>() << ", double "
       << compare_curves<double>() << "; losses: float " << compare_losses<float>() << ", double " << compare_losses<double>() << "\n";
  std::cout << line.str();
}
