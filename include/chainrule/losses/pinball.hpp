#pragma once

#include <chainrule/core/description.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/view.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/losses/mean_over_elements.hpp>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace chainrule {

/// The pinball loss, whose best prediction is the tau-quantile of y: the number below which y is with probability tau (Koenker and Bassett
/// 1978; scikit-learn's mean_pinball_loss with alpha = tau). An error counts tau if y is above the prediction, 1 - tau if it is below,
/// averaged over all elements. With tau = 1/2 it is half the MeanAbsoluteError, and predicts medians.
///
/// There is one tau for all outputs, or one for each output. y is outputs x batch, so a net that predicts several quantiles of one number
/// has that number in each row of y, as y.replicate(3, 1) makes it of one row:
/// @code{.cpp}
/// Network<float, Pinball, Dense<4, 8, ReLU>, Dense<8, 3>> quantiles{Seed{1}, Pinball{0.05, 0.5, 0.95}};
/// @endcode
/// Nothing orders the quantiles, so where data are few the prediction for 0.95 can be below that for 0.5.
///
/// The constructor throws ValueError for a tau that is not above 0 and below 1. check throws ShapeError for a number of taus that is
/// neither 1 nor that of the outputs, ValueError if y has NaN or infinity or a tau is 0 or 1 as a number of the network's scalar type.
class Pinball {
 public:
  static constexpr std::string_view name = "Pinball";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = false;       ///< takes the outputs as predictions, so the last layer may have any activation
  static constexpr Index min_outputs = 1;              ///< the smallest number of outputs that a network with this loss can have

  /// Takes tau = 1/2, the median, for all outputs.
  Pinball() : Pinball{0.5} {}
  /// Takes tau, for all outputs.
  explicit Pinball(double tau) : Pinball{std::vector<double>{tau}} {}
  /// Takes one tau for each output, such as {0.05, 0.5, 0.95}.
  Pinball(std::initializer_list<double> taus) : Pinball{std::vector<double>(taus)} {}
  /// Takes one tau for each output, or one for all, for a number of outputs known at run time.
  explicit Pinball(std::vector<double> taus) : taus_{std::move(taus)} {
    if (taus_.empty()) detail::raise<ValueError>("Pinball: there is no tau; give one for all outputs, or one for each");
    for (const double tau : taus_) detail::check_inner_fraction(name, "tau", tau);
  }
  /// Copies the taus, also from an object that is moved from, which stays whole.
  Pinball(const Pinball&) = default;
  /// Copies the taus, also from an object that is moved from, which stays whole.
  Pinball& operator=(const Pinball&) = default;

  std::span<const double> taus() const { return {taus_.data(), taus_.size()}; }  ///< one for all outputs, or one for each

  /// Describes each tau as a hyperparameter.
  Description describe() const {
    Description d;
    d.kind = name;
    for (const double tau : taus_) d.hyperparameters.push_back({"tau", tau});
    return d;
  }
  /// Makes a Pinball from its description. Throws ValueError for other hyperparameters, and what the constructor throws.
  static Pinball from_description(const Description& of) {
    std::vector<double> taus;
    for (const auto& [key, value] : of.hyperparameters) {
      if (key != "tau") detail::raise<ValueError>(of.kind, ": expected hyperparameters called tau, but found one called ", key);
      taus.push_back(value);
    }
    return Pinball{std::move(taus)};
  }

  /// Throws ShapeError for a number of taus that is neither 1 nor that of the outputs, ValueError if y has NaN or infinity.
  template <class Scalar>
  void check(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    for (const double tau : taus_) detail::check_inner_fraction<Scalar>(name, "tau", tau);
    if (taus_.size() > 1 && std::ssize(taus_) != y_hat.rows())
      detail::raise<ShapeError>("Pinball has ", taus_.size(), " taus, but the network has ", y_hat.rows(),
                                " outputs; give one tau for each output, or one for all");
    detail::check_finite("target", "y", y);
  }

  ///     J = 1/(outputs batch) sum of  tau e where e > 0,  (tau - 1) e elsewhere,  with e = y - y_hat and the tau of the output
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    using Sum = detail::Accumulator<Scalar>;
    return static_cast<Scalar>(detail::mean_of(static_cast<Sum>(y.size()), [&](Sum divisor) {
      detail::PairwiseSum<Sum> sum;
      for_each_tau<Scalar>([&](Scalar above, Scalar below, const auto& rows) {
        sum += detail::mean_of_matrices<Sum>(
            divisor,
            [above, below](auto prediction, auto target) CHAINRULE_FORMULA {
              const auto e = target - prediction;
              return select(e > 0, above * e, -below * e);
            },
            rows(y_hat), rows(y));
      });
      return sum.total();
    }));
  }

  ///     dJ/dy_hat = -tau where y > y_hat,  1 - tau where y < y_hat,  0 where both are equal,  each divided by outputs batch
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    const Scalar size = static_cast<Scalar>(y.size());
    for_each_tau<Scalar>([&](Scalar above, Scalar below, const auto& rows) {
      kernels::map_matrices(
          [above, below, size](auto prediction, auto target) CHAINRULE_FORMULA {
            const auto side = sign(prediction - target);
            return select(side > 0, below * side, above * side) / size;
          },
          rows(dJ), rows(y_hat), rows(y));
    });
  }

  /// Sets `out` to the derivative of the gradient, which is 0, also where y_hat = y.
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar>, ConstMatrixView<Scalar>, ConstMatrixView<Scalar>, MatrixView<Scalar> out) const {
    out.setZero();
  }

  /// Leaves the outputs as they are: they are the prediction.
  template <class Scalar>
  void link(MatrixView<Scalar>) const {}
  /// Leaves the tangent as it is: the link is the identity.
  template <class Scalar>
  void link_jvp(ConstMatrixView<Scalar>, MatrixView<Scalar>) const {}

  /// Does not compile for matrices that are not views; the message says what to write instead.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void link(detail::LossArgument z) const;

 private:
  // calls f(tau, 1 - tau, rows) for each tau; rows(m) are the rows of a matrix to which it belongs
  template <class Scalar, class F>
  void for_each_tau(const F& f) const {
    for (std::size_t i = 0; i < taus_.size(); ++i) {
      const auto rows = [&](auto m) { return taus_.size() == 1 ? m : detail::row_of(m, static_cast<Index>(i)); };
      f(static_cast<Scalar>(taus_[i]), static_cast<Scalar>(1 - taus_[i]), rows);
    }
  }

  std::vector<double> taus_;
};

}  // namespace chainrule
