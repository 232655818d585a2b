#pragma once

#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/kernels/map.hpp>
#include <chainrule/optimizers/clip.hpp>

namespace chainrule::detail {

/// a . b, added in double or wider. Each block is converted to the type of the sum first, so that products do not overflow.
template <class Scalar>
Accumulator<Scalar> dot(Index size, const Scalar* a, const Scalar* b) {
  using Sum = Accumulator<Scalar>;
  const auto product = [](const auto& x, const auto& y) CHAINRULE_FORMULA { return x * y; };
  if constexpr (std::is_same_v<Sum, Scalar>) {
    return kernels::sum<Sum>(size, product, a, b);
  } else {
    constexpr Index block = kernels::InterleavedSums<Sum, Sum>::block;
    Sum of_a[std::size_t{block}], of_b[std::size_t{block}];
    PairwiseSum<Sum> blocks;
    for (Index first = 0; first < size; first += block) {
      const Index count = (std::min)(block, size - first);
      std::copy_n(a + first, count, of_a);
      std::copy_n(b + first, count, of_b);
      blocks.add_block(kernels::sum<Sum>(count, product, static_cast<const Sum*>(of_a), static_cast<const Sum*>(of_b)));
    }
    return blocks.total();
  }
}

/// Base class of minimizers: theta, J and dJ/dtheta there, and counts, as they are between iterations. The members are for the loop of
/// `minimize`, which reads them.
template <class Scalar>
class MinimizerState {
 public:
  using Number = Accumulator<Scalar>;

  explicit MinimizerState(Index size) : theta_(Vector<Scalar>::Zero(size)), gradient_(Vector<Scalar>::Zero(size)) {}

  bool started = false;      ///< whether start was called
  Number loss = 0;           ///< J at theta
  Number loss_before = 0;    ///< J before the last iteration; the same as loss before the first
  Number gradient_norm = 0;  ///< |dJ/dtheta| at theta
  Number step = 0;           ///< size of the last step, as the rule defines it
  Index evaluations = 0;     ///< number of evaluations of J, with or without the gradient

  const Vector<Scalar>& theta() const { return theta_; }
  const Vector<Scalar>& gradient() const { return gradient_; }

  /// Whether J and its gradient are finite, so that iterations can begin.
  bool is_finite() const { return detail::is_finite(loss) && detail::is_finite(gradient_norm); }

  template <class Archive>
  void archive(Archive& a) {
    a(started, loss, loss_before, gradient_norm, step, evaluations, theta_view(), VectorView<Scalar>(gradient_.data(), gradient_.size()));
    a.expect(evaluations >= 0, "found ", evaluations, " evaluations");
  }

 protected:
  /// Notes that J and the gradient at the first theta are known.
  void begin() {
    started = true;
    loss_before = loss;
    gradient_norm = norm(gradient_.size(), gradient_.data());
  }
  void end_iteration(Number J_before) {
    loss_before = J_before;
    gradient_norm = norm(gradient_.size(), gradient_.data());
  }

  Vector<Scalar> theta_, gradient_;

 private:
  VectorView<Scalar> theta_view() { return {theta_.data(), theta_.size()}; }
};

}  // namespace chainrule::detail
