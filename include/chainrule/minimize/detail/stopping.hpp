#pragma once
// When a minimization ends, and how its result is told, for networks on data and for functions of the user's alike.

#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <cmath>
#include <string>

namespace chainrule::detail {

/// Throws ValueError for iterations, evaluations or tolerances out of their range.
template <class Options>
void check_tolerances(const char* who, const Options& options) {
  if (options.iterations < 1) raise<ValueError>(who, ": iterations must be at least 1, got ", options.iterations);
  if (options.evaluations < 0) raise<ValueError>(who, ": evaluations must be at least 0, got ", options.evaluations);
  check_not_negative(who, "gradient_tolerance", options.gradient_tolerance);
  check_not_negative(who, "loss_tolerance", options.loss_tolerance);
}

/// Why a minimization stops; an empty sentence where it goes on.
struct ReasonToStop {
  std::string sentence;
  bool converged = false;  ///< whether a tolerance was reached
};

inline constexpr const char* no_lower_loss = "no lower J was found along the gradient: J is as low as rounding errors let one see";

/// The reason to stop after so many iterations, by the tolerances and the limit of evaluations.
template <class Minimizer, class Options>
ReasonToStop reason_to_stop(const Minimizer& minimizer, const Options& options, Index iterations) {
  const double J = static_cast<double>(minimizer.loss), before = static_cast<double>(minimizer.loss_before);
  if (static_cast<double>(minimizer.gradient_norm) <= options.gradient_tolerance)
    return {text_of("the gradient's norm is at most gradient_tolerance, ", options.gradient_tolerance), true};
  if (iterations > 0 && before - J <= options.loss_tolerance * std::abs(J))
    return {text_of("an iteration lowered J by at most a share of loss_tolerance, ", options.loss_tolerance), true};
  if (options.evaluations > 0 && minimizer.evaluations >= options.evaluations)
    return {text_of("J was evaluated ", minimizer.evaluations, " times, and ", options.evaluations, " are allowed"), false};
  return {};
}

/// One line about the result.
inline std::string description_of_minimum(double loss, double gradient_norm, Index iterations, Index evaluations,
                                          const std::string& stopped_because) {
  return text_of("J = ", printed(loss, 6, 'g'), ", |dJ/dtheta| = ", printed(gradient_norm, 3, 'g'), " after ", iterations,
                 " iterations and ", evaluations, " evaluations; ", stopped_because);
}

}  // namespace chainrule::detail
