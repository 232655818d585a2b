#pragma once

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/kernels/sum_order.hpp>
#include <chainrule/minimize/detail/normal_equations.hpp>
#include <chainrule/minimize/detail/residual_rows.hpp>
#include <chainrule/minimize/objective.hpp>
#include <string_view>
#include <tuple>

namespace chainrule {
namespace detail {

template <class Objective>
class LevenbergMarquardtMinimizer;

}  // namespace detail

/// The method of Levenberg and Marquardt for least squares, for `minimize` with SquaredError or MeanSquaredError, or another loss with a
/// function `residuals` (core/concepts.hpp). With the residuals r of all samples and J_r = dr/dtheta, it solves
///
///     (J_r^T J_r + mu I) h = -J_r^T r,   theta <- theta + h where that lowers J
///
/// and adapts mu by the gain, the decrease of J divided by the decrease that the linear model promises (Nielsen 1999; Madsen, Nielsen and
/// Tingleff 2004, algorithm 3.16):
///
///     mu <- damping max(diagonal of J_r^T J_r), nu <- 2 before the first step
///     mu <- mu max(1/3, 1 - (2 gain - 1)^3), nu <- 2 after a step that lowers J;   mu <- mu nu, nu <- 2 nu after another one
///
/// Levenberg's I instead of Marquardt's diagonal of J_r^T J_r, because that is almost 0 for the weights of a saturated unit, which would
/// run away.
///
/// For small networks: memory is two matrices of parameters x parameters, and an iteration takes about parameters^2 (samples outputs +
/// parameters/3)/2 multiplications. J_r^T J_r is added up and factorized in double, also for a network of floats. One iteration is one step
/// that lowers J, however many values of mu it tries; `learning_rate` of the Run is |h|.
///
/// dr/dtheta comes from net.parameter_jacobian, for which a layer of your own needs its members vjp and sample_gradients
/// (core/concepts.hpp).
struct LevenbergMarquardt {
  static constexpr std::string_view name = "LevenbergMarquardt";  ///< the name in descriptions, files and messages

  double damping = 1e-3;        ///< mu of the first step, as a share of the largest number on the diagonal of J_r^T J_r; above 0
  Index max_parameters = 2000;  ///< a network with more parameters is refused: 2,000 take 64 MB, and ten times as many take 6.4 GB

  /// The hyperparameters by name; a checkpoint compares them.
  auto hyperparameters() const { return std::tuple{Hyperparameter{"damping", damping}}; }

  /// Allocates everything that the iterations on this objective need. Called by minimize, which then calls start and iterate. ValueError
  /// for a damping that is not above 0, for a network with too many parameters, and for an AnyLoss that is no sum of squares.
  template <class Objective>
  detail::LevenbergMarquardtMinimizer<Objective> make_minimizer(Objective& J) const {
    detail::check_positive(name, "damping", damping);
    if (J.size() > max_parameters)
      detail::raise<ValueError>("LevenbergMarquardt: the network has ", J.size(), " parameters, and max_parameters is ", max_parameters,
                                ": it would need two matrices of ", J.size(), " x ", J.size(), " numbers, together ",
                                detail::printed(16e-6 * static_cast<double>(J.size()) * static_cast<double>(J.size()), 3, 'g'),
                                " MB; take LBFGS, or raise max_parameters");
    return {*this, J};
  }
};

namespace detail {

/// The iterations of LevenbergMarquardt on an objective.
template <class Objective>
class LevenbergMarquardtMinimizer : public MinimizerState<typename Objective::ScalarType> {
  using Scalar = typename Objective::ScalarType;
  using Number = Accumulator<Scalar>;
  using Base = MinimizerState<Scalar>;
  using Base::gradient_;
  using Base::theta_;
  using Passes = std::remove_reference_t<decltype(ObjectiveAccess::passes(std::declval<Objective&>()))>;

 public:
  static constexpr std::string_view name = LevenbergMarquardt::name;

  LevenbergMarquardtMinimizer(const LevenbergMarquardt& rule, Objective& J)
      : Base(J.size()),
        J_{J},
        rows_(name.data(), ObjectiveAccess::passes(J), kernels::max_chain),
        equations_(J.size()),
        damping_{static_cast<Number>(rule.damping)},
        theta_before_(Vector<Scalar>::Zero(J.size())),
        h_(Vector<Number>::Zero(J.size())) {
    const Index outputs = ObjectiveAccess::passes(J).net().outputs(), residuals = outputs * rows_.samples_at_once();
    values_.setZero(residuals);
    jacobian_.setZero(J.size(), residuals);
    if constexpr (!std::is_same_v<Scalar, Number>) {
      values_in_double_.setZero(residuals);
      jacobian_in_double_.setZero(J.size(), (std::min)(residuals, kernels::max_chain));
    }
  }

  /// Evaluates J and its gradient at theta, where the iterations begin.
  template <class Theta>
  void start(const Theta& theta) {
    theta_ = theta;
    this->loss = J_(theta_);
    ++this->evaluations;
    linearize();
    mu_ = rounded(damping_ * equations_.largest_diagonal());
    this->begin();
  }

  /// One iteration: steps with growing mu, until one lowers J. Returns false, with theta as it was, where none does.
  bool iterate() {
    if (!is_linearized_) linearize();
    theta_before_ = theta_;
    const Number J_before = this->loss, mu_before = mu_, nu_before = nu_;
    const Number largest = equations_.largest_diagonal();
    mu_ = (std::max)({mu_, rounded(min_share * largest), (std::numeric_limits<Number>::min)()});
    while (mu_ <= max_share * largest) {
      if (equations_.solve(mu_, h_) && step_lowers(J_before)) {
        linearize();
        if (kernels::all_finite(theta_.size(), std::as_const(gradient_).data())) {
          this->end_iteration(J_before);
          return true;
        }
        theta_ = theta_before_;
        linearize();
      }
      mu_ *= nu_;
      nu_ *= 2;
    }
    theta_ = theta_before_;
    this->loss = J_before;
    mu_ = mu_before;
    nu_ = nu_before;
    return false;
  }

  template <class Archive>
  void archive(Archive& a) {
    Base::archive(a);
    a(mu_, nu_);
    a.expect(detail::is_finite(mu_) && mu_ >= 0 && detail::is_finite(nu_) && nu_ > 0, "found an impossible mu of ", mu_, " or nu of ", nu_);
    if (a.reads()) is_linearized_ = false;
  }

 private:
  // Limits of mu as shares of the largest number on the diagonal: less is lost in rounding errors, and with more, steps are too short.
  static constexpr Number min_share = Number(1e-16), max_share = Number(1e16);

  // Whether theta_before + h has a lower J; adapts mu then.
  bool step_lowers(Number J_before) {
    const Index size = theta_.size();
    // The linear model promises 1/2 h . (mu h - J_r^T r).
    const Number h_h = dot(size, std::as_const(h_).data(), std::as_const(h_).data());
    const Number promised = (rounded(mu_ * h_h) - dot(size, std::as_const(h_).data(), equations_.gradient().data())) / 2;
    theta_ = theta_before_ + h_.template cast<Scalar>();
    const Number J = J_(theta_);
    ++this->evaluations;
    if (!detail::is_finite(J) || !(promised > 0) || !(J < J_before)) return false;
    this->loss = J;
    this->step = std::sqrt(h_h);
    const Number off = rounded(2 * ((J_before - J) / promised)) - 1;
    mu_ *= (std::max)(Number(1) / 3, 1 - rounded(rounded(off * off) * off));
    nu_ = 2;
    return true;
  }

  // The normal equations and the gradient of J at theta, which the objective has been called with.
  void linearize() {
    auto& passes = ObjectiveAccess::passes(J_);
    passes.set_parameters({theta_.data(), theta_.size()});
    ++this->evaluations;
    equations_.set_zero();
    const Index outputs = passes.net().outputs();
    for (Index first = 0; first < passes.samples(); first += rows_.samples_at_once()) {
      const auto some = rows_.samples(first);
      const Index residuals = outputs * some.count;
      const MatrixView<Scalar> jacobian = matrix_view(jacobian_.data(), jacobian_.rows(), residuals);
      rows_.compute(some, values_.data(), jacobian);
      for (Index k = 0; k < residuals; k += kernels::max_chain) add_residuals(k, (std::min)(kernels::max_chain, residuals - k));
    }
    ObjectiveAccess::for_each_penalized(
        J_, [&](Index i, double l2) { equations_.add_penalty(i, static_cast<Number>(l2), static_cast<Number>(theta_[i])); });
    gradient_ = equations_.gradient().template cast<Scalar>();
    is_linearized_ = true;
  }

  void add_residuals(Index first, Index count) {
    if constexpr (std::is_same_v<Scalar, Number>) {
      equations_.add(matrix_view(std::as_const(jacobian_).col(first).data(), jacobian_.rows(), count), values_.data() + first);
    } else {
      jacobian_in_double_.leftCols(count) = jacobian_.middleCols(first, count).template cast<Number>();
      values_in_double_.head(count) = values_.segment(first, count).template cast<Number>();
      equations_.add(matrix_view(std::as_const(jacobian_in_double_).data(), jacobian_.rows(), count), values_in_double_.data());
    }
  }

  Objective& J_;
  ResidualRows<Passes> rows_;
  NormalEquations<Number> equations_;
  Number damping_;
  Number mu_ = 0;
  Number nu_ = 2;
  bool is_linearized_ = false;  // whether the equations are those at theta
  Vector<Scalar> theta_before_;
  Vector<Number> h_;
  Vector<Scalar> values_;            // residuals of some samples
  Matrix<Scalar> jacobian_;          // gradients of these residuals, as columns
  Vector<Number> values_in_double_;  // these residuals where Scalar is not Number
  Matrix<Number> jacobian_in_double_;
};

}  // namespace detail
}  // namespace chainrule
