#pragma once
// A gradient by the outputs of a network that is computed outside of it, in place of the gradient of its loss.

#include <chainrule/core/detail/views.hpp>

namespace chainrule {

/// A view on dJ/dy_hat (outputs x batch), the gradient of any J by the raw outputs of a network. Made by from_outside.
template <class Scalar>
struct FromOutside {
  ConstMatrixView<Scalar> output_gradient;  ///< dJ/dy_hat, outputs x batch; column j belongs to sample j
};

/// Gives a backward pass dJ/dy_hat itself, where J is not the network's own loss of targets y:
///
///     const auto y_hat = actor.forward(x, work);                           // a = actor(x), read by another network or by your own code
///     actor.backward(x, from_outside(dJ_dy), work, dJ);                    // dJ/dtheta = sum_j (dy_hat_j/dtheta)^T dJ_dy(:, j)
///
/// It takes the place of y in `backward` and `descend`, after the forward pass whose outputs it belongs to. The loss of the network then
/// has no part in the result, and nothing is divided by the batch: where J is a mean over the batch, dJ_dy contains the division already.
/// So networks can be chained, each with the dJ/dx of the next one. (It is the argument of PyTorch's y_hat.backward(gradient).)
///
/// dJ_dy: an Eigen matrix, vector, block or map of the network's scalar type, outputs x batch, by the raw outputs that `forward` returns,
/// before the link of the loss. It is viewed, not copied. The pass throws ShapeError where it has another shape, and ValueError where a
/// number in it is not finite or where it shares memory with what the pass writes to.
template <class D>
auto from_outside(D&& dJ_dy) {
  static_assert(detail::EigenDense<D>, "chainrule: from_outside() takes dJ/dy_hat as an Eigen matrix, outputs x batch");
  static_assert(detail::may_be_viewed<D>(),
                "chainrule: from_outside() keeps a view of dJ/dy_hat, so it cannot be a temporary; give it a name first: "
                "const Eigen::MatrixXf dJ_dy = y_hat - y;");
  using Scalar = typename std::remove_cvref_t<D>::Scalar;
  return FromOutside<Scalar>{detail::const_view<Scalar>(dJ_dy)};
}

namespace detail {

/// Whether T is a FromOutside.
template <class T>
inline constexpr bool is_from_outside = false;
template <class Scalar>
inline constexpr bool is_from_outside<FromOutside<Scalar>> = true;

}  // namespace detail
}  // namespace chainrule
