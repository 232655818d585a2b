#pragma once

#include <chainrule/core/concepts.hpp>
#include <chainrule/minimize/detail/minimizer_state.hpp>
#include <chainrule/minimize/detail/net_on_data.hpp>
#include <cmath>

namespace chainrule::detail {

/// The residuals of a network on a data set, some samples at a time, and their derivatives by theta. They are scaled such that half the
/// sum of their squares over all samples is J:
///
///     R(o, j) = sqrt(w_j/(samples m)) r(o, j),   J = 1/2 sum R^2        with the weights w_j and their mean m
template <class Passes>
class ResidualRows {
  using Scalar = typename Passes::Scalar;
  using Number = Accumulator<Scalar>;
  using Samples = typename Passes::Samples;

 public:
  /// Allocates for up to max_residuals residuals and their gradients, or for one sample where that is more. Throws ValueError for a loss
  /// that is no sum of squares. `who` begins messages.
  ResidualRows(const char* who, Passes& passes, Index max_residuals)
      : passes_{passes},
        samples_{std::clamp<Index>(max_residuals / passes.net().outputs(), 1, (std::min)(Passes::max_samples, passes.samples()))},
        r_(Matrix<Scalar>::Zero(passes.net().outputs(), samples_)),
        slopes_(r_),
        derivative_work_{passes.net().make_derivative_workspace(samples_, passes.net().outputs())} {
    const auto& loss = passes.net().loss_function();
    static_assert(std::is_same_v<typename Passes::View::TargetsView, ConstMatrixView<Scalar>>,
                  "chainrule: LevenbergMarquardt and residuals() need targets that are numbers, outputs x samples, not labels");
    static_assert(HasResiduals<std::remove_cvref_t<decltype(loss)>, Scalar>,
                  "chainrule: LevenbergMarquardt and residuals() need a loss that is a sum of squares, with a function residuals: "
                  "SquaredError or MeanSquaredError; LBFGS takes any loss");
    if constexpr (requires { loss.has_residuals(); })
      if (!loss.has_residuals())
        raise<ValueError>(who, ": ", loss.name, " is no sum of squares; SquaredError and MeanSquaredError are; LBFGS takes any loss");
    check_residuals(who);
  }

  /// The number of samples that compute takes at a time; the last ones may be fewer.
  Index samples_at_once() const { return samples_; }
  Samples samples(Index first) const { return {first, (std::min)(samples_, passes_.samples() - first)}; }

  /// Writes R of some samples to `values`, outputs x samples in one piece.
  void compute(Samples some, Scalar* values) {
    const auto y_hat = passes_.net().forward(passes_.x(some), passes_.workspace());
    write_residuals(some, const_view<Scalar>(y_hat), values);
  }

  /// Writes R of some samples to `values`, and dR/dtheta to `jacobian`, parameters x (outputs samples): column j outputs + o is the
  /// gradient of R(o, j), and 0 for frozen parameters.
  ///
  ///     dR(o, j)/dtheta = sqrt(w_j/(samples m)) dr/dy_hat(o, j) dF_o/dtheta(x_j)
  void compute(Samples some, Scalar* values, MatrixView<Scalar> jacobian) {
    const auto y_hat = passes_.net().parameter_jacobian(passes_.x(some), derivative_work_, jacobian);
    write_residuals(some, const_view<Scalar>(y_hat), values);
    for (Index k = 0; k < jacobian.cols(); ++k) jacobian.col(k) *= slopes_.data()[k];
    if (const auto& frozen = passes_.net().frozen(); frozen != nullptr)
      for (const auto& range : frozen->ranges()) jacobian.middleRows(range.begin, range.end - range.begin).setZero();
  }

 private:
  // Throws ValueError unless the residuals of the first samples and their slopes give J and dJ/dy_hat of the loss: a class derived from
  // SquaredError may have another J.
  void check_residuals(const char* who) {
    const Samples some = samples(0);
    const auto& loss = passes_.net().loss_function();
    const auto prediction = passes_.net().forward(passes_.x(some), passes_.workspace());
    const ConstMatrixView<Scalar> y_hat = const_view<Scalar>(prediction), y = passes_.y(some).targets;
    loss.residuals(y_hat, y, first(r_, some), first(slopes_, some));
    const Number batch = static_cast<Number>(some.count), J = static_cast<Number>(loss.value(y_hat, y));
    const Number sum = pairwise_sum<Number>(r_.size(), [&](Index i) { return rounded(Number(r_.data()[i]) * Number(r_.data()[i])); });
    Matrix<Scalar> dJ(r_.rows(), r_.cols());
    loss.gradient(y_hat, y, matrix_view(dJ.data(), dJ.rows(), dJ.cols()));
    const Number tolerance = std::sqrt(static_cast<Number>(std::numeric_limits<Scalar>::epsilon()));
    const auto differ = [&](Number a, Number b) { return std::abs(a - b) > tolerance * std::abs(a) && is_finite(a) && is_finite(b); };
    bool is_wrong = differ(J, sum / (2 * batch));
    for (Index i = 0; i < r_.size(); ++i)
      is_wrong = is_wrong || differ(Number(dJ.data()[i]) * batch, Number(r_.data()[i]) * Number(slopes_.data()[i]));
    if (is_wrong)
      raise<ValueError>(who, ": the function residuals of ", loss.name,
                        " is not that of its J, which is 1/(2 batch) sum r^2; SquaredError and MeanSquaredError have the right one");
  }

  // values <- R, slopes <- dR/dy_hat
  void write_residuals(Samples some, ConstMatrixView<Scalar> y_hat, Scalar* values) {
    const auto y = passes_.y(some);
    passes_.net().loss_function().residuals(y_hat, y.targets, first(r_, some), first(slopes_, some));
    for (Index j = 0; j < some.count; ++j) {
      const Number share = weight_of(y, j) / (divisor_of(y) * static_cast<Number>(passes_.samples()));
      const Scalar scale = static_cast<Scalar>(std::sqrt(share));
      slopes_.col(j) *= scale;
      VectorView<Scalar>(values + j * r_.rows(), r_.rows()) = r_.col(j) * scale;
    }
  }

  static MatrixView<Scalar> first(Matrix<Scalar>& m, Samples some) { return matrix_view(m.data(), m.rows(), some.count); }

  Passes& passes_;
  Index samples_;              // most samples of one call
  Matrix<Scalar> r_, slopes_;  // residuals and slopes of the samples of one call
  typename Passes::Network::DerivativeWorkspace derivative_work_;
};

}  // namespace chainrule::detail
