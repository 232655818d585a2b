#pragma once
// Penalties on large weights: terms of J, so that their gradient goes through the optimizer like the rest of dJ/dtheta. (Weight decay
// of AdamW and Lion does not; that of the other rules is L2 under another name.)

#include <chainrule/core/optimizer_state.hpp>
#include <chainrule/optimizers/detail/flat_vector.hpp>
#include <chainrule/optimizers/detail/hyperparameter_checks.hpp>
#include <span>

namespace chainrule {
namespace detail {

[[gnu::noinline]] inline void check_segments(std::string_view who, std::span<const Segment> segments, Index size) {
  for (const Segment& s : segments)
    if (s.begin < 0 || s.end < s.begin || s.end > size)
      raise<ShapeError>(who, ": a segment is [", s.begin, ", ", s.end, "), but theta has ", size,
                        " parameters; segments_of(net) makes segments that fit");
}

/// The sum of f(w) over all w that decay.
template <class Scalar, class Theta, class F>
Accumulator<Scalar> penalty_sum(std::string_view who, const Theta& theta, std::span<const Segment> segments, const F& f) {
  const ConstVectorView<Scalar> w = const_flat<Scalar>(who, "theta", theta);
  check_segments(who, segments, w.size());
  Accumulator<Scalar> sum = 0;
  for (const Segment& s : segments)
    if (s.decays) sum += flat_sum(s.end - s.begin, w.data() + s.begin, f);
  return sum;
}

/// update(dJ/dw, w), chunk by chunk, for all w that decay.
template <class Scalar, class Theta, class Gradient, class Update>
void add_penalty_gradient(std::string_view who, const Theta& theta, Gradient& gradient, std::span<const Segment> segments,
                          const Update& update) {
  const ConstVectorView<Scalar> w = const_flat<Scalar>(who, "theta", theta);
  VectorView<Scalar> g = mutable_flat<Scalar>(who, "the gradient", gradient);
  check_same_size(who, w.size(), g.size());
  check_segments(who, segments, w.size());
  for (const Segment& s : segments)
    if (s.decays) update_chunks(s.end - s.begin, update, g.data() + s.begin, w.data() + s.begin);
}

}  // namespace detail

/// J + strength sum |w| over the weights w (Tibshirani 1996, the lasso): many of them become 0. Throws ValueError for a strength
/// that is negative or not finite, ShapeError for sizes that do not fit.
struct L1 {
  static constexpr std::string_view name = "L1";  ///< the name in descriptions, files and messages
  double strength = 1e-4;                         ///< at least 0

  /// What it adds to J. theta: `net.parameters()` or any vector in one piece; segments: `segments_of(net)`, or those of an
  /// OptimizerState: all that decays counts.
  template <class Theta>
  auto value(const Theta& theta, std::span<const Segment> segments) const {
    using Scalar = detail::ScalarOf<const Theta>;
    using Sum = detail::ChunkSum<Scalar>;
    detail::check_not_negative<Scalar>(name, "strength", strength);
    return static_cast<Scalar>(strength * detail::penalty_sum<Scalar>(name, theta, segments, [](const Sum& w) -> Sum { return w.abs(); }));
  }

  ///     dJ/dw <- dJ/dw + strength sign(w)
  /// What it adds to dJ/dtheta. gradient: what `net.make_gradients()` made and backward filled, or a vector in one piece.
  template <class Theta, class Gradient>
  void add_gradient(const Theta& theta, Gradient&& gradient, std::span<const Segment> segments) const {
    using Scalar = detail::ScalarOf<const Theta>;
    detail::check_not_negative<Scalar>(name, "strength", strength);
    detail::add_penalty_gradient<Scalar>(
        name, theta, gradient, segments,
        [s = static_cast<Scalar>(strength)](Chunk<Scalar>& g, const Chunk<Scalar>& w) { g += s * detail::sign<Scalar>(w); });
  }
};

/// J + strength/2 sum w^2 over the weights w (ridge, Tikhonov): all of them become smaller. Arguments and errors as in L1.
struct L2 {
  static constexpr std::string_view name = "L2";  ///< the name in descriptions, files and messages
  double strength = 1e-4;                         ///< at least 0

  /// What it adds to J.
  template <class Theta>
  auto value(const Theta& theta, std::span<const Segment> segments) const {
    using Scalar = detail::ScalarOf<const Theta>;
    using Sum = detail::ChunkSum<Scalar>;
    detail::check_not_negative<Scalar>(name, "strength", strength);
    return static_cast<Scalar>(strength / 2 *
                               detail::penalty_sum<Scalar>(name, theta, segments, [](const Sum& w) -> Sum { return w * w; }));
  }

  ///     dJ/dw <- dJ/dw + strength w
  /// What it adds to dJ/dtheta.
  template <class Theta, class Gradient>
  void add_gradient(const Theta& theta, Gradient&& gradient, std::span<const Segment> segments) const {
    using Scalar = detail::ScalarOf<const Theta>;
    detail::check_not_negative<Scalar>(name, "strength", strength);
    detail::add_penalty_gradient<Scalar>(name, theta, gradient, segments,
                                         [s = static_cast<Scalar>(strength)](Chunk<Scalar>& g, const Chunk<Scalar>& w) { g += s * w; });
  }
};

}  // namespace chainrule
