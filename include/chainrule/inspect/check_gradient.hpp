#pragma once
// Whether backward is right: every entry of dJ/dtheta and dJ/dx against a central difference of J,
//     dJ/dp ~ (J(p + h) - J(p - h)) / 2h
// computed by a copy of the network in long double, so that what is measured is our error and not the difference's.

#include <algorithm>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/targets.hpp>
#include <chainrule/core/views.hpp>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

namespace chainrule {

/// What check_gradient found. The relative error of an entry is |computed - difference| / max(|computed|, |difference|), where
/// entries below a thousandth of their layer's largest are measured against that thousandth.
struct GradientReport {
  bool passed = false;
  double worst_error = 0;   ///< the largest relative error
  std::string worst_entry;  ///< where: "layer<1>.weight(3, 0)" or "x(2, 5)"
  double computed = 0;      ///< the entry there as backward gives it
  double difference = 0;    ///< and as the central difference gives it
  double tolerance = 0;
  Index entries = 0;    ///< how many entries were compared
  std::string failure;  ///< why it did not pass, in a sentence; empty if it did

  explicit operator bool() const { return passed; }

  std::string to_string() const {
    const std::string worst = "worst relative error " + number(worst_error) + " at " + worst_entry + " (backward " + number(computed) +
                              ", central difference " + number(difference) + ")";
    return std::string(passed ? "gradient check passed: " : "gradient check FAILED: " + failure + "; ") + std::to_string(entries) +
           " entries, " + worst + ", tolerance " + number(tolerance);
  }

 private:
  static std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
  }
};

struct GradientCheckOptions {
  double tolerance = 0;  ///< largest relative error that passes; 0: 5e-3 for float, 1e-7 for double and long double
  double step = 1e-6;    ///< h, times max(1, |p|)
};

namespace detail {

/// Compares one group of entries, a layer's or x's, and keeps the worst.
template <class Scalar, class Perturbed, class Name>
void compare_gradient(GradientReport& report, const char* group, Index count, const Scalar* computed, long double* values, double step,
                      const Perturbed& loss_now, const Name& name_of) {
  Vector<long double> difference(count);
  for (Index i = 0; i < count; ++i) {
    const long double p = values[i];
    const long double h = step * std::max(1.0L, std::abs(p));
    values[i] = p + h;
    const long double above = loss_now();
    values[i] = p - h;
    const long double below = loss_now();
    values[i] = p;
    difference[i] = (above - below) / (2 * h);
  }
  const long double largest = count == 0 ? 0.0L : difference.cwiseAbs().maxCoeff();
  if (count > 0 && !(largest > 1e-12L) && report.failure.empty())
    report.failure =
        std::string("the gradient of ") + group + " is zero everywhere, which proves nothing (dead units? take another x or seed)";
  const long double floor = std::max(largest / 1000, 1e-12L);
  for (Index i = 0; i < count; ++i) {
    const long double a = static_cast<long double>(computed[i]);
    const long double d = difference[i];
    const long double error = std::abs(a - d) / std::max({std::abs(a), std::abs(d), floor});
    ++report.entries;
    if (!(error <= static_cast<long double>(report.worst_error)) || report.worst_entry.empty()) {  // written so that NaN is the worst
      report.worst_error = std::isnan(error) ? std::numeric_limits<double>::infinity() : static_cast<double>(error);
      report.worst_entry = name_of(i);
      report.computed = static_cast<double>(a);
      report.difference = static_cast<double>(d);
    }
  }
}

inline std::string entry_name(const std::string& of, Index i, Index rows) {
  return of + "(" + std::to_string(i % rows) + ", " + std::to_string(i / rows) + ")";
}

/// "layer<1>.weight(3, 0)" for entry i of a layer's slice.
template <class L>
std::string parameter_name(std::size_t layer_index, const L& layer, Index i) {
  const std::string prefix = "layer<" + std::to_string(layer_index) + ">.";
  for (const TensorShape& tensor : layer.tensors()) {
    if (i < tensor.rows * tensor.cols) return entry_name(prefix + std::string(tensor.name), i, tensor.rows);
    i -= tensor.rows * tensor.cols;
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

/// Checks backward for this network, x and y, entry by entry: dJ/dtheta and dJ/dx. Costs two forward passes an entry, so give
/// it a small net or a few samples. It cannot pass on zeros: a layer whose whole gradient is zero fails. Where an activation
/// has a kink (ReLU at 0) and a z lies within the step of it, the difference is wrong there, not backward: take another x.
template <class Net, class X, class Y>
GradientReport check_gradient(const Net& net, const Eigen::DenseBase<X>& x, const Y& y, GradientCheckOptions options = {}) {
  using Scalar = typename Net::ScalarType;
  using Exact = typename Net::template Rebind<long double>;

  auto work = net.make_workspace(x.cols());
  auto gradients = net.make_gradients();
  Matrix<Scalar> input_gradient(x.rows(), x.cols());
  net.forward(x, work);
  net.backward(x, y, work, gradients, input_gradient);

  Exact exact = std::apply([](const auto&... layers) { return Exact(Seed{}, layers...); }, net.layers());
  exact.parameters() = net.parameters().template cast<long double>();
  Matrix<long double> exact_x = x.derived().template cast<long double>();
  const auto& exact_y = detail::in_long_double(y);
  auto exact_work = exact.make_workspace(x.cols());
  const auto loss_now = [&] {
    exact.forward(exact_x, exact_work);
    return exact.loss(exact_y, exact_work);
  };

  GradientReport report;
  report.tolerance = options.tolerance > 0 ? options.tolerance : std::is_same_v<Scalar, float> ? 5e-3 : 1e-7;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const auto check_layer = [&](auto i) {
      const auto& layer = std::get<i>(net.layers());
      const std::string group = "layer<" + std::to_string(i()) + ">";
      const Index begin = gradients.offset(i);
      detail::compare_gradient(report, group.c_str(), gradients.offset(i + 1) - begin, gradients.slice(i),
                               exact.parameters().data() + begin, options.step, loss_now,
                               [&](Index k) { return detail::parameter_name(i, layer, k); });
    };
    (check_layer(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(net.layers())>>>{});
  detail::compare_gradient(report, "x", x.size(), static_cast<const Scalar*>(input_gradient.data()), exact_x.data(), options.step, loss_now,
                           [&](Index k) { return detail::entry_name("x", k, x.rows()); });

  if (report.failure.empty() && !(report.worst_error <= report.tolerance)) report.failure = "an entry is off by more than the tolerance";
  report.passed = report.failure.empty();
  return report;
}

}  // namespace chainrule
