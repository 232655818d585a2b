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

/// What is different from loss to loss.
struct LossFacts {
  bool positive = true;  ///< J > 0 for targets that are not met; else J may be anything finite
  double highest = 1e4;  ///< the largest raw output that it must bear; the smallest is -1e4
};

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

/// Whether two matrices are the same bits, but for the sign of 0. A plain bool, because Catch would compile a printer for each type.
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

/// As many rows as y has.
template <class L>
Index target_rows(Index outputs) {
  if constexpr (requires { L::target_rows(outputs); })
    return L::target_rows(outputs);
  else
    return outputs;
}

/// dJ/dy_hat ~ (J(y_hat + h) - J(y_hat - h)) / 2h, the right side in long double and extrapolated to h = 0, entry by entry.
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
      const auto at = [&](long double there) {
        exact(i, j) = there;
        return loss_value(loss, exact, exact_y);
      };
      const long double near = at(here + h / 2) - at(here - h / 2);
      const long double far = at(here + h) - at(here - h);
      exact(i, j) = here;
      const long double difference = (8 * near - far) / (6 * h);  // so that J''' drops out
      const long double rounding = 8 * static_cast<long double>(std::numeric_limits<Scalar>::epsilon());
      const long double allowed = rounding * std::max(std::abs(difference), 1 / batch) + h * h + 8 * Limits::epsilon() * std::abs(J) / h;
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
  CHECK(equal<Scalar>(loss_gradient(loss, twice, repeated(y, 2)), repeated(dJ, 2) / 2));  // a half is exact
}

/// The mean over very many samples does not drift, also in float: a quarter of a million times the same gives the same.
template <class Scalar, class L, class Y>
void check_long_mean(const L& loss, const Matrix<Scalar>& one, const Y& y) {
  const Index many = Index{1} << 18;
  const Scalar J = loss_value(loss, one, y);
  CHECK(std::abs(loss_value(loss, repeated(one, many), repeated(y, many)) - J) <= Scalar(1e-6) * std::abs(J));
}

/// Where the loss matches its link:  dJ/dz = (link(z) - y)/batch, the lecture's factor (y_hat - y); bit for bit.
template <class Scalar, class L, class Y>
void check_matching_link(const L& loss, const Matrix<Scalar>& z, const Y& y) {
  const Matrix<Scalar> y_hat = linked(loss, z);
  const Matrix<Scalar> expected = (y_hat - as_matrix<Scalar>(y, z.rows())) / static_cast<Scalar>(z.cols());
  CHECK(equal(loss_gradient(loss, z, y), expected));
}

/// y as a block of a larger matrix, whose columns begin at other addresses and lie apart; `room` keeps it. Labels stay labels.
template <class Scalar>
chainrule::ConstMatrixView<Scalar> placed(const Matrix<Scalar>& y, Index row, Matrix<Scalar>& room) {
  room.setConstant(y.rows() + 5, y.cols() + 2, Scalar(1e30));
  room.block(row, 1, y.rows(), y.cols()) = y;
  return chainrule::detail::const_view<Scalar>(room.block(row, 1, y.rows(), y.cols()));
}
template <class Scalar, class Label>
chainrule::Labels<Label> placed(const std::vector<Label>& y, Index, Matrix<Scalar>&) {
  return y;
}

/// value, gradient and link give the same bits wherever their arguments lie, and write nothing around their results.
template <class Scalar, class L, class Y>
void check_independent_of_place(const L& loss, const Matrix<Scalar>& z, const Y& y) {
  const Scalar J = loss_value(loss, z, y);
  const Matrix<Scalar> dJ = loss_gradient(loss, z, y);
  const Matrix<Scalar> y_hat = linked(loss, z);
  for (const Index row : {0, 1, 2, 3}) {
    Matrix<Scalar> z_room;
    Matrix<Scalar> y_room;
    const auto z_there = placed(z, row, z_room);
    const auto y_there = placed(y, row, y_room);
    CHECK(loss.value(z_there, y_there) == J);

    Matrix<Scalar> expected;
    Matrix<Scalar> result = z_room;
    placed(dJ, row, expected);
    loss.gradient(z_there, y_there, chainrule::detail::mutable_view<Scalar>(result.block(row, 1, z.rows(), z.cols())));
    CHECK(equal(result, expected));

    result = z_room;
    placed(y_hat, row, expected);
    loss.link(chainrule::detail::mutable_view<Scalar>(result.block(row, 1, z.rows(), z.cols())));
    CHECK(equal(result, expected));
  }
}

/// Outputs of -1e4 and `highest`, among ordinary ones and alone: J, its gradient and the prediction are finite, and the gradient is
/// right.
template <class Scalar, class L, class Y>
void check_extreme_outputs(const L& loss, Matrix<Scalar> y_hat, const Y& y, chainrule::Random& random, const LossFacts& facts) {
  for (const std::uint64_t one_in : {3u, 1u}) {
    for (Scalar& z : y_hat.reshaped())
      if (random.below(one_in) == 0) z = random.below(2) == 0 ? static_cast<Scalar>(facts.highest) : Scalar(-1e4);
    CHECK(std::isfinite(loss_value(loss, y_hat, y)));
    CHECK(loss_gradient(loss, y_hat, y).allFinite());
    CHECK(linked(loss, y_hat).allFinite());
    check_gradient_of_loss(loss, y_hat, y);
  }
}

/// All of the above but the matching link, for several shapes. `make_target(rows, cols, random)` gives targets to try.
template <class Scalar, class L, class MakeTarget>
void check_loss(const L& loss, const MakeTarget& make_target, const LossFacts& facts = {}) {
  static_assert(chainrule::Loss<L>);
  CHECK_FALSE(std::string_view(L::name).empty());
  chainrule::Random random{chainrule::Seed{42}};
  const Index fewest = L::min_outputs;
  const Index few = target_rows<L>(10) == 10 ? 3 : 4;  // even where outputs come in pairs
  for (const auto& [rows, cols] : {std::pair<Index, Index>{fewest, 1}, {fewest, 6}, {few, 5}, {10, 7}}) {
    const Matrix<Scalar> y_hat = 4 * random_matrix<Scalar>(rows, cols, random);
    const auto y = make_target(target_rows<L>(rows), cols, random);
    CHECK_NOTHROW(check_target(loss, y_hat, y));
    CHECK((facts.positive ? loss_value(loss, y_hat, y) > 0 : std::isfinite(loss_value(loss, y_hat, y))));
    check_gradient_of_loss(loss, y_hat, y);
    check_mean_over_batch(loss, y_hat, y);
    check_independent_of_place(loss, y_hat, y);
    check_extreme_outputs(loss, y_hat, y, random, facts);
  }
  check_long_mean(loss, random_matrix<Scalar>(fewest, 1, random), make_target(target_rows<L>(fewest), 1, random));
}

}  // namespace chainrule_test
