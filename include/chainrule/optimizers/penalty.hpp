#pragma once
// Penalties on large weights. They are terms of J, so their gradient goes through the optimizer like the rest of dJ/dtheta. The weight
// decay of AdamW and Lion bypasses the gradient; the weight decay of the other rules equals the L2 penalty.

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/optimizer_state.hpp>
#include <chainrule/optimizers/detail/flat_vector.hpp>
#include <span>

namespace chainrule {
namespace detail {

/// Throws ShapeError unless all segments lie within theta, which has `size` parameters.
[[gnu::noinline]] inline void check_segments(std::string_view who, std::span<const Segment> segments, Index size) {
  for (const Segment& s : segments)
    if (s.begin < 0 || s.end < s.begin || s.end > size)
      raise<ShapeError>(who, ": a segment is [", s.begin, ", ", s.end, "), but theta has ", size,
                        " parameters; segments_of(net) makes segments that fit");
}

/// Returns the sum of f(w) over all weights w in segments with weight decay that are not frozen.
template <class Scalar, class Theta, class F>
Accumulator<Scalar> penalty_sum(std::string_view who, const Theta& theta, std::span<const Segment> segments, const F& f) {
  const ConstVectorView<Scalar> w = const_flat<Scalar>(who, "theta", theta);
  check_segments(who, segments, w.size());
  PairwiseSum<Accumulator<Scalar>> sum;
  for (const Segment& s : segments)
    if (s.decays && s.learns) sum += flat_sum(s.end - s.begin, w.data() + s.begin, f);
  return sum.total();
}

/// Calls the formula update(dJ/dw, w) for all weights w in segments with weight decay that are not frozen.
template <class Scalar, class Theta, class Gradient, class Update>
void add_penalty_gradient(std::string_view who, const Theta& theta, Gradient& gradient, std::span<const Segment> segments,
                          const Update& update) {
  const ConstVectorView<Scalar> w = const_flat<Scalar>(who, "theta", theta);
  VectorView<Scalar> g = mutable_flat<Scalar>(who, "the gradient", gradient);
  check_same_size(who, w.size(), g.size());
  check_segments(who, segments, w.size());
  for (const Segment& s : segments)
    if (s.decays && s.learns) kernels::update(s.end - s.begin, update, g.data() + s.begin, w.data() + s.begin);
}

}  // namespace detail

/// The L1 penalty, strength sum |w| over the weights w (Tibshirani 1996, the lasso), which makes many weights 0. Its functions throw
/// ValueError for a strength that is negative or not finite, ShapeError for sizes that do not match.
struct L1 {
  static constexpr std::string_view name = "L1";  ///< the name in descriptions, files and messages

  double strength = 1e-4;  ///< factor of the penalty, at least 0

  /// Returns the term that the penalty adds to J. `theta` is net.parameters() or any contiguous vector; `segments` come from
  /// segments_of(net) or an OptimizerState, and those with weight decay count that are not frozen, as in Keras.
  ///
  ///     strength sum |w|
  template <class Theta>
  auto value(const Theta& theta, std::span<const Segment> segments) const {
    using Scalar = detail::ScalarOf<const Theta>;
    detail::check_not_negative<Scalar>(name, "strength", strength);
    return static_cast<Scalar>(strength *
                               detail::penalty_sum<Scalar>(name, theta, segments, [](const auto& w) CHAINRULE_FORMULA { return abs(w); }));
  }

  /// Adds the gradient of the penalty to dJ/dtheta, where w are the weights in segments with weight decay. `theta` and `segments` are as
  /// for value; `gradient` is an object from net.make_gradients(), filled by backward, or a contiguous vector.
  ///
  ///     dJ/dw <- dJ/dw + strength sign(w)
  template <class Theta, class Gradient>
  void add_gradient(const Theta& theta, Gradient&& gradient, std::span<const Segment> segments) const {
    using Scalar = detail::ScalarOf<const Theta>;
    detail::check_not_negative<Scalar>(name, "strength", strength);
    detail::add_penalty_gradient<Scalar>(name, theta, gradient, segments,
                                         [s = static_cast<Scalar>(strength)](auto& g, const auto& w)
                                             CHAINRULE_FORMULA { g = g + s * sign(w); });
  }
};

/// The L2 penalty, strength/2 sum w^2 over the weights w (ridge, Tikhonov), which makes all weights smaller. Its functions throw
/// ValueError for a strength that is negative or not finite, ShapeError for sizes that do not match.
struct L2 {
  static constexpr std::string_view name = "L2";  ///< the name in descriptions, files and messages

  double strength = 1e-4;  ///< factor of the penalty, at least 0

  /// Returns the term that the penalty adds to J, where w are the weights in segments with weight decay. Arguments and errors are those of
  /// L1::value.
  ///
  ///     strength/2 sum w^2
  template <class Theta>
  auto value(const Theta& theta, std::span<const Segment> segments) const {
    using Scalar = detail::ScalarOf<const Theta>;
    detail::check_not_negative<Scalar>(name, "strength", strength);
    return static_cast<Scalar>(strength / 2 *
                               detail::penalty_sum<Scalar>(name, theta, segments, [](const auto& w) CHAINRULE_FORMULA { return w * w; }));
  }

  /// Adds the gradient of the penalty to dJ/dtheta, where w are the weights in segments with weight decay. Arguments and errors are those
  /// of L1::add_gradient.
  ///
  ///     dJ/dw <- dJ/dw + strength w
  template <class Theta, class Gradient>
  void add_gradient(const Theta& theta, Gradient&& gradient, std::span<const Segment> segments) const {
    using Scalar = detail::ScalarOf<const Theta>;
    detail::check_not_negative<Scalar>(name, "strength", strength);
    detail::add_penalty_gradient<Scalar>(name, theta, gradient, segments,
                                         [s = static_cast<Scalar>(strength)](auto& g, const auto& w) CHAINRULE_FORMULA { g = g + s * w; });
  }
};

}  // namespace chainrule
