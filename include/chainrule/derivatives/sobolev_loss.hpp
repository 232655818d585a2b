#pragma once

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/detail/overlap.hpp>
#include <chainrule/derivatives/detail/checks.hpp>
#include <chainrule/derivatives/jet_workspace.hpp>
#include <chainrule/losses/squared_error.hpp>

namespace chainrule {

/// The factors of the terms of sobolev_loss, each at least 0.
struct SobolevWeights {
  double value = 1;  ///< factor of the squared errors of F(x)
  double first = 1;  ///< factor of the squared errors of the first derivatives
};

/// Computes J of a network that learns a function from its values and its first derivatives (Czarnecki et al. 2017, "Sobolev Training for
/// Neural Networks", equation 1). Call it between net.forward_jet(x, work) and net.backward_jet(x, work, gradients): it writes the
/// derivatives of J to work.dJ_dvalue() and work.dJ_dfirst(k), for all directions k of the workspace.
///
///     J = 1/(2 batch) sum over samples of (value |F(x) - y|^2 + first sum over k of |dF/dt_k - dy_k|^2)
///
/// @code{.cpp}
/// template <class Net, class Work, class Gradients>  // Work: net.make_jet_workspace(samples, {Eigen::Matrix2d::Identity()})
/// double loss_and_gradient(const Net& net, const Matrix<double>& x, const Matrix<double>& y, const Matrix<double>& dy, Work& work,
///                          Gradients& dJ) {
///   net.forward_jet(x, work);                          // F(x) and its derivatives by both inputs
///   const double J = cr::sobolev_loss(work, y, dy);    // J, and its derivatives by these
///   net.backward_jet(x, work, dJ);                     // dJ/dtheta
///   return J;
/// }
/// @endcode
/// y is outputs x batch. dy is (directions outputs) x batch, dy_0 above dy_1 and so on; so for one output and the unit vectors as
/// directions, a column of dy is the gradient of the function at one sample. All terms count alike if inputs and outputs are scaled so that
/// y and dy have a standard deviation of about 1 (Huge and Savine 2020, "Differential Machine Learning").
///
/// Allocates nothing. Throws StateError where the workspace holds no derivatives, ShapeError for targets of another shape, ValueError for
/// NaN or infinity in them, for a weight that is negative or not finite, and for targets that lie in the workspace.
template <class Scalar, class Sequence, class Y, class DY>
Scalar sobolev_loss(JetWorkspace<Scalar, Sequence>& work, const Eigen::DenseBase<Y>& y, const Eigen::DenseBase<DY>& dy,
                    const SobolevWeights& weights = {}) {
  static_cast<void>(detail::checked_viewable<Scalar, Y>() && detail::checked_viewable<Scalar, DY>());
  const char* who = "sobolev_loss";
  const Index outputs = work.value().rows(), batch = work.value().cols(), directions = work.shape().first;
  const auto check = [&](const char* name, const auto& targets, Index rows) {
    if (targets.rows() != rows || targets.cols() != batch)
      detail::raise<ShapeError>(who, ": ", name, " is ", targets.rows(), " x ", targets.cols(), ", but it must be ", rows, " x ", batch,
                                " for ", outputs, " outputs, ", directions, " directions and the ", batch, " samples of forward_jet");
    detail::check_finite(who, name, targets);
    detail::check_outside_derivatives(who, name, detail::memory_of(targets), work);
  };
  const ConstMatrixView<Scalar> values = detail::const_view<Scalar>(y), derivatives = detail::const_view<Scalar>(dy);
  check("y", values, outputs);
  check("dy", derivatives, directions * outputs);
  detail::check_not_negative(who, "weights.value", weights.value);
  detail::check_not_negative(who, "weights.first", weights.first);

  const auto term = [](ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> target, double weight, MatrixView<Scalar> gradient) {
    const auto factor = static_cast<Scalar>(weight);
    SquaredError{}.gradient(y_hat, target, gradient);
    gradient *= factor;
    return factor * SquaredError{}.value(y_hat, target);
  };
  Scalar J = term(work.value(), values, weights.value, work.dJ_dvalue());
  for (Index k = 0; k < directions; ++k)
    J += term(work.first(k), detail::const_view<Scalar>(derivatives.middleRows(k * outputs, outputs)), weights.first, work.dJ_dfirst(k));
  return J;
}

}  // namespace chainrule
