#pragma once
// What every loss must keep, ours or yours: the second argument makes targets, of which this header has three kinds.
//     chainrule::ContractReport report = chainrule::testing::check_loss<float>(MyLoss{}, chainrule::testing::random_matrix<float>);
// A report is true where all is well, and else says in report.to_string() what is not.

#include <chainrule/testing/contract_report.hpp>
#include <chainrule/testing/detail/loss_calls.hpp>
#include <chainrule/testing/detail/random_data.hpp>
#include <cmath>
#include <exception>

namespace chainrule {

/// What is different from loss to loss.
struct LossFacts {
  bool positive = true;  ///< J > 0 for targets that are not met; else J may be anything finite
  double highest = 1e4;  ///< the largest raw output that it must bear; the smallest is -1e4
};

namespace testing {

/// dJ/dy_hat ~ (J(y_hat + h) - J(y_hat - h)) / 2h, the right side in long double and extrapolated to h = 0, entry by entry.
template <class Scalar, class L, class Y>
void check_gradient_of_loss(ContractReport& report, const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  using Limits = std::numeric_limits<long double>;
  const long double h = 0x1p-20L;
  const long double batch = static_cast<long double>(y_hat.cols());
  const Matrix<Scalar> computed = loss_gradient(loss, y_hat, y);
  Matrix<long double> exact = y_hat.template cast<long double>();
  const auto& exact_y = exact_target(y);
  const long double J = loss_value(loss, exact, exact_y);

  long double worst = 0;  // in units of what is allowed
  long double expected = 0;
  Index row = 0, col = 0;
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
      if (error <= worst) continue;
      worst = std::isnan(error) ? Limits::infinity() : error;
      expected = difference;
      row = i;
      col = j;
    }
  const auto times = [&](long double factor) {  // whether the gradient is that many times what it should be
    return batch > 1 && expected != 0 && std::abs(computed(row, col) - factor * expected) < std::abs(expected) / 100;
  };
  report.clause("gradient", worst <= 1,
                {"dJ/dy_hat(", row, ", ", col, ") is ", computed(row, col), ", but a central difference of J gives ", expected,
                 "; y_hat is ", y_hat(row, col), " there, in a batch of ", y_hat.cols(),
                 worst <= 1         ? ""
                 : times(1 / batch) ? ": is it divided by the batch twice, or J not at all?"
                 : times(batch)     ? ": J is divided by the batch, is its gradient?"
                                    : ""});
}

/// J is the mean over the batch: every sample twice gives the same J, and halves each sample's share of the gradient.
template <class Scalar, class L, class Y>
void check_mean_over_batch(ContractReport& report, const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  const char* clause = "mean over the batch";
  const Matrix<Scalar> twice = repeated(y_hat, 2);
  const Scalar once = loss_value(loss, y_hat, y), J = loss_value(loss, twice, repeated(y, 2));
  const Index few_eps = std::numeric_limits<Scalar>::digits > 64 ? 4 + y_hat.size() : 4;  // no wider sum there to round from
  report.clause(clause, std::abs(J - once) <= static_cast<Scalar>(few_eps) * std::numeric_limits<Scalar>::epsilon() * std::abs(once),
                {"J of a batch of ", y_hat.cols(), " is ", once, ", but with every sample twice it is ", J,
                 ": nobody but the loss divides by the batch"});
  const Matrix<Scalar> dJ = loss_gradient(loss, twice, repeated(y, 2)), share = repeated(loss_gradient(loss, y_hat, y), 2) / 2;
  report.clause(clause, equal(dJ, share),
                {"with every sample twice dJ/dy_hat(0, 0) is ", dJ(0, 0), ", but half of what it was is ", share(0, 0),
                 " (and all entries must be halved, to the bit)"});  // a half is exact
}

/// The mean over very many samples does not drift, also in float: a quarter of a million times the same gives the same.
template <class Scalar, class L, class Y>
void check_long_mean(ContractReport& report, const L& loss, const Matrix<Scalar>& one, const Y& y) {
  const Index many = Index{1} << 18;
  const Scalar once = loss_value(loss, one, y), J = loss_value(loss, repeated(one, many), repeated(y, many));
  report.clause("long mean", std::abs(J - once) <= Scalar(1e-6) * std::abs(once),
                {"J of a sample is ", once, ", but of ", many, " times the same it is ", J, "; keep the sum of floats in a double"});
}

/// value, gradient and link give the same bits wherever their arguments lie, and write nothing around their results.
template <class Scalar, class L, class Y>
void check_place(ContractReport& report, const L& loss, const Matrix<Scalar>& z, const Y& y) {
  const Scalar J = loss_value(loss, z, y);
  const Matrix<Scalar> dJ = loss_gradient(loss, z, y);
  const Matrix<Scalar> y_hat = linked(loss, z);
  for (const Index row : {0, 1, 2, 3}) {
    Matrix<Scalar> z_room, y_room, expected;
    const auto z_there = placed(z, row, z_room);
    const auto y_there = placed(y, row, y_room);
    const Scalar J_there = loss.value(z_there, y_there);
    report.clause(
        "place", J_there == J,
        {"J is ", J, ", but ", J_there, " of the same numbers in columns that lie apart, ", row, " numbers behind their old alignment"});

    Matrix<Scalar> result = z_room;
    placed(dJ, row, expected);
    loss.gradient(z_there, y_there, detail::mutable_view<Scalar>(result.block(row, 1, z.rows(), z.cols())));
    report.clause("place", equal(result, expected),
                  {"dJ/dy_hat has other bits where columns lie apart, or something is written between them"});

    result = z_room;
    placed(y_hat, row, expected);
    loss.link(detail::mutable_view<Scalar>(result.block(row, 1, z.rows(), z.cols())));
    report.clause("place", equal(result, expected), {"the link gives other bits where columns lie apart, or writes between them"});
  }
}

/// Outputs of -1e4 and `highest`, among ordinary ones and alone: J, its gradient and the prediction are finite, and the gradient is
/// right.
template <class Scalar, class L, class Y>
void check_extreme_outputs(ContractReport& report, const L& loss, Matrix<Scalar> y_hat, const Y& y, Random& random,
                           const LossFacts& facts) {
  for (const std::uint64_t one_in : {3u, 1u}) {
    for (Scalar& z : y_hat.reshaped())
      if (random.below(one_in) == 0) z = random.below(2) == 0 ? static_cast<Scalar>(facts.highest) : Scalar(-1e4);
    const Scalar J = loss_value(loss, y_hat, y);
    const char* clause = "extreme outputs";
    report.clause(clause, std::isfinite(J), {"J is ", J, " for outputs of -1e4 and ", facts.highest});
    report.clause(clause, loss_gradient(loss, y_hat, y).allFinite(), {"dJ/dy_hat is not finite for outputs of -1e4 and ", facts.highest});
    report.clause(clause, linked(loss, y_hat).allFinite(), {"the prediction is not finite for outputs of -1e4 and ", facts.highest});
    check_gradient_of_loss(report, loss, y_hat, y);
  }
}

/// A target passes loss.check; one with a NaN does not, if targets are numbers.
template <class Scalar, class L, class Y>
void check_targets(ContractReport& report, const L& loss, const Matrix<Scalar>& y_hat, Y y) {
  try {
    check_target(loss, y_hat, y);
    report.clause("targets", true);
  } catch (const std::exception& error) {
    report.clause("targets", false, {"check(y_hat, y) refuses a target that is one: ", error.what()});
  }
  if constexpr (std::is_same_v<Y, Matrix<Scalar>>) {
    y(y.rows() - 1, y.cols() - 1) = std::numeric_limits<Scalar>::quiet_NaN();
    bool refused = false;
    try {
      check_target(loss, y_hat, y);
    } catch (const Error&) {
      refused = true;
    }
    report.clause("targets", refused,
                  {"check(y_hat, y) must throw ValueError for a y with a NaN, which would spoil all parameters at once"});
  }
}

/// All of the above, for several shapes; `make_target(rows, cols, random)` gives targets to try. `value` and `gradient` must be
/// templates that take float, double and long double. Clauses: name, targets, value, gradient, mean over the batch, place, extreme
/// outputs, long mean.
template <class Scalar, class L, class MakeTarget>
ContractReport check_loss(const L& loss, const MakeTarget& make_target, const LossFacts& facts = {}) {
  static_assert(Loss<L>, "chainrule: this is no Loss; core/concepts.hpp says what one has");
  ContractReport report{.name = std::string(L::name), .contract = contract_of<Scalar>("a loss")};
  report.clause("name", !report.name.empty(), {"it is empty"});
  Random random{Seed{42}};
  const Index fewest = L::min_outputs;
  const Index few = target_rows<L>(10) == 10 ? 3 : 4;  // even where outputs come in pairs
  for (const auto& [rows, cols] : {std::pair<Index, Index>{fewest, 1}, {fewest, 6}, {few, 5}, {10, 7}}) {
    const Matrix<Scalar> y_hat = 4 * random_matrix<Scalar>(rows, cols, random);
    const auto y = make_target(target_rows<L>(rows), cols, random);
    check_targets(report, loss, y_hat, y);
    const Scalar J = loss_value(loss, y_hat, y);
    report.clause(
        "value", facts.positive ? J > 0 && std::isfinite(J) : std::isfinite(J),
        {"J is ", J, " for targets that are not met", facts.positive ? "; if it may be 0 or less there, say .positive = false" : ""});
    check_gradient_of_loss(report, loss, y_hat, y);
    check_mean_over_batch(report, loss, y_hat, y);
    check_place(report, loss, y_hat, y);
    check_extreme_outputs(report, loss, y_hat, y, random, facts);
  }
  check_long_mean(report, loss, random_matrix<Scalar>(fewest, 1, random), make_target(target_rows<L>(fewest), 1, random));
  return report;
}

}  // namespace testing
}  // namespace chainrule
