#pragma once

#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/minimize/lbfgs.hpp>
#include <chainrule/minimize/minimize.hpp>
#include <functional>

namespace chainrule {

/// Options of `minimize_function`.
struct MinimizeFunctionOptions {
  Index iterations = 1000;           ///< most iterations, at least 1
  Index evaluations = 0;             ///< no further iteration begins after so many evaluations of J; 0: no limit
  double gradient_tolerance = 1e-6;  ///< stops where the Euclidean norm of the gradient is at most this; 0: never
  double loss_tolerance = 1e-9;      ///< stops where an iteration lowers J by at most this share of J
  /// Called after each iteration with its number, J and the norm of the gradient; stops the run by returning false. May be empty.
  std::function<bool(Index iteration, double J, double gradient_norm)> after_iteration = {};
};

/// The result of `minimize_function`.
struct FunctionMinimum {
  double loss;                  ///< J after the last iteration
  double gradient_norm;         ///< the Euclidean norm of the gradient there
  Index iterations;             ///< number of iterations
  Index evaluations;            ///< number of evaluations of J and its gradient
  bool converged;               ///< whether it stopped at the gradient_tolerance or the loss_tolerance
  std::string stopped_because;  ///< why it stopped, as a sentence

  /// One line with everything.
  std::string to_string() const { return detail::description_of_minimum(loss, gradient_norm, iterations, evaluations, stopped_because); }
};

namespace detail {

/// A function of the user's as an objective of minimizers.
template <class Scalar, class F>
class FunctionObjective {
 public:
  using ScalarType = Scalar;
  FunctionObjective(const F& f, Index size) : f_{f}, size_{size} {}
  Index size() const { return size_; }
  Accumulator<Scalar> operator()(const Vector<Scalar>& theta, Vector<Scalar>& gradient) {
    return static_cast<Accumulator<Scalar>>(f_(ConstVectorView<Scalar>(theta.data(), size_), VectorView<Scalar>(gradient.data(), size_)));
  }

 private:
  const F& f_;
  Index size_;
};

}  // namespace detail

/// Minimizes a function of your own, J(theta), from the theta that is given, by LBFGS: for a J that is no loss of a data set, such as the
/// residual of a differential equation, whose gradient is that of backward_jet.
/// @code{.cpp}
/// JetDirections<float> along{Eigen::MatrixXf::Identity(net.inputs(), net.inputs())};
/// auto jets = net.make_jet_workspace(x.cols(), along);
/// const FunctionMinimum found = minimize_function(net.parameters(), [&](const auto& theta, auto gradient) {
///   net.parameters() = theta;
///   net.forward_jet(x, jets);
///   const double J = jets.first(0).squaredNorm() / 2;  // 1/2 sum (dF/dx_0)^2
///   jets.dJ_dfirst(0) = jets.first(0);
///   net.backward_jet(x, jets, dJ);
///   gradient = dJ.flat();
///   return J;
/// });
/// @endcode
/// J(theta, gradient) takes a view on theta, writes dJ/dtheta to `gradient`, a view of the same length, and returns J. It must be the same
/// function in every call. `theta` is a contiguous vector, which may be what J writes its argument to, as above. It has the values after
/// the last complete iteration when the call ends, also where J throws. Apart from J, nothing allocates after the first evaluation.
///
/// ValueError for options and hyperparameters out of their range, and where J or its gradient is not finite at the first theta; later a J
/// that is not finite only makes steps shorter.
template <detail::EigenDense Theta, class F>
FunctionMinimum minimize_function(Theta&& theta, const F& J, const LBFGS& rule = {}, const MinimizeFunctionOptions& options = {}) {
  using Scalar = typename std::remove_cvref_t<Theta>::Scalar;
  constexpr bool is_objective = std::is_invocable_r_v<double, const F&, ConstVectorView<Scalar>, VectorView<Scalar>>;
  static_assert(is_objective,
                "chainrule: minimize_function takes a function J(theta, gradient) of two vectors of theta's scalar type, which "
                "writes dJ/dtheta to `gradient` and returns J");
  static_assert(bool(std::remove_cvref_t<Theta>::IsVectorAtCompileTime), "chainrule: minimize_function takes theta as one vector");
  MatrixView<Scalar> parameters = detail::mutable_view<Scalar>(theta);
  detail::check_tolerances("minimize_function", options);
  VectorView<Scalar> result(parameters.data(), parameters.size());
  detail::FunctionObjective<Scalar, F> objective(J, parameters.size());
  auto minimizer = rule.make_minimizer(objective);
  Vector<Scalar> complete = result;  // theta after the last complete iteration
  const detail::ScopeExit put_back([&] { result = complete; });
  minimizer.start(complete);
  if (!minimizer.is_finite())
    detail::raise<ValueError>("minimize_function: J or its gradient is not finite at the first theta, where J is ", minimizer.loss,
                              " and the norm of the gradient ", minimizer.gradient_norm, "; begin at another theta");
  Index iterations = 0;
  detail::ReasonToStop reason = detail::reason_to_stop(minimizer, options, iterations);
  while (reason.sentence.empty() && iterations < options.iterations) {
    if (!minimizer.iterate()) {
      reason = {detail::no_lower_loss, false};
      break;
    }
    complete = minimizer.theta();
    ++iterations;
    reason = detail::reason_to_stop(minimizer, options, iterations);
    if (options.after_iteration &&
        !options.after_iteration(iterations, static_cast<double>(minimizer.loss), static_cast<double>(minimizer.gradient_norm)))
      reason = {"after_iteration returned false", false};
  }
  if (reason.sentence.empty()) reason.sentence = detail::text_of("all ", options.iterations, " iterations were made");
  return {static_cast<double>(minimizer.loss),
          static_cast<double>(minimizer.gradient_norm),
          iterations,
          minimizer.evaluations,
          reason.converged,
          reason.sentence};
}

}  // namespace chainrule
