#pragma once
// Compares every entry of dJ/dtheta and dJ/dx from backward with a central difference of J,
//     dJ/dp ~ (J(p + h) - J(p - h)) / 2h
// A copy of the network in long double computes J here, so that the rounding of the difference is small beside the errors looked for.

#include <algorithm>
#include <chainrule/core/category_row.hpp>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/detail/layer_list.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/weighting.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace chainrule {

/// Result of check_gradient. The relative error of an entry is |computed - difference| / max(|computed|, |difference|); the denominator
/// is at least a thousandth of the largest entry of the same layer.
struct GradientReport {
  bool passed = false;      ///< whether all entries compared are within the tolerance and no check has failed
  double worst_error = 0;   ///< largest relative error
  std::string worst_entry;  ///< entry with the largest error, such as "layer<1>.weight(3, 0)" or "x(2, 5)"
  double computed = 0;      ///< value of that entry from backward
  double difference = 0;    ///< value of that entry from the central difference
  double tolerance = 0;     ///< largest relative error that passes
  Index entries = 0;        ///< number of entries compared
  Index kinks = 0;          ///< number of entries left out because J has a kink there (a ReLU at 0): left and right slope differ
  std::string failure;      ///< a sentence that says why the check failed; empty if it passed

  explicit operator bool() const { return passed; }  ///< same as `passed`

  /// Records the reason of a failure; only the first reason is kept.
  void fail(const std::string& reason) {
    if (failure.empty()) failure = reason;
  }

  /// The whole report in one line.
  std::string to_string() const {
    return detail::text_of(passed ? "gradient check passed: " : "gradient check FAILED: ", failure, passed ? "" : "; ", entries,
                           " entries, ", kinks, " more at kinks, worst relative error ", number(worst_error), " at ", worst_entry,
                           " (backward ", number(computed), ", central difference ", number(difference), "), tolerance ",
                           number(tolerance));
  }

 private:
  static std::string number(double value) { return detail::printed(value, 3, 'g'); }
};

/// Options of check_gradient.
struct GradientCheckOptions {
  double tolerance = 0;  ///< largest relative error that passes; 0: 5e-3 for float, otherwise 1e-7 (1e-5 where long double is double)
  double step = 0;       ///< the difference uses h = step * max(1, |p|); 0: 1e-4 (1e-3 where long double is double)
};

namespace detail {

/// Derivative of J by one variable p, from differences with steps h and h/16.
struct Slope {
  long double value;  ///< central differences of both steps, extrapolated to h = 0 (Richardson), which removes the error of order h^2
  long double kink;   ///< jump of the slope between p - h and p + h beyond the change due to curvature; about 0 if J is smooth
};

/// Measures the slope of J by `variable`, on which compute_loss() depends; J_here is compute_loss() at its present value. Restores the
/// variable.
template <class ComputeLoss>
Slope measure_slope(long double& variable, long double step, long double J_here, const ComputeLoss& compute_loss) {
  const long double p = variable;
  // central difference, and right minus left one-sided difference
  const auto differences = [&](long double h) {
    variable = p + h;
    const long double right = (compute_loss() - J_here) / h;
    variable = p - h;
    const long double left = (J_here - compute_loss()) / h;
    return std::pair{(right + left) / 2, right - left};
  };
  const long double h = step * (std::max)(1.0L, std::abs(p));
  const auto [wide, wide_gap] = differences(h);
  const auto [narrow, narrow_gap] = differences(h / 16);
  variable = p;
  // If J is smooth, a central difference has an error of order h^2, and right - left = h J''.
  return {narrow + (narrow - wide) / 255, std::abs(wide_gap - 16 * narrow_gap)};
}

/// Compares one group of entries, those of a layer or of x, and updates the report. `computed` holds the gradient from backward,
/// `variables` the entries of theta or x on which compute_loss() depends. Entries for which `is_constant` is true are categories, which
/// cannot be moved a little; the gradient by them must be 0.
template <class Scalar, class ComputeLoss, class Name, class IsConstant>
void compare_gradient(GradientReport& report, const std::string& group, Index count, const Scalar* computed, long double* variables,
                      long double step, const ComputeLoss& compute_loss, const Name& name_of, const IsConstant& is_constant) {
  Index constants = 0;
  for (Index i = 0; i < count; ++i) {
    if (!is_constant(i)) continue;
    ++constants;
    if (computed[i] != 0) report.fail(text_of("the gradient by ", name_of(i), ", which is a category, is not 0"));
  }
  if (count == constants) return;
  const long double J_here = compute_loss();
  const long double noise = 2000 * std::numeric_limits<long double>::epsilon() * (std::max)(1.0L, std::abs(J_here)) / step;
  std::vector<Slope> slopes;
  slopes.reserve(static_cast<std::size_t>(count));
  long double largest = 0;
  for (Index i = 0; i < count; ++i) {
    slopes.push_back(is_constant(i) ? Slope{0, 0} : measure_slope(variables[i], step, J_here, compute_loss));
    largest = (std::max)(largest, std::abs(slopes.back().value));
  }
  if (!is_finite(static_cast<double>(J_here))) report.fail("J itself is not finite");
  if (!(largest > noise))
    report.fail(text_of("the gradient of ", group, " is zero everywhere, which proves nothing; dead units? take another x or seed"));

  const long double floor = (std::max)(largest / 1000, noise);
  Index kinks = 0;
  for (Index i = 0; i < count; ++i) {
    if (is_constant(i)) continue;
    Slope slope = slopes[static_cast<std::size_t>(i)];
    const long double a = static_cast<long double>(computed[i]);
    const auto scale = [&] { return (std::max)({std::abs(a), std::abs(slope.value), floor}); };
    const long double share = static_cast<long double>(report.tolerance) / 10;
    if (slope.kink > noise + share * scale()) {  // either a kink, or strong curvature over h, which a smaller step tells apart
      slope = measure_slope(variables[i], step / 16, J_here, compute_loss);
      if (slope.kink > 16 * noise + share * scale()) {
        ++kinks;
        continue;
      }
    }
    const double error = static_cast<double>(std::abs(a - slope.value) / scale());
    ++report.entries;
    if (!is_finite(error) || error > report.worst_error || report.worst_entry.empty()) {
      report.worst_error = is_finite(error) ? error : std::numeric_limits<double>::infinity();
      report.worst_entry = name_of(i);
      report.computed = static_cast<double>(a);
      report.difference = static_cast<double>(slope.value);
    }
  }
  report.kinks += kinks;
  if (2 * kinks > count - constants)
    report.fail(text_of("most entries of ", group, " lie at a kink of J, where there is no derivative; take another x or seed"));
}

/// A name such as "x(2, 5)" for entry i of a column-major matrix.
inline std::string entry_name(const std::string& matrix, Index i, Index rows) {
  return text_of(matrix, "(", i % rows, ", ", i / rows, ")");
}

/// A name such as "layer<1>.weight(3, 0)" for entry i of a layer's slice of theta.
template <class L>
std::string parameter_name(std::size_t layer_index, const L& layer, Index i) {
  const std::string prefix = text_of("layer<", layer_index, ">.");
  for (const TensorShape& tensor : layer.tensors()) {
    if (i < tensor.size()) return entry_name(text_of(prefix, tensor.name), i, tensor.rows);
    i -= tensor.size();
  }
  return prefix + "?";
}

/// Converts targets to long double; returns labels unchanged.
template <class Y>
decltype(auto) in_long_double(const Y& y) {
  if constexpr (LabelVector<Y>) {
    return (y);
  } else {
    return y.template cast<long double>().eval();
  }
}

}  // namespace detail

/// Compares dJ/dtheta and dJ/dx from backward with central differences of J, entry by entry, for this network, x and y. Takes four forward
/// passes per entry, so use a small network and few samples. Frozen parameters are left out. A layer whose whole gradient is zero fails the
/// check, because agreement on zeros proves nothing. The entries of dJ/dx in rows of categories (Embedding) must be 0. Entries at a kink of
/// J are counted but not compared; the check fails if most entries of a layer are at kinks. y: as for backward, so also `weighted(y, w)`.
/// Throws ValueError for an option that is negative or not finite, and what forward and backward throw.
template <class Net, class X, class Y>
GradientReport check_gradient(const Net& net, const Eigen::DenseBase<X>& x, const Y& y, GradientCheckOptions options = {}) {
  using Scalar = typename Net::ScalarType;
  detail::check_not_negative("check_gradient", "tolerance", options.tolerance);
  detail::check_not_negative("check_gradient", "step", options.step);

  auto work = net.make_workspace(x.cols());
  auto gradients = net.make_gradients();
  Matrix<Scalar> input_gradient(x.rows(), x.cols());
  net.forward(x, work);
  net.backward(x, y, work, gradients, input_gradient);

  auto exact = net.template rebind<long double>();
  Matrix<long double> exact_x = x.derived().template cast<long double>();
  const auto given = detail::as_weighted<Scalar>(detail::target_view<Scalar>(y));
  const auto exact_targets = detail::in_long_double(given.targets);
  const Vector<long double> exact_weights = given.weights.template cast<long double>();
  const auto exact_y = weighted(exact_targets, exact_weights, given.mean_weight);
  auto exact_work = exact.make_workspace(x.cols());
  const auto compute_loss = [&] {
    exact_work.set_step(0);  // so that each pass uses the same dropout masks
    exact.forward(exact_x, exact_work);
    return exact.loss(exact_y, exact_work);
  };

  const auto categories = detail::category_rows_of(detail::element(net.layers(), detail::Constant<0>{}));
  GradientReport report;
  using Limits = std::numeric_limits<long double>;
  const double default_tolerance = std::is_same_v<Scalar, float> ? 5e-3 : Limits::digits > 60 ? 1e-7 : 1e-5;
  report.tolerance = options.tolerance > 0 ? options.tolerance : default_tolerance;
  const long double step = options.step > 0 ? static_cast<long double>(options.step) : Limits::digits > 60 ? 1e-4L : 1e-3L;
  detail::for_each_index(net.layers(), [&](auto i) {
    const auto& layer = detail::element(net.layers(), i);
    const std::string group = detail::text_of("layer<", std::size_t{i}, ">");
    const Index begin = gradients.offset(i);
    const auto compare = [&](Index from, Index to) {
      detail::compare_gradient(
          report, group, to - from, gradients.data() + from, exact.parameters().data() + from, step, compute_loss,
          [&](Index k) { return detail::parameter_name(i, layer, from - begin + k); }, [](Index) { return false; });
    };
    if (net.frozen() == nullptr)
      compare(begin, gradients.offset(i + 1));
    else
      net.frozen()->for_each_learning(begin, gradients.offset(i + 1), compare);
  });
  detail::compare_gradient(
      report, "x", x.size(), static_cast<const Scalar*>(input_gradient.data()), exact_x.data(), step, compute_loss,
      [&](Index k) { return detail::entry_name("x", k, x.rows()); },
      [&](Index k) {
        return std::any_of(categories.begin(), categories.end(), [&](const CategoryRow& of) { return of.row == k % x.rows(); });
      });

  if (!(report.worst_error <= report.tolerance)) report.fail("an entry is off by more than the tolerance");
  report.passed = report.failure.empty();
  return report;
}

}  // namespace chainrule
