#pragma once

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <chainrule/minimize/detail/line_search.hpp>
#include <chainrule/minimize/detail/minimizer_state.hpp>
#include <chainrule/optimizers/clip.hpp>
#include <string_view>
#include <tuple>

namespace chainrule {
namespace detail {

template <class Objective>
class LbfgsMinimizer;

}  // namespace detail

/// Limited-memory BFGS (Liu and Nocedal 1989; Nocedal and Wright 2006, algorithms 7.4 and 7.5), for `minimize`. It estimates the curvature
/// of J from the last `history` steps s and changes of the gradient y, so a smooth J of all samples needs far fewer evaluations than by
/// gradient descent:
///
///     d = -H dJ/dtheta,   H from gamma I with gamma = s.y/y.y by the last pairs (s, y), the oldest first
///     theta <- theta + step d,   step by a line search for the strong Wolfe conditions (algorithms 3.5 and 3.6)
///
/// The first step of the line search is 1, and min(1, 1/|dJ/dtheta|) where there are no pairs yet. A pair whose s.y is not above rounding
/// errors is left out. Where a line search finds no lower J, the pairs are dropped, and it is repeated along the gradient.
/// Memory: 2 history + 5 vectors of theta's size.
struct LBFGS {
  static constexpr std::string_view name = "LBFGS";  ///< the name in descriptions, files and messages

  Index history = 10;                  ///< number of pairs (s, y) that are kept, at least 1
  double c1 = 1e-4;                    ///< the step must lower J by at least c1 times what the slope promises; above 0 and below c2
  double c2 = 0.9;                     ///< the slope at the end of the step is at most c2 times that at its beginning; below 1
  Index line_search_evaluations = 25;  ///< most evaluations of J in one line search; then its lowest step is taken

  /// The hyperparameters by name; a checkpoint compares them.
  auto hyperparameters() const {
    return std::tuple{Hyperparameter{"history", static_cast<double>(history)}, Hyperparameter{"c1", c1}, Hyperparameter{"c2", c2},
                      Hyperparameter{"line_search_evaluations", static_cast<double>(line_search_evaluations)}};
  }

  /// Allocates everything that the iterations on this objective need. Called by minimize, which then calls start and iterate. ValueError
  /// for hyperparameters out of their range, ShapeError where memory cannot hold the history.
  template <class Objective>
  detail::LbfgsMinimizer<Objective> make_minimizer(Objective& J) const {
    if (history < 1) detail::raise<ValueError>("LBFGS: history must be at least 1, got ", history);
    if (line_search_evaluations < 1)
      detail::raise<ValueError>("LBFGS: line_search_evaluations must be at least 1, got ", line_search_evaluations);
    detail::check_positive(name, "c1", c1);
    detail::check_positive(name, "c2", c2);
    detail::check_fraction(name, "c2", c2);
    if (c1 >= c2) detail::raise<ValueError>("LBFGS: c1 must be below c2, but c1 is ", c1, " and c2 is ", c2);
    return {*this, J};
  }
};

namespace detail {

/// The iterations of LBFGS on an objective: theta, its gradient, the pairs and the direction.
template <class Objective>
class LbfgsMinimizer : public MinimizerState<typename Objective::ScalarType> {
  using Scalar = typename Objective::ScalarType;
  using Number = Accumulator<Scalar>;
  using Base = MinimizerState<Scalar>;
  using Base::gradient_;
  using Base::theta_;

 public:
  static constexpr std::string_view name = LBFGS::name;

  LbfgsMinimizer(const LBFGS& rule, Objective& J)
      : Base(J.size()), J_{J}, search_(rule.c1, rule.c2, rule.line_search_evaluations), history_{rule.history} {
    allocate_or_refuse("LBFGS: its vectors", J.size(), extent_product(2, history_), [&] {
      steps_.setZero(J.size(), history_);
      changes_.setZero(J.size(), history_);
      rho_.setZero(history_);
      alpha_.setZero(history_);
    });
    for (Vector<Scalar>* v : {&direction_, &theta_before_, &gradient_before_}) v->setZero(J.size());
  }

  /// Evaluates J and its gradient at theta, where the iterations begin.
  template <class Theta>
  void start(const Theta& theta) {
    theta_ = theta;
    evaluate();
    this->begin();
    pairs_ = 0;
  }

  /// One iteration: a direction and a line search along it. Returns false, with theta as it was, where no lower J is found.
  bool iterate() {
    theta_before_ = theta_;
    gradient_before_ = gradient_;
    const Number J_before = this->loss;
    bool is_lower = pairs_ > 0 && search_along_direction(J_before);
    if (!is_lower) {
      pairs_ = 0;
      is_lower = search_along_direction(J_before);
    }
    if (!is_lower) {
      theta_ = theta_before_;
      gradient_ = gradient_before_;
      this->loss = J_before;
      return false;
    }
    this->end_iteration(J_before);
    remember_pair();
    return true;
  }

  template <class Archive>
  void archive(Archive& a) {
    Base::archive(a);
    a(pairs_, newest_, view_of(steps_), view_of(changes_), view_of(rho_));
    a.expect(pairs_ >= 0 && pairs_ <= history_ && newest_ >= 0 && newest_ < history_, "found ", pairs_, " pairs of LBFGS, the newest at ",
             newest_);
  }

 private:
  template <class M>
  static auto view_of(M& m) {
    return matrix_view(m.data(), m.rows(), m.cols());
  }

  void evaluate() {
    this->loss = J_(theta_, gradient_);
    ++this->evaluations;
  }

  // The line search from theta_before; false where it finds no lower J.
  bool search_along_direction(Number J_before) {
    set_direction();
    const Index size = theta_.size();
    const Number slope = dot(size, gradient_before_.data(), direction_.data());
    if (!is_finite(slope) || slope >= 0) return false;
    const Number norm = this->gradient_norm;
    const Number first = pairs_ > 0 || norm <= 1 ? Number{1} : 1 / norm;
    const auto evaluate_step = [&](Number length) {
      theta_ = theta_before_;
      kernels::add_multiple(size, static_cast<Scalar>(length), std::as_const(direction_).data(), theta_.data());
      evaluate();
      return Trial<Number>{length, this->loss, dot(size, gradient_.data(), direction_.data())};
    };
    const auto [end, trial] = search_.search(J_before, slope, first, evaluate_step);
    this->step = trial.step;
    return end != WolfeSearch<Number>::End::none;
  }

  // The two loops of algorithm 7.4:  d = -H g
  void set_direction() {
    const Index size = theta_.size();
    direction_ = -gradient_before_;
    if (pairs_ == 0) return;
    for (Index age = 0; age < pairs_; ++age) {
      const Index k = place(age);
      alpha_[k] = rounded(rho_[k] * dot(size, steps_.col(k).data(), direction_.data()));
      add_multiple(-alpha_[k], changes_.col(k).data());
    }
    const Scalar* const y = changes_.col(newest_).data();
    direction_ *= static_cast<Scalar>(1 / rounded(rho_[newest_] * dot(size, y, y)));
    for (Index age = pairs_ - 1; age >= 0; --age) {
      const Index k = place(age);
      const Number beta = rounded(rho_[k] * dot(size, changes_.col(k).data(), direction_.data()));
      add_multiple(alpha_[k] - beta, steps_.col(k).data());
    }
  }
  void add_multiple(Number factor, const Scalar* x) {
    kernels::add_multiple(theta_.size(), static_cast<Scalar>(factor), x, direction_.data());
  }
  // The place of a pair in the memory by its age: 0 is the newest.
  Index place(Index age) const { return (newest_ - age + history_) % history_; }

  // Keeps s = theta - theta_before and y = the change of the gradient. Without s.y > 0, H would not be positive definite.
  void remember_pair() {
    const Index size = theta_.size();
    theta_before_ = theta_ - theta_before_;
    gradient_before_ = gradient_ - gradient_before_;
    const Number s_y = dot(size, theta_before_.data(), gradient_before_.data());
    const Number lengths = rounded(norm(size, theta_before_.data()) * norm(size, gradient_before_.data()));
    if (!is_finite(s_y) || !(s_y > rounded(static_cast<Number>(std::numeric_limits<Scalar>::epsilon()) * lengths))) return;
    newest_ = (newest_ + 1) % history_;
    pairs_ = (std::min)(pairs_ + 1, history_);
    steps_.col(newest_) = theta_before_;
    changes_.col(newest_) = gradient_before_;
    rho_[newest_] = 1 / s_y;
  }

  Objective& J_;
  WolfeSearch<Number> search_;
  Index history_;
  Index pairs_ = 0;
  Index newest_ = 0;
  Matrix<Scalar> steps_, changes_;  // s and y, a column for each pair
  Vector<Number> rho_, alpha_;      // rho = 1/(s.y) of each pair
  Vector<Scalar> direction_, theta_before_, gradient_before_;
};

}  // namespace detail
}  // namespace chainrule
