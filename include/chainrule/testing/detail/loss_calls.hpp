#pragma once
// A loss called as a network calls it, for tests. y is a matrix (outputs x batch) or a std::vector of labels, as for a network.

#include <algorithm>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/targets.hpp>
#include <limits>
#include <vector>

namespace chainrule::testing {

/// J(y, y_hat)
template <class Scalar, class L, class Y>
Scalar loss_value(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  return loss.value(detail::const_view<Scalar>(y_hat), detail::target_view<Scalar>(y));
}

/// dJ/dy_hat, written over NaN, so that what is left out shows.
template <class Scalar, class L, class Y>
Matrix<Scalar> loss_gradient(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  Matrix<Scalar> dJ = Matrix<Scalar>::Constant(y_hat.rows(), y_hat.cols(), std::numeric_limits<Scalar>::quiet_NaN());
  loss.gradient(detail::const_view<Scalar>(y_hat), detail::target_view<Scalar>(y), detail::mutable_view<Scalar>(dJ));
  return dJ;
}

/// The prediction that goes with raw outputs z.
template <class Scalar, class L>
Matrix<Scalar> linked(const L& loss, Matrix<Scalar> z) {
  loss.link(detail::mutable_view<Scalar>(z));
  return z;
}

/// Throws ValueError where y is no target.
template <class Scalar, class L, class Y>
void check_target(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  loss.check(detail::const_view<Scalar>(y_hat), detail::target_view<Scalar>(y));
}

/// As many rows as y has.
template <class L>
Index target_rows(Index outputs) {
  if constexpr (requires { L::target_rows(outputs); })
    return L::target_rows(outputs);
  else
    return outputs;
}

/// Whether two matrices are the same bits, but for the sign of 0.
template <class Scalar>
bool equal(const Matrix<Scalar>& a, const Matrix<Scalar>& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && std::equal(a.data(), a.data() + a.size(), b.data());
}

/// The same targets once more behind themselves, `times` times in all.
template <class Scalar>
Matrix<Scalar> repeated(const Matrix<Scalar>& y, Index times) {
  return y.replicate(1, times);
}
template <class Label>
std::vector<Label> repeated(const std::vector<Label>& y, Index times) {
  std::vector<Label> all;
  for (Index i = 0; i < times; ++i) all.insert(all.end(), y.begin(), y.end());
  return all;
}

/// Targets for the same loss in long double.
template <class Scalar>
Matrix<long double> exact_target(const Matrix<Scalar>& y) {
  return y.template cast<long double>();
}
template <class Label>
const std::vector<Label>& exact_target(const std::vector<Label>& y) {
  return y;
}

/// y as a block of a larger matrix, whose columns begin at other addresses and lie apart; `room` keeps it. Labels stay labels.
template <class Scalar>
ConstMatrixView<Scalar> placed(const Matrix<Scalar>& y, Index row, Matrix<Scalar>& room) {
  room.setConstant(y.rows() + 5, y.cols() + 2, Scalar(1e30));
  room.block(row, 1, y.rows(), y.cols()) = y;
  return detail::const_view<Scalar>(room.block(row, 1, y.rows(), y.cols()));
}
template <class Scalar, class Label>
Labels<Label> placed(const std::vector<Label>& y, Index, Matrix<Scalar>&) {
  return y;
}

}  // namespace chainrule::testing
