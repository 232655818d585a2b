#pragma once
// Checks that a loss, of the library or your own, satisfies the contract of losses:
//     chainrule::ContractReport report = chainrule::testing::check_loss<float>(MyLoss{}, chainrule::testing::random_matrix<float>);
// The second argument makes targets: random_matrix, random_distributions, or a function that calls random_labels. The report converts to
// true if all checks passed; report.to_string() explains those that failed.

#include <chainrule/inspect/check_gradient.hpp>
#include <chainrule/testing/contract_report.hpp>
#include <chainrule/testing/detail/loss_calls.hpp>
#include <chainrule/testing/detail/random_data.hpp>
#include <cmath>
#include <exception>

namespace chainrule {

/// Properties of one loss that check_loss needs to know.
struct LossProperties {
  bool positive = true;     ///< whether J > 0 whenever the prediction differs from the target; false allows any finite J
  double max_output = 1e4;  ///< largest raw output for which J must be finite; the smallest is -1e4
};

namespace testing {

/// Compares each entry of the gradient with a central difference of J,
///
///     dJ/dy_hat ~ (J(y_hat + h) - J(y_hat - h)) / 2h
/// The difference is computed in long double and extrapolated to h = 0, which removes the error of order h^2.
template <class Scalar, class L, class Y>
void check_gradient_of_loss(ContractReport& report, const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  using Limits = std::numeric_limits<long double>;
  const long double h = 0x1p-20L;
  const long double batch = static_cast<long double>(y_hat.cols());
  const Matrix<Scalar> computed = loss_gradient(loss, y_hat, y);
  Matrix<long double> exact = y_hat.template cast<long double>();
  const auto& exact_y = detail::in_long_double(y);
  const long double J = loss_value(loss, exact, exact_y);

  long double worst = 0;  // in units of the allowed error
  long double expected = 0;
  Index row = 0, col = 0;
  for (Index j = 0; j < y_hat.cols(); ++j)
    for (Index i = 0; i < y_hat.rows(); ++i) {
      const long double original = exact(i, j);
      const auto J_at = [&](long double entry) {
        exact(i, j) = entry;
        return loss_value(loss, exact, exact_y);
      };
      const long double half_step = J_at(original + h / 2) - J_at(original - h / 2);
      const long double full_step = J_at(original + h) - J_at(original - h);
      exact(i, j) = original;
      const long double difference = (8 * half_step - full_step) / (6 * h);  // the terms with J''' cancel
      const long double rounding = 8 * static_cast<long double>(std::numeric_limits<Scalar>::epsilon());
      const long double allowed = rounding * (std::max)(std::abs(difference), 1 / batch) + h * h + 8 * Limits::epsilon() * std::abs(J) / h;
      const long double error = std::abs(static_cast<long double>(computed(i, j)) - difference) / allowed;
      if (error <= worst) continue;
      worst = std::isnan(error) ? Limits::infinity() : error;
      expected = difference;
      row = i;
      col = j;
    }
  const auto is_off_by = [&](long double factor) {  // whether the gradient is `factor` times what it should be
    return batch > 1 && expected != 0 && std::abs(computed(row, col) - factor * expected) < std::abs(expected) / 100;
  };
  report.clause("gradient", worst <= 1,
                {"dJ/dy_hat(", row, ", ", col, ") is ", computed(row, col), ", but a central difference of J gives ", expected,
                 "; y_hat is ", y_hat(row, col), " there, in a batch of ", y_hat.cols(),
                 worst <= 1             ? ""
                 : is_off_by(1 / batch) ? ": is it divided by the batch twice, or J not at all?"
                 : is_off_by(batch)     ? ": J is divided by the batch, is its gradient?"
                                        : ""});
}

/// The derivative of f at `at` along a direction by central differences in long double, extrapolated to h = 0, which removes the error of
/// order h^2. f takes and returns a matrix.
///
///     (f(at + h d) - f(at - h d)) / 2h
template <class F>
Matrix<long double> difference_along(const Matrix<long double>& direction, const Matrix<long double>& at, const F& f) {
  const auto change = [&](long double h) -> Matrix<long double> {
    const Matrix<long double> above = at + h * direction, below = at - h * direction;
    return f(above) - f(below);
  };
  const long double h = 0x1p-20L;
  return (8 * change(h / 2) - change(h)) / (6 * h);
}

/// Compares a derivative along a direction with central differences. `size` holds the numbers whose rounding errors of a few epsilon the
/// derivative may have, and `differentiated` the values of the function from which the differences were computed. The explanation names the
/// derivative as `what`.
template <class Scalar>
void check_derivative_along(ContractReport& report, const char* clause, const char* what, const Matrix<Scalar>& computed,
                            const Matrix<long double>& differences, const Matrix<long double>& size,
                            const Matrix<long double>& differentiated) {
  const long double h = 0x1p-20L;
  for (Index j = 0; j < computed.cols(); ++j)
    for (Index i = 0; i < computed.rows(); ++i) {
      const long double expected = differences(i, j);
      const long double rounding = 8 * static_cast<long double>(std::numeric_limits<Scalar>::epsilon());
      const long double allowed = rounding * (std::max)(std::abs(expected), std::abs(size(i, j))) + h * h +
                                  32 * std::numeric_limits<long double>::epsilon() * std::abs(differentiated(i, j)) / h;
      report.clause(clause, std::abs(static_cast<long double>(computed(i, j)) - expected) <= allowed,
                    {what, "(", i, ", ", j, ") is ", computed(i, j), ", but a central difference gives ", expected});
    }
}

/// Checks that <a, H b> = <b, H a> for the products of a symmetric matrix H with a and b. `size` is the size of numbers whose rounding
/// errors of a few epsilon the products may have.
template <class Scalar>
void check_symmetric(ContractReport& report, const char* clause, const char* matrix, const Matrix<Scalar>& a, const Matrix<Scalar>& Ha,
                     const Matrix<Scalar>& b, const Matrix<Scalar>& Hb, Scalar size) {
  const Matrix<Scalar> aHb = a.cwiseProduct(Hb), bHa = b.cwiseProduct(Ha);
  const Scalar allowed = 16 * std::numeric_limits<Scalar>::epsilon() * (aHb.cwiseAbs().sum() + bHa.cwiseAbs().sum() + size);
  report.clause(clause, std::abs(aHb.sum() - bHa.sum()) <= allowed,
                {matrix, " H must be symmetric, but for two directions <a, H b> is ", aHb.sum(), " and <b, H a> is ", bHa.sum()});
}

/// Compares gradient_jvp with central differences of the gradient along directions in each row of y_hat, and checks that the Hessian is
/// symmetric.
///
///     gradient_jvp ~ (dJ/dy_hat(y_hat + h d) - dJ/dy_hat(y_hat - h d)) / 2h
template <class Scalar, class L, class Y>
void check_gradient_jvp_of_loss(ContractReport& report, const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  const char* clause = "gradient_jvp";
  const Matrix<long double> exact = y_hat.template cast<long double>();
  const auto& exact_y = detail::in_long_double(y);
  const auto gradient = [&](const Matrix<long double>& at) { return loss_gradient(loss, at, exact_y); };
  const Matrix<long double> dJ = gradient(exact);
  const Matrix<long double> share = Matrix<long double>::Constant(dJ.rows(), dJ.cols(), 1 / static_cast<long double>(dJ.cols()));
  Random random{Seed{20}};
  for (Index row = 0; row < y_hat.rows(); ++row) {  // a direction in one row, so that no sum over rows hides an error
    Matrix<Scalar> direction = Matrix<Scalar>::Zero(y_hat.rows(), y_hat.cols());
    direction.row(row) = random_direction<Scalar>(1, y_hat.cols(), random);
    check_derivative_along(report, clause, "gradient_jvp", loss_gradient_jvp(loss, y_hat, y, direction),
                           difference_along(direction.template cast<long double>(), exact, gradient), share, dJ);
  }
  const auto a = random_direction<Scalar>(y_hat.rows(), y_hat.cols(), random);
  const auto b = random_direction<Scalar>(y_hat.rows(), y_hat.cols(), random);
  check_symmetric(report, clause, "the Hessian", a, loss_gradient_jvp(loss, y_hat, y, a), b, loss_gradient_jvp(loss, y_hat, y, b),
                  Scalar{1});
}

/// Compares link_jvp with central differences of the link, for two tangents side by side, and checks that the Jacobian of the link is
/// symmetric.
///
///     link_jvp ~ (link(z + h t) - link(z - h t)) / 2h
template <class Scalar, class L>
void check_link_jvp(ContractReport& report, const L& loss, const Matrix<Scalar>& z) {
  const char* clause = "link_jvp";
  const Matrix<Scalar> prediction = linked(loss, z);
  const Matrix<long double> exact = z.template cast<long double>(), exact_prediction = linked(loss, exact);
  const auto link = [&](const Matrix<long double>& at) { return linked(loss, at); };
  Random random{Seed{21}};
  const auto tangent = random_direction<Scalar>(z.rows(), 2 * z.cols(), random);
  const Matrix<Scalar> computed = linked_tangent(loss, prediction, tangent);
  const Matrix<Scalar> a = tangent.leftCols(z.cols()), La = computed.leftCols(z.cols());
  const Matrix<Scalar> b = tangent.rightCols(z.cols()), Lb = computed.rightCols(z.cols());
  check_derivative_along(report, clause, "link_jvp", La, difference_along(a.template cast<long double>(), exact, link), exact_prediction,
                         exact_prediction);
  check_derivative_along(report, clause, "link_jvp of a second tangent", Lb, difference_along(b.template cast<long double>(), exact, link),
                         exact_prediction, exact_prediction);
  check_symmetric(report, clause, "the Jacobian of the link", a, La, b, Lb, prediction.cwiseAbs().sum());
}

/// Runs the checks of gradient_jvp and link_jvp that the loss has.
template <class Scalar, class L, class Y>
void check_second_derivatives(ContractReport& report, const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  if constexpr (TwiceDifferentiableLoss<L>) check_gradient_jvp_of_loss(report, loss, y_hat, y);
  if constexpr (DifferentiableLink<L>) check_link_jvp(report, loss, y_hat);
}

/// Checks that J is the mean over the batch: with every sample twice, J stays the same, and each entry of the gradient is halved.
template <class Scalar, class L, class Y>
void check_mean_over_batch(ContractReport& report, const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  const char* clause = "mean over the batch";
  const Matrix<Scalar> twice = repeated(y_hat, 2);
  const Scalar once = loss_value(loss, y_hat, y), J = loss_value(loss, twice, repeated(y, 2));
  // The sum of a quadruple-precision long double has no wider type to be computed in, so each term adds a rounding error.
  const Index few_eps = std::numeric_limits<Scalar>::digits > 64 ? 4 + y_hat.size() : 4;
  report.clause(
      clause, std::abs(J - once) <= static_cast<Scalar>(few_eps) * std::numeric_limits<Scalar>::epsilon() * std::abs(once),
      {"J of a batch of ", y_hat.cols(), " is ", once, ", but with every sample twice it is ", J, ": only the loss divides by the batch"});
  const Matrix<Scalar> dJ = loss_gradient(loss, twice, repeated(y, 2)), half = repeated(loss_gradient(loss, y_hat, y), 2) / 2;
  report.clause(clause, equal(dJ, half),
                {"with every sample twice dJ/dy_hat(0, 0) is ", dJ(0, 0), ", but half of its former value is ", half(0, 0),
                 " (all entries must be halved exactly, because division by 2 does not round)"});
}

/// Checks that rounding errors do not add up in the mean of a large batch: 2^18 times the same sample must give the same J, also in float.
template <class Scalar, class L, class Y>
void check_large_batch(ContractReport& report, const L& loss, const Matrix<Scalar>& one, const Y& y) {
  const Index many = Index{1} << 18;
  const Scalar once = loss_value(loss, one, y), J = loss_value(loss, repeated(one, many), repeated(y, many));
  report.clause("large batch", std::abs(J - once) <= Scalar(1e-6) * std::abs(once),
                {"J of a sample is ", once, ", but of ", many, " times the same it is ", J, "; keep the sum of floats in a double"});
}

/// Checks that value, gradient and link, and gradient_jvp and link_jvp where the loss has them, give the same bits for arguments with
/// another alignment and an outer stride, and that they write nothing outside their results.
template <class Scalar, class L, class Y>
void check_memory_layout(ContractReport& report, const L& loss, const Matrix<Scalar>& z, const Y& y) {
  const Scalar J = loss_value(loss, z, y);
  const Matrix<Scalar> dJ = loss_gradient(loss, z, y);
  const Matrix<Scalar> y_hat = linked(loss, z);
  for (const Index row : {0, 1, 2, 3}) {
    Matrix<Scalar> larger_z, larger_y, expected;
    const auto strided_z = copied_into_block(z, row, larger_z);
    const auto strided_y = copied_into_block(y, row, larger_y);
    const Scalar strided_J = loss.value(strided_z, strided_y);
    report.clause("memory layout", strided_J == J,
                  {"J is ", J, ", but ", strided_J, " for the same numbers in columns with an outer stride, shifted by ", row,
                   " numbers from their former alignment"});

    Matrix<Scalar> result = larger_z;
    copied_into_block(dJ, row, expected);
    loss.gradient(strided_z, strided_y, detail::mutable_view<Scalar>(result.block(row, 1, z.rows(), z.cols())));
    report.clause("memory layout", equal(result, expected),
                  {"dJ/dy_hat has other bits if columns have an outer stride, or gradient writes between the columns"});

    result = larger_z;
    copied_into_block(y_hat, row, expected);
    loss.link(detail::mutable_view<Scalar>(result.block(row, 1, z.rows(), z.cols())));
    report.clause("memory layout", equal(result, expected),
                  {"the link gives other bits if columns have an outer stride, or writes between the columns"});

    if constexpr (TwiceDifferentiableLoss<L>) {
      result = larger_z;
      copied_into_block(loss_gradient_jvp(loss, z, y, z), row, expected);
      loss.gradient_jvp(strided_z, strided_y, strided_z, detail::mutable_view<Scalar>(result.block(row, 1, z.rows(), z.cols())));
      report.clause("memory layout", equal(result, expected),
                    {"gradient_jvp gives other bits if columns have an outer stride, or writes between the columns"});
    }
    if constexpr (DifferentiableLink<L>) {
      Matrix<Scalar> larger_y_hat;
      const auto strided_y_hat = copied_into_block(y_hat, row, larger_y_hat);
      result = larger_z;
      copied_into_block(linked_tangent(loss, y_hat, z), row, expected);
      loss.link_jvp(strided_y_hat, detail::mutable_view<Scalar>(result.block(row, 1, z.rows(), z.cols())));
      report.clause("memory layout", equal(result, expected),
                    {"link_jvp gives other bits if columns have an outer stride, or writes between the columns"});
    }
  }
}

/// Checks that J, its gradient and the prediction are finite for raw outputs of -1e4 and max_output, among ordinary ones and alone, and
/// that the derivatives are right there.
template <class Scalar, class L, class Y>
void check_extreme_outputs(ContractReport& report, const L& loss, Matrix<Scalar> y_hat, const Y& y, Random& random,
                           const LossProperties& properties) {
  for (const std::uint64_t one_in : {3u, 1u}) {
    for (Scalar& z : y_hat.reshaped())
      if (random.below(one_in) == 0) z = random.below(2) == 0 ? static_cast<Scalar>(properties.max_output) : Scalar(-1e4);
    const Scalar J = loss_value(loss, y_hat, y);
    const char* clause = "extreme outputs";
    report.clause(clause, std::isfinite(J), {"J is ", J, " for outputs of -1e4 and ", properties.max_output});
    report.clause(clause, loss_gradient(loss, y_hat, y).allFinite(),
                  {"dJ/dy_hat is not finite for outputs of -1e4 and ", properties.max_output});
    report.clause(clause, linked(loss, y_hat).allFinite(),
                  {"the prediction is not finite for outputs of -1e4 and ", properties.max_output});
    check_gradient_of_loss(report, loss, y_hat, y);
    check_second_derivatives(report, loss, y_hat, y);
  }
}

/// Checks that loss.check accepts a target, and refuses one with a NaN if targets are numbers.
template <class Scalar, class L, class Y>
void check_targets(ContractReport& report, const L& loss, const Matrix<Scalar>& y_hat, Y y) {
  try {
    check_target(loss, y_hat, y);
    report.clause("targets", true);
  } catch (const std::exception& error) {
    report.clause("targets", false, {"check(y_hat, y) refuses a valid target: ", error.what()});
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
                  {"check(y_hat, y) must throw ValueError for a y with a NaN, which would make all parameters NaN in one step"});
  }
}

/// Runs all checks of a loss for several shapes; `make_target(rows, cols, random)` makes the targets. `value`, `gradient` and `link` must
/// be templates that take float, double and long double. Clauses of the report: name, targets, value, gradient, mean over the batch, memory
/// layout, extreme outputs, large batch, and gradient_jvp and link_jvp if the loss has these members.
template <class Scalar, class L, class MakeTarget>
ContractReport check_loss(const L& loss, const MakeTarget& make_target, const LossProperties& properties = {}) {
  static_assert(Loss<L>, "chainrule: check_loss needs a Loss; core/concepts.hpp lists the members of one");
  ContractReport report{.name = std::string(L::name), .contract = contract_of<Scalar>("a loss")};
  report.clause("name", !report.name.empty(), {"it is empty"});
  Random random{Seed{42}};
  const bool pairs = detail::target_rows(loss, Index{10}) != 10;  // an even number if outputs come in pairs (mean and variance)
  Index fewest = L::min_outputs, few = pairs ? 4 : 3, many = 10;
  if constexpr (requires { loss.outputs(); }) fewest = few = many = loss.outputs();
  for (const auto& [rows, cols] : {std::pair<Index, Index>{fewest, 1}, {fewest, 6}, {few, 5}, {many, 7}}) {
    const Matrix<Scalar> y_hat = 4 * random_matrix<Scalar>(rows, cols, random);
    const auto y = make_target(detail::target_rows(loss, rows), cols, random);
    check_targets(report, loss, y_hat, y);
    const Scalar J = loss_value(loss, y_hat, y);
    report.clause("value", properties.positive ? J > 0 && std::isfinite(J) : std::isfinite(J),
                  {"J is ", J, " for predictions that differ from the targets",
                   properties.positive ? "; if J may be 0 or negative there, set .positive = false" : ""});
    check_gradient_of_loss(report, loss, y_hat, y);
    check_second_derivatives(report, loss, y_hat, y);
    check_mean_over_batch(report, loss, y_hat, y);
    check_memory_layout(report, loss, y_hat, y);
    check_extreme_outputs(report, loss, y_hat, y, random, properties);
  }
  check_large_batch(report, loss, random_matrix<Scalar>(fewest, 1, random), make_target(detail::target_rows(loss, fewest), 1, random));
  return report;
}

}  // namespace testing
}  // namespace chainrule
