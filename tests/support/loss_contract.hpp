#pragma once
// What every loss must keep, ours or yours: check_loss<float>(MyLoss{}, 3, 5, [](rows, cols, random) { return targets; }).
// A target is a matrix (outputs x batch) or a std::vector of labels, as for a network.

#include <algorithm>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/targets.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/random_data.hpp"

namespace chainrule_test {

using chainrule::Index;
using chainrule::Matrix;

/// J(y, y_hat)
template <class Scalar, class L, class Y>
Scalar loss_value(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  return loss.value(chainrule::detail::const_view<Scalar>(y_hat), chainrule::detail::target_view<Scalar>(y));
}

/// dJ/dy_hat, written over NaN, so that what is left out shows.
template <class Scalar, class L, class Y>
Matrix<Scalar> loss_gradient(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  Matrix<Scalar> dJ = Matrix<Scalar>::Constant(y_hat.rows(), y_hat.cols(), std::numeric_limits<Scalar>::quiet_NaN());
  loss.gradient(chainrule::detail::const_view<Scalar>(y_hat), chainrule::detail::target_view<Scalar>(y),
                chainrule::detail::mutable_view<Scalar>(dJ));
  return dJ;
}

/// The prediction that goes with raw outputs z.
template <class Scalar, class L>
Matrix<Scalar> linked(const L& loss, Matrix<Scalar> z) {
  loss.link(chainrule::detail::mutable_view<Scalar>(z));
  return z;
}

/// Throws ValueError where y is no target.
template <class Scalar, class L, class Y>
void check_target(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  loss.check(chainrule::detail::const_view<Scalar>(y_hat), chainrule::detail::target_view<Scalar>(y));
}

/// A matrix written as it looks: matrix<float>({{1, 2}, {3, 4}}).
template <class Scalar>
Matrix<Scalar> matrix(std::initializer_list<std::initializer_list<Scalar>> rows) {
  return Matrix<Scalar>(rows);
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

/// Targets of the same meaning as matrices, for comparing with y_hat: labels become one-hot columns.
template <class Scalar>
const Matrix<Scalar>& as_matrix(const Matrix<Scalar>& y, Index) {
  return y;
}
template <class Scalar, class Label>
Matrix<Scalar> as_matrix(const std::vector<Label>& y, Index outputs) {
  Matrix<Scalar> one_hot = Matrix<Scalar>::Zero(outputs, static_cast<Index>(y.size()));
  for (std::size_t j = 0; j < y.size(); ++j) one_hot(static_cast<Index>(y[j]), static_cast<Index>(j)) = 1;
  return one_hot;
}

template <class Scalar>
Matrix<long double> exact_target(const Matrix<Scalar>& y) {
  return y.template cast<long double>();
}
template <class Label>
const std::vector<Label>& exact_target(const std::vector<Label>& y) {
  return y;
}

/// dJ/dy_hat ~ (J(y_hat + h) - J(y_hat - h)) / 2h, the right side in long double, entry by entry.
template <class Scalar, class L, class Y>
void check_gradient_of_loss(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  using Limits = std::numeric_limits<long double>;
  const long double h = 0x1p-20L;
  const long double batch = static_cast<long double>(y_hat.cols());
  const Matrix<Scalar> computed = loss_gradient(loss, y_hat, y);
  Matrix<long double> exact = y_hat.template cast<long double>();
  const auto& exact_y = exact_target(y);
  const long double J = loss_value(loss, exact, exact_y);

  long double worst = 0;  // in units of what is allowed
  for (Index j = 0; j < y_hat.cols(); ++j)
    for (Index i = 0; i < y_hat.rows(); ++i) {
      const long double here = exact(i, j);
      exact(i, j) = here + h;
      const long double above = loss_value(loss, exact, exact_y);
      exact(i, j) = here - h;
      const long double below = loss_value(loss, exact, exact_y);
      exact(i, j) = here;
      const long double difference = (above - below) / (2 * h);
      const long double rounding = 8 * static_cast<long double>(std::numeric_limits<Scalar>::epsilon());
      const long double allowed = rounding * std::max(std::abs(difference), 1 / batch) + h * h + 4 * Limits::epsilon() * std::abs(J) / h;
      const long double error = std::abs(static_cast<long double>(computed(i, j)) - difference) / allowed;
      if (!(error <= worst)) worst = std::isnan(error) ? Limits::infinity() : error;
    }
  INFO("dJ/dy_hat against a central difference, " << y_hat.rows() << " x " << y_hat.cols());
  CHECK(worst <= 1);
}

/// J is the mean over the batch: every sample twice gives the same J, and halves each sample's share of the gradient.
template <class Scalar, class L, class Y>
void check_mean_over_batch(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  const Matrix<Scalar> twice = repeated(y_hat, 2);
  const Scalar J = loss_value(loss, y_hat, y);
  CHECK(std::abs(loss_value(loss, twice, repeated(y, 2)) - J) <= 4 * std::numeric_limits<Scalar>::epsilon() * std::abs(J));
  const Matrix<Scalar> dJ = loss_gradient(loss, y_hat, y);
  CHECK(loss_gradient(loss, twice, repeated(y, 2)) == Matrix<Scalar>(repeated(dJ, 2) / 2));  // a half is exact
}

/// The mean over very many samples does not drift, also in float: a quarter of a million times the same gives the same.
template <class Scalar, class L, class Y>
void check_long_mean(const L& loss, const Matrix<Scalar>& one, const Y& y) {
  const Index many = Index{1} << 18;
  const Scalar J = loss_value(loss, one, y);
  CHECK(std::abs(loss_value(loss, repeated(one, many), repeated(y, many)) - J) <= 4 * std::numeric_limits<Scalar>::epsilon() * std::abs(J));
}

/// Where the loss matches its link:  dJ/dz = (link(z) - y)/batch, the lecture's factor (y_hat - y); bit for bit.
template <class Scalar, class L, class Y>
void check_matching_link(const L& loss, const Matrix<Scalar>& z, const Y& y) {
  const Matrix<Scalar> y_hat = linked(loss, z);
  const Matrix<Scalar> expected = (y_hat - as_matrix<Scalar>(y, z.rows())) / static_cast<Scalar>(z.cols());
  CHECK(loss_gradient(loss, z, y) == expected);
}

/// link and gradient write their own columns and nothing around them, and read y_hat from between other numbers.
template <class Scalar, class L, class Y>
void check_blocks(const L& loss, const Matrix<Scalar>& z, const Y& y) {
  const auto block = [&](Matrix<Scalar>& m) { return m.block(2, 1, z.rows(), z.cols()); };
  Matrix<Scalar> around = Matrix<Scalar>::Constant(z.rows() + 5, z.cols() + 2, Scalar(1e30));
  block(around) = z;
  Matrix<Scalar> expected = around;
  block(expected) = linked(loss, z);
  Matrix<Scalar> in_place = around;
  loss.link(chainrule::detail::mutable_view<Scalar>(block(in_place)));
  CHECK(in_place == expected);

  const auto target = chainrule::detail::target_view<Scalar>(y);
  const auto y_hat = chainrule::detail::const_view<Scalar>(block(around));
  CHECK(loss.value(y_hat, target) == loss_value(loss, z, y));
  Matrix<Scalar> dJ = Matrix<Scalar>::Constant(around.rows(), around.cols(), Scalar(7));
  Matrix<Scalar> expected_dJ = dJ;
  block(expected_dJ) = loss_gradient(loss, z, y);
  loss.gradient(y_hat, target, chainrule::detail::mutable_view<Scalar>(block(dJ)));
  CHECK(dJ == expected_dJ);
}

/// Outputs of +-1e4, among ordinary ones and alone: J, its gradient and the prediction are finite, and the gradient is right.
template <class Scalar, class L, class Y>
void check_extreme_outputs(const L& loss, Matrix<Scalar> y_hat, const Y& y, chainrule::Random& random) {
  for (const std::uint64_t one_in : {3u, 1u}) {
    for (Scalar& z : y_hat.reshaped())
      if (random.below(one_in) == 0) z = random.below(2) == 0 ? Scalar(1e4) : Scalar(-1e4);
    CHECK(std::isfinite(loss_value(loss, y_hat, y)));
    CHECK(loss_gradient(loss, y_hat, y).allFinite());
    CHECK(linked(loss, y_hat).allFinite());
    check_gradient_of_loss(loss, y_hat, y);
  }
}

/// All of the above but the matching link, for several shapes. `make_target(rows, cols, random)` gives targets to try.
template <class Scalar, class L, class MakeTarget>
void check_loss(const L& loss, const MakeTarget& make_target) {
  static_assert(chainrule::Loss<L>);
  CHECK_FALSE(std::string_view(L::name).empty());
  chainrule::Random random{chainrule::Seed{42}};
  const Index fewest = L::min_outputs;
  for (const auto& [rows, cols] : {std::pair<Index, Index>{fewest, 1}, {fewest, 6}, {3, 5}, {10, 7}}) {
    const Matrix<Scalar> y_hat = 4 * random_matrix<Scalar>(rows, cols, random);
    const auto y = make_target(rows, cols, random);
    CHECK_NOTHROW(check_target(loss, y_hat, y));
    CHECK(loss_value(loss, y_hat, y) > 0);
    check_gradient_of_loss(loss, y_hat, y);
    check_mean_over_batch(loss, y_hat, y);
    check_blocks(loss, y_hat, y);
    check_extreme_outputs(loss, y_hat, y, random);
  }
  check_long_mean(loss, random_matrix<Scalar>(fewest, 1, random), make_target(fewest, 1, random));
}

}  // namespace chainrule_test
