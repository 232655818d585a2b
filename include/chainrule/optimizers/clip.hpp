#pragma once
// Gradient clipping, called between backward and step, so that one outlier cannot move theta far away.

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/kernels/map.hpp>
#include <chainrule/optimizers/detail/flat_vector.hpp>
#include <cmath>
#include <limits>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {
namespace detail {

/// Returns the Euclidean norm |v|, without overflow or underflow of squares. Infinite or NaN if a number in v is.
template <class Scalar>
[[gnu::noinline]] Accumulator<Scalar> norm(Index size, const Scalar* v) {
  using A = Accumulator<Scalar>;
  const A squares = flat_sum(size, v, [](const auto& x) CHAINRULE_FORMULA { return x * x; });
  constexpr A smallest = (std::numeric_limits<A>::min)() / std::numeric_limits<A>::epsilon();
  if (is_nan(squares) || (squares >= smallest && squares <= (std::numeric_limits<A>::max)())) return std::sqrt(squares);
  // Reached by float, whose squares are summed in double, only if v is all 0 or has an infinite number.
  A largest = 0;
  for (Index i = 0; i < size; ++i) largest = (std::max)(largest, std::abs(static_cast<A>(v[i])));
  if (largest == 0 || !is_finite(largest)) return largest;
  return largest * std::sqrt(flat_sum(size, v, [largest](const auto& x) CHAINRULE_FORMULA { return (x / largest) * (x / largest); }));
}

/// v <- v numerator/denominator, for a quotient of at most 1. The quotient may be too small for a Scalar, so it is multiplied in two
/// factors of about half its exponent, both at most 1.
template <class Scalar>
void scale(Index size, Accumulator<Scalar> numerator, Accumulator<Scalar> denominator, Scalar* v) {
  int up = 0, down = 0;
  auto quotient = std::frexp(numerator, &up) / std::frexp(denominator, &down);  // without its exponent, from 1/2 to 2
  if (quotient > 1) quotient /= 2, ++up;
  const auto first = static_cast<Scalar>(std::ldexp(quotient, (up - down) / 2));
  const auto second = static_cast<Scalar>(std::ldexp(Accumulator<Scalar>{1}, up - down - (up - down) / 2));
  kernels::update(
      size, [first, second](auto& x) CHAINRULE_FORMULA { x = x * first * second; }, v);
}

/// v <- v, limited to [-most, most].
template <class Scalar>
void limit_numbers(Index size, Scalar most, Scalar* v) {
  kernels::update(
      size, [most](auto& x) CHAINRULE_FORMULA { x = max(min(x, most), -most); }, v);
}

/// Throws ValueError where a limit of this size, above 0, would leave `size` numbers (their root mean square) below the smallest normal
/// number. There a Scalar has few digits or none, and some programs compute with 0 instead (-ffast-math).
template <class Scalar>
void check_limit_is_normal(const char* who, const char* what, double limit, double size) {
  const double smallest = static_cast<double>((std::numeric_limits<Scalar>::min)());
  if (is_zero(limit) || limit >= smallest * size) return;
  raise<ValueError>(who, ": ", what, " is ", limit, ", but ", scalar_name<Scalar>(),
                    " has no digits for numbers as small as the gradient's ", "would be; use 0, or at least ", smallest * size);
}

}  // namespace detail

/// Limits each number of the gradient to [-limit, limit], as PyTorch's clip_grad_value_ does; NaN stays NaN. `gradient` is an object from
/// net.make_gradients() or a vector that is contiguous in memory. Throws ValueError for a limit that is negative, not finite or, unless it
/// is 0, below the smallest normal number of the gradient's type (1.2e-38 for float); ShapeError for a vector that is not contiguous.
///
///     g_i <- max(-limit, min(limit, g_i))
template <class Gradient>
void clip_by_value(Gradient&& gradient, double limit) {
  using Scalar = detail::ScalarOf<Gradient>;
  detail::check_not_negative<Scalar>("clip_by_value", "limit", limit);
  detail::check_limit_is_normal<Scalar>("clip_by_value", "limit", limit, 1);
  VectorView<Scalar> g = detail::mutable_flat<Scalar>("clip_by_value", "the gradient", gradient);
  detail::limit_numbers(g.size(), static_cast<Scalar>(limit), g.data());
}

/// Scales the gradient, as one vector, to the norm max_norm if its norm is larger, and returns the norm it had before. The 1e-6 is that of
/// PyTorch's clip_grad_norm_. A gradient with NaN or infinity has no direction and is not changed; the returned norm is then NaN or
/// infinite. Arguments and errors are those of clip_by_value; the smallest max_norm above 0 for n numbers is sqrt(n) times as large.
///
///     g <- g min(1, max_norm / (|g| + 1e-6))
template <class Gradient>
auto clip_by_norm(Gradient&& gradient, double max_norm) {
  using Scalar = detail::ScalarOf<Gradient>;
  detail::check_not_negative<Scalar>("clip_by_norm", "max_norm", max_norm);
  VectorView<Scalar> g = detail::mutable_flat<Scalar>("clip_by_norm", "the gradient", gradient);
  detail::check_limit_is_normal<Scalar>("clip_by_norm", "max_norm", max_norm, std::sqrt(static_cast<double>(g.size())));
  const detail::Accumulator<Scalar> norm = detail::norm(g.size(), static_cast<const Scalar*>(g.data()));
  const auto most = static_cast<detail::Accumulator<Scalar>>(max_norm), divisor = norm + 1e-6;
  if (detail::is_finite(norm) && most < divisor) detail::scale(g.size(), most, divisor, g.data());
  return norm;
}

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
