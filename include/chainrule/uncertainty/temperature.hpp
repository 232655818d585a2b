#pragma once
// Temperature scaling: one number that makes the probabilities of a classifier as sure as they are right.

#include <chainrule/core/detail/checks.hpp>
#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/core/targets.hpp>
#include <chainrule/layers/detail/ranges.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <cmath>
#include <string_view>

namespace chainrule {

namespace detail {

/// J and its first two derivatives by beta at predictions link(beta z), where J is a cross-entropy, which is convex in beta.
///
///     J(beta) = J(y, beta z),  J'(beta) = sum dJ/dz o z,  J''(beta) = sum z o (H z)
template <class L, class Logits, class Target>
class LossOfInverseTemperature {
 public:
  LossOfInverseTemperature(const L& loss, const Logits& logits, const Target& y)
      : loss_{loss}, z_{logits}, y_{y}, scaled_{logits}, derivative_(logits.rows(), logits.cols()) {}

  double first(double beta) {
    scaled_ = beta * z_;
    loss_.gradient(const_view<double>(scaled_), y_, mutable_view<double>(derivative_));
    return product_with_z();
  }
  double second(double beta) {
    scaled_ = beta * z_;
    loss_.gradient_jvp(const_view<double>(scaled_), y_, const_view<double>(z_), mutable_view<double>(derivative_));
    return product_with_z();
  }

 private:
  double product_with_z() const {
    return pairwise_sum<double>(z_.rows(), z_.cols(), [&](Index i, Index j) { return derivative_(i, j) * z_(i, j); });
  }

  const L& loss_;
  const Logits& z_;
  const Target& y_;
  Logits scaled_, derivative_;
};

/// The beta > 0 with J'(beta) = 0 for logits of up to 1, by Newton steps that stay inside an interval with a change of sign, which
/// bisection halves otherwise. Throws ValueError where there is none.
template <class Function>
double minimum_of_convex(Function& J) {
  if (!(J.first(0) < 0))
    raise<ValueError>(
        "fit_temperature: no temperature improves these logits, because they predict no better than equal probabilities; "
        "train the network first, and check that y belongs to them");
  if (!(J.first(0x1p40) > 0))
    raise<ValueError>(
        "fit_temperature: the lower the temperature the better, because no sample is predicted wrong; take more held-out samples, which "
        "the training has not seen");
  double low = 0, high = 1;
  while (!(J.first(high) > 0)) {
    low = high;
    high *= 2;
  }
  double beta = (low + high) / 2;
  for (int step = 0; step < 200; ++step) {
    const double slope = J.first(beta);
    if (slope == 0) break;
    (slope < 0 ? low : high) = beta;
    const double newton = beta - slope / J.second(beta);
    const double next = newton > low && newton < high ? newton : (low + high) / 2;
    if (std::abs(next - beta) <= 1e-14 * beta) break;
    beta = next;
  }
  return beta;
}

}  // namespace detail

/// Fits the temperature T of temperature scaling (Guo et al. 2017), which brings the probabilities softmax(z/T) or sigma(z/T) closest to
/// the truth: the minimum of the cross-entropy of held-out samples over T. A network that is too sure has T > 1. The class with the largest
/// probability stays the same for every T, and so does the accuracy.
/// @code{.cpp}
/// const double T = fit_temperature(SoftmaxCrossEntropy{}, net.predict_raw(held_out.features), held_out.targets);
/// apply_temperature(net, T);  // predict, files and exports include T from now on
/// @endcode
/// loss: SoftmaxCrossEntropy, or BinaryCrossEntropy for yes or no, for one or several outputs. logits: raw outputs (predict_raw), outputs x
/// samples, of samples that the training has not seen. y: labels or probabilities, as for the loss.
///
/// Throws what the loss throws for y, ShapeError where the numbers of samples differ, ValueError for NaN and infinity, and where no T is
/// the best: logits that are no better than equal probabilities (T would be infinite), or with which every sample is predicted right (0).
template <class L, class Logits, class Y>
double fit_temperature(const L& loss, const Eigen::DenseBase<Logits>& logits, const Y& y) {
  static_assert(std::is_same_v<L, SoftmaxCrossEntropy> || std::is_same_v<L, BinaryCrossEntropy>,
                "chainrule: fit_temperature takes SoftmaxCrossEntropy{} for one of several classes, or BinaryCrossEntropy{} for yes or no");
  Matrix<double> z = logits.derived().template cast<double>();
  if (z.rows() < L::min_outputs)
    detail::raise<ShapeError>("fit_temperature: ", loss.name, " needs at least ", L::min_outputs, " outputs, but the logits have ",
                              z.rows());
  detail::check_finite("fit_temperature", "logits", detail::const_view<double>(z));
  const double largest = z.size() == 0 ? 0 : z.cwiseAbs().maxCoeff(), unit = largest > 0 ? largest : 1;
  z /= unit;
  const auto fit = [&](const auto& target) {
    if (detail::samples_of(target) != z.cols() || z.cols() == 0)
      detail::raise<ShapeError>("fit_temperature: there are logits for ", z.cols(), " samples, but targets for ",
                                detail::samples_of(target), " (one column is one sample)");
    loss.check(detail::const_view<double>(z), target);
    detail::LossOfInverseTemperature J(loss, z, target);
    return unit / detail::minimum_of_convex(J);
  };
  if constexpr (detail::LabelVector<Y>) {
    return fit(detail::target_view<double>(y));
  } else {
    const Matrix<double> numbers = y.template cast<double>();
    if (numbers.rows() != z.rows())
      detail::raise<ShapeError>("fit_temperature: the logits have ", z.rows(), " rows, but y has ", numbers.rows());
    return fit(detail::const_view<double>(numbers));
  }
}

/// Divides the raw outputs of a network by a temperature, by dividing the parameters of its last layer, which must be a Dense without an
/// activation, a BatchNorm or a LayerNorm: its outputs are linear in its parameters. So predictions, files and exports include the
/// temperature, and no layer is added. Throws ValueError for another last layer and for a temperature that is not above 0 and finite.
///
///     W <- W/T,  b <- b/T        so that z <- z/T
template <class Net>
void apply_temperature(Net& net, double temperature) {
  using Scalar = typename Net::ScalarType;
  detail::check_positive<Scalar>("apply_temperature", "the temperature", temperature);
  const auto& sequence = detail::NetworkAccess::sequence(net);
  const std::size_t layers = detail::size_of(net.layers());
  std::size_t index = 0;
  detail::for_each_layer(net.layers(), [&](const auto& layer) {
    if (++index != layers) return;
    if (!detail::scales_with_parameters(layer))
      detail::raise<ValueError>(
          "apply_temperature: the last layer is ", std::string_view(layer.name), " ", layer.activation_name(),
          ", but it must be a Dense without an activation, a BatchNorm or a LayerNorm, whose parameters can be divided");
  });
  auto theta = net.parameters();
  for (Index i = sequence.parameter_offset(layers - 1); i < sequence.parameter_offset(layers); ++i)
    theta[i] =
        static_cast<Scalar>(static_cast<detail::Accumulator<Scalar>>(theta[i]) / static_cast<detail::Accumulator<Scalar>>(temperature));
}

}  // namespace chainrule
