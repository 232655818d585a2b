#pragma once
// Whether backward is right: every entry of dJ/dtheta and dJ/dx against a central difference of J,
//     dJ/dp ~ (J(p + h) - J(p - h)) / 2h
// computed by a copy of the network in long double, so that what is measured is our error and not the difference's.

#include <algorithm>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/targets.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace chainrule {

/// What check_gradient found. The relative error of an entry is |computed - difference| / max(|computed|, |difference|), where
/// entries below a thousandth of their layer's largest are measured against that thousandth.
struct GradientReport {
  bool passed = false;      ///< whether all is right
  double worst_error = 0;   ///< the largest relative error
  std::string worst_entry;  ///< where: "layer<1>.weight(3, 0)" or "x(2, 5)"
  double computed = 0;      ///< the entry there as backward gives it
  double difference = 0;    ///< and as the central difference gives it
  double tolerance = 0;     ///< the largest relative error that passes
  Index entries = 0;        ///< how many entries were compared
  Index kinks = 0;          ///< and how many not, because J has a kink there (a ReLU at 0): its slopes to the left and right differ
  std::string failure;      ///< why it did not pass, in a sentence; empty if it did

  explicit operator bool() const { return passed; }  ///< passed

  /// Notes the first reason not to pass.
  void fail(const std::string& reason) {
    if (failure.empty()) failure = reason;
  }

  /// All of it in one line.
  std::string to_string() const {
    return detail::text_of(passed ? "gradient check passed: " : "gradient check FAILED: ", failure, passed ? "" : "; ", entries,
                           " entries, ", kinks, " more at kinks, worst relative error ", number(worst_error), " at ", worst_entry,
                           " (backward ", number(computed), ", central difference ", number(difference), "), tolerance ",
                           number(tolerance));
  }

 private:
  static std::string number(double value) { return detail::printed(value, 3, 'g'); }
};

/// How exact check_gradient is.
struct GradientCheckOptions {
  double tolerance = 0;  ///< largest relative error that passes; 0: 5e-3 for float, otherwise 1e-7 (1e-5 where long double is double)
  double step = 0;       ///< h, times max(1, |p|); 0: 1e-4 (1e-3 where long double is double)
};

namespace detail {

/// J's derivative at one entry p, from steps h and h/16.
struct Slope {
  long double value;  ///< the central differences of both steps, extrapolated to h = 0 (Richardson), so that h^2 drops out
  long double kink;   ///< how much the slope jumps between p - h and p + h beyond what curvature explains; 0 where J is smooth
};

/// The slope of J (`loss_now()`) at one of the values that it depends on; puts the value back.
template <class LossNow>
Slope measure_slope(long double& value, long double step, long double here, const LossNow& loss_now) {
  const long double p = value;
  const auto side_by_side = [&](long double h) {
    value = p + h;
    const long double right = (loss_now() - here) / h;
    value = p - h;
    const long double left = (here - loss_now()) / h;
    return std::pair{(right + left) / 2, right - left};
  };
  const long double h = step * std::max(1.0L, std::abs(p));
  const auto [far, far_gap] = side_by_side(h);
  const auto [near, near_gap] = side_by_side(h / 16);
  value = p;
  // a central difference is off by about h^2, and right - left = h J'' where J is smooth
  return {near + (near - far) / 255, std::abs(far_gap - 16 * near_gap)};
}

/// Compares one group of entries, a layer's or x's, and keeps the worst.
template <class Scalar, class LossNow, class Name>
void compare_gradient(GradientReport& report, const std::string& group, Index count, const Scalar* computed, long double* values,
                      long double step, const LossNow& loss_now, const Name& name_of) {
  if (count == 0) return;
  const long double here = loss_now();
  const long double noise = 2000 * std::numeric_limits<long double>::epsilon() * std::max(1.0L, std::abs(here)) / step;
  std::vector<Slope> slopes;
  slopes.reserve(static_cast<std::size_t>(count));
  long double largest = 0;
  for (Index i = 0; i < count; ++i) {
    slopes.push_back(measure_slope(values[i], step, here, loss_now));
    largest = std::max(largest, std::abs(slopes.back().value));
  }
  if (!std::isfinite(here)) report.fail("J itself is not finite");
  if (!(largest > noise))
    report.fail(text_of("the gradient of ", group, " is zero everywhere, which proves nothing; dead units? take another x or seed"));

  const long double floor = std::max(largest / 1000, noise);
  Index kinks = 0;
  for (Index i = 0; i < count; ++i) {
    Slope slope = slopes[static_cast<std::size_t>(i)];
    const long double a = static_cast<long double>(computed[i]);
    const auto scale = [&] { return std::max({std::abs(a), std::abs(slope.value), floor}); };
    const long double share = static_cast<long double>(report.tolerance) / 10;
    if (slope.kink > noise + share * scale()) {  // a kink, or J is curved strongly over h: then it is not over h/16
      slope = measure_slope(values[i], step / 16, here, loss_now);
      if (slope.kink > 16 * noise + share * scale()) {
        ++kinks;
        continue;
      }
    }
    const long double error = std::abs(a - slope.value) / scale();
    ++report.entries;
    if (!(error <= static_cast<long double>(report.worst_error)) || report.worst_entry.empty()) {  // written so that NaN is the worst
      report.worst_error = std::isnan(error) ? std::numeric_limits<double>::infinity() : static_cast<double>(error);
      report.worst_entry = name_of(i);
      report.computed = static_cast<double>(a);
      report.difference = static_cast<double>(slope.value);
    }
  }
  report.kinks += kinks;
  if (2 * kinks > count)
    report.fail(text_of("most entries of ", group, " lie at a kink of J, where there is no derivative; take another x or seed"));
}

inline std::string entry_name(const std::string& of, Index i, Index rows) { return text_of(of, "(", i % rows, ", ", i / rows, ")"); }

/// "layer<1>.weight(3, 0)" for entry i of a layer's slice.
template <class L>
std::string parameter_name(std::size_t layer_index, const L& layer, Index i) {
  const std::string prefix = text_of("layer<", layer_index, ">.");
  for (const TensorShape& tensor : layer.tensors()) {
    if (i < tensor.size()) return entry_name(text_of(prefix, tensor.name), i, tensor.rows);
    i -= tensor.size();
  }
  return prefix + "?";
}

/// Targets for the copy in long double: labels as they are, a matrix converted.
template <class Y>
decltype(auto) in_long_double(const Y& y) {
  if constexpr (LabelVector<Y>) {
    return (y);
  } else {
    return y.template cast<long double>().eval();
  }
}

}  // namespace detail

/// Checks backward for this network, x and y, entry by entry: dJ/dtheta and dJ/dx. Costs four forward passes an entry, so give
/// it a small net or a few samples. It cannot pass on zeros: a layer whose whole gradient is zero fails. Entries at a kink of
/// J are counted, not judged; where they are the most of a layer, that fails too.
template <class Net, class X, class Y>
GradientReport check_gradient(const Net& net, const Eigen::DenseBase<X>& x, const Y& y, GradientCheckOptions options = {}) {
  using Scalar = typename Net::ScalarType;

  auto work = net.make_workspace(x.cols());
  auto gradients = net.make_gradients();
  Matrix<Scalar> input_gradient(x.rows(), x.cols());
  net.forward(x, work);
  net.backward(x, y, work, gradients, input_gradient);

  auto exact = net.template rebind<long double>();
  Matrix<long double> exact_x = x.derived().template cast<long double>();
  const auto& exact_y = detail::in_long_double(y);
  auto exact_work = exact.make_workspace(x.cols());
  const auto loss_now = [&] {
    exact_work.set_step(0);  // the same dropout masks each time
    exact.forward(exact_x, exact_work);
    return exact.loss(exact_y, exact_work);
  };

  GradientReport report;
  using Limits = std::numeric_limits<long double>;
  const double default_tolerance = std::is_same_v<Scalar, float> ? 5e-3 : Limits::digits > 60 ? 1e-7 : 1e-5;
  report.tolerance = options.tolerance > 0 ? options.tolerance : default_tolerance;
  const long double step = options.step > 0 ? static_cast<long double>(options.step) : Limits::digits > 60 ? 1e-4L : 1e-3L;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const auto check_layer = [&](auto i) {
      const auto& layer = std::get<i>(net.layers());
      const std::string group = detail::text_of("layer<", i(), ">");
      const Index begin = gradients.offset(i);
      detail::compare_gradient(report, group, gradients.offset(i + 1) - begin, gradients.slice(i), exact.parameters().data() + begin, step,
                               loss_now, [&](Index k) { return detail::parameter_name(i, layer, k); });
    };
    (check_layer(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(net.layers())>>>{});
  detail::compare_gradient(report, "x", x.size(), static_cast<const Scalar*>(input_gradient.data()), exact_x.data(), step, loss_now,
                           [&](Index k) { return detail::entry_name("x", k, x.rows()); });

  if (!(report.worst_error <= report.tolerance)) report.fail("an entry is off by more than the tolerance");
  report.passed = report.failure.empty();
  return report;
}

}  // namespace chainrule
