#pragma once

#include <algorithm>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/core/types.hpp>
#include <cmath>

namespace chainrule::detail {

/// A step along a direction: phi(step) = J(theta + step d) and phi'(step) = dJ/dtheta . d.
template <class Number>
struct Trial {
  Number step;
  Number value;
  Number slope;
  bool is_finite() const { return detail::is_finite(value) && detail::is_finite(slope); }
};

/// The minimizer of the cubic polynomial with the values and slopes of two trials (Nocedal and Wright 2006, equation 3.59); NaN where it
/// has none. Each product is rounded, so that the bits do not depend on the compiler's flags.
///
///     d1 = phi'(a) + phi'(b) - 3 (phi(a) - phi(b))/(a - b),   d2 = sign(b - a) sqrt(d1^2 - phi'(a) phi'(b))
///     step = b - (b - a) (phi'(b) + d2 - d1)/(phi'(b) - phi'(a) + 2 d2)
template <class Number>
Number cubic_minimizer(const Trial<Number>& a, const Trial<Number>& b) {
  const Number width = b.step - a.step;
  const Number d1 = a.slope + b.slope - rounded(3 * ((b.value - a.value) / width));
  const Number d2 = std::copysign(std::sqrt(rounded(d1 * d1) - rounded(a.slope * b.slope)), width);
  return b.step - rounded(width * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)));
}

/// Line search for the strong Wolfe conditions
///
///     phi(step) <= phi(0) + c1 step phi'(0)      and      |phi'(step)| <= c2 |phi'(0)|
///
/// by bracketing and zooming in, with cubic interpolation (Nocedal and Wright 2006, algorithms 3.5 and 3.6). A trial that is not finite
/// counts as a step that is too long. The last trial that `evaluate` was called with is the result.
template <class Number>
class WolfeSearch {
 public:
  WolfeSearch(double c1, double c2, Index max_evaluations)
      : c1_{static_cast<Number>(c1)}, c2_{static_cast<Number>(c2)}, max_evaluations_{max_evaluations} {}

  /// How the search ended: at a step with both conditions; at the lowest step it had found when it ended, which satisfies the first one
  /// alone; or at none.
  enum class End { wolfe, decrease, none };
  struct Result {
    End end;
    Trial<Number> trial;
  };

  /// Searches from phi(0) = value and phi'(0) = slope < 0, with `first` as the first step. `evaluate(step)` returns the Trial at a step.
  template <class Evaluate>
  Result search(Number value, Number slope, Number first, const Evaluate& evaluate) {
    start_ = {0, value, slope};
    lowest_ = start_;
    left_ = max_evaluations_;
    Trial<Number> before = start_, now = start_;
    for (Number step = first; left_ > 0;) {
      before = now;
      now = measure(step, evaluate);
      if (!now.is_finite() || !decreases(now) || (before.step > 0 && now.value >= before.value)) return zoom(before, now, evaluate);
      if (is_flat(now)) return {End::wolfe, now};
      if (now.slope >= 0) return zoom(now, before, evaluate);
      // downhill still: a longer step, at most ten times as long
      const Number wanted = cubic_minimizer(before, now), shortest = now.step + (now.step - before.step) / 64, longest = 10 * now.step;
      step = detail::is_finite(wanted) ? std::clamp(wanted, shortest, longest) : longest;
    }
    return at_lowest(evaluate);
  }

 private:
  // Whether the first condition holds: phi decreases enough.
  bool decreases(const Trial<Number>& t) const { return t.value <= start_.value + rounded(rounded(c1_ * t.step) * start_.slope); }
  // Whether the second condition holds: phi is flat enough.
  bool is_flat(const Trial<Number>& t) const { return std::abs(t.slope) <= rounded(-c2_ * start_.slope); }

  template <class Evaluate>
  Trial<Number> measure(Number step, const Evaluate& evaluate) {
    --left_;
    const Trial<Number> t = evaluate(step);
    if (t.is_finite() && t.value < lowest_.value && decreases(t)) lowest_ = t;
    last_ = t.step;
    return t;
  }

  // `low` has the lowest value of all that satisfy the first condition, and a minimum lies between it and `high`, towards which low's slope
  // points down.
  template <class Evaluate>
  Result zoom(Trial<Number> low, Trial<Number> high, const Evaluate& evaluate) {
    Number width_before = 2 * std::abs(high.step - low.step);
    while (left_ > 0) {
      const Number width = high.step - low.step, middle = low.step + width / 2;
      if (middle == low.step || middle == high.step) break;
      // A minimizer close to an end of the interval would hardly shorten it, nor may the interval shrink slowly.
      Number step = middle;
      if (high.is_finite() && 3 * std::abs(width) <= 2 * width_before) {
        const Number wanted = cubic_minimizer(low, high), share = (wanted - low.step) / width;
        if (detail::is_finite(share) && share >= 0 && share <= 1)
          step = low.step + rounded(width * std::clamp(share, Number(0.05), Number(0.95)));
      }
      width_before = std::abs(width);
      const Trial<Number> now = measure(step, evaluate);
      if (!now.is_finite() || !decreases(now) || now.value >= low.value) {
        high = now;
      } else {
        if (is_flat(now)) return {End::wolfe, now};
        if ((now.slope >= 0) == (width >= 0)) high = low;
        low = now;
      }
    }
    return at_lowest(evaluate);
  }

  template <class Evaluate>
  Result at_lowest(const Evaluate& evaluate) {
    if (lowest_.step == 0) return {End::none, start_};
    return {End::decrease, last_ == lowest_.step ? lowest_ : evaluate(lowest_.step)};
  }

  Number c1_, c2_;
  Index max_evaluations_;
  Trial<Number> start_{}, lowest_{};
  Number last_ = 0;
  Index left_ = 0;
};

}  // namespace chainrule::detail
