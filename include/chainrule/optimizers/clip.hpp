#pragma once
// Gradient clipping, between backward and step: one sample that is far off shall not throw theta away.

#include <chainrule/optimizers/detail/flat_vector.hpp>
#include <chainrule/optimizers/detail/hyperparameter_checks.hpp>
#include <cmath>

namespace chainrule {
namespace detail {

/// |v|, with squares that can neither overflow nor vanish. Infinite or NaN where a number in v is.
template <class Scalar>
[[gnu::noinline]] Accumulator<Scalar> norm(Index size, const Scalar* v) {
  using A = Accumulator<Scalar>;
  using Sum = ChunkSum<Scalar>;
  const A squares = flat_sum(size, v, [](const Sum& x) -> Sum { return x * x; });
  constexpr A smallest = std::numeric_limits<A>::min() / std::numeric_limits<A>::epsilon();
  if (std::isnan(squares) || (squares >= smallest && squares <= std::numeric_limits<A>::max())) return std::sqrt(squares);
  A largest = 0;  // not for float, whose squares are doubles, unless all of v is 0 or a number is infinite
  for (Index i = 0; i < size; ++i) largest = std::max(largest, std::abs(static_cast<A>(v[i])));
  if (largest == 0 || std::isinf(largest)) return largest;
  return largest * std::sqrt(flat_sum(size, v, [largest](const Sum& x) -> Sum { return (x / largest).square(); }));
}

template <class Scalar>
[[gnu::noinline]] void scale(Index size, Accumulator<Scalar> factor, Scalar* v) {
  // in the accumulator, because the factor may be too small for a float
  const auto multiply = [factor](Chunk<Scalar>& x) { x = (x.template cast<Accumulator<Scalar>>() * factor).template cast<Scalar>(); };
  update_chunks(size, multiply, v);
}

template <class Scalar>
[[gnu::noinline]] void clamp(Index size, Scalar limit, Scalar* v) {
  const auto clamp_chunk = [limit](Chunk<Scalar>& x) {
    for (Index i = 0; i < x.size(); ++i) x[i] = x[i] > limit ? limit : x[i] < -limit ? -limit : x[i];
  };
  update_chunks(size, clamp_chunk, v);
}

}  // namespace detail

// g_i <- max(-limit, min(limit, g_i))
/// Every number of the gradient within [-limit, limit], as PyTorch's clip_grad_value_; NaN stays NaN. gradient: what
/// `net.make_gradients()` made, or a vector in one piece. Throws ValueError for a limit that is negative or not finite.
template <class Gradient>
void clip_by_value(Gradient&& gradient, double limit) {
  using Scalar = detail::ScalarOf<Gradient>;
  detail::check_not_negative<Scalar>("clip_by_value", "limit", limit);
  VectorView<Scalar> g = detail::mutable_flat<Scalar>("clip_by_value", "the gradient", gradient);
  detail::clamp(g.size(), static_cast<Scalar>(limit), g.data());
}

// g <- g min(1, max_norm / (|g| + 1e-6))
/// Shortens the gradient, all of it as one vector, to a length of max_norm where it is longer, and returns the length it had. The
/// 1e-6, which makes it a little shorter still, is PyTorch's clip_grad_norm_. A gradient with NaN or infinity in it has no
/// direction: it stays as it is, and the returned length tells. Arguments and errors as in clip_by_value.
template <class Gradient>
auto clip_by_norm(Gradient&& gradient, double max_norm) {
  using Scalar = detail::ScalarOf<Gradient>;
  detail::check_not_negative<double>("clip_by_norm", "max_norm", max_norm);
  VectorView<Scalar> g = detail::mutable_flat<Scalar>("clip_by_norm", "the gradient", gradient);
  const detail::Accumulator<Scalar> norm = detail::norm(g.size(), static_cast<const Scalar*>(g.data()));
  const detail::Accumulator<Scalar> factor = static_cast<detail::Accumulator<Scalar>>(max_norm) / (norm + 1e-6);
  if (std::isfinite(norm) && factor < 1) detail::scale(g.size(), factor, g.data());
  return norm;
}

}  // namespace chainrule
