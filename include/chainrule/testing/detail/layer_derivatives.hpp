#pragma once
// Checks that a layer's derivatives by x are right: jvp, vjp, forward_jet and backward_jet, each against central differences of functions
// that are simpler, computed in long double.

#include <algorithm>
#include <array>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/detail/sequence.hpp>
#include <chainrule/layers/sample_gradients.hpp>
#include <chainrule/testing/contract_report.hpp>
#include <chainrule/testing/detail/random_data.hpp>
#include <chainrule/testing/detail/strided_copy.hpp>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

namespace chainrule::testing {

/// A layer in prediction mode, with the numbers that its functions read.
template <class Scalar, class L>
class LayerAlone {
 public:
  Vector<Scalar> theta, theta_direction;  ///< theta_direction is empty where theta does not depend on t_1
  Vector<Scalar> buffers;                 ///< numbers that are not trained
  Matrix<Scalar> x, jet;                  ///< inputs x batch, inputs x columns

  /// Makes room for two directions at once.
  LayerAlone(const L& layer, const Vector<Scalar>& parameters, const Vector<Scalar>& numbers, const Matrix<Scalar>& samples)
      : theta(parameters), buffers(numbers), x(samples), layer_{layer}, cache_(layer, 2 * samples.cols()) {}
  /// A copy in long double.
  LayerAlone<long double, L> in_long_double() const {
    LayerAlone<long double, L> copy(layer_, theta.template cast<long double>(), buffers.template cast<long double>(),
                                    x.template cast<long double>());
    copy.theta_direction = theta_direction.template cast<long double>();
    copy.jet = jet.template cast<long double>();
    return copy;
  }

  const L& layer() const { return layer_; }
  auto& cache() { return cache_; }
  const Scalar* direction() const { return theta_direction.size() == 0 ? nullptr : theta_direction.data(); }
  ConstMatrixView<Scalar> x_view() const { return detail::matrix_view(x.data(), x.rows(), x.cols()); }

  /// The output for the samples of a view.
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& samples) {
    if constexpr (ModeIndependent<L>)
      layer_.forward(theta.data(), samples, cache_);
    else
      layer_.forward(theta.data(), samples, cache_, ForwardContext<Scalar>{Mode::predict, buffers.data(), {}, 0, nullptr});
    return std::as_const(cache_).output.first(samples.cols());
  }

 private:
  L layer_;
  typename L::template Cache<Scalar, Dynamic> cache_;
};

/// Steps and tolerances of the differences.
template <class Scalar>
struct DifferenceOptions {
  static constexpr bool is_extended = std::numeric_limits<long double>::digits > 60;
  static constexpr long double step = is_extended ? 1e-4L : 1e-3L;
  static constexpr double tolerance = std::is_same_v<Scalar, float> ? 1e-4 : is_extended ? 1e-6 : 1e-4;
};

/// The largest difference of two matrices, divided by the largest number of the second, or by 1 if that is larger; infinity for NaN.
template <class Scalar>
double relative_difference(const Matrix<Scalar>& computed, const Matrix<long double>& expected) {
  const Matrix<long double> difference = computed.template cast<long double>() - expected;
  if (!difference.allFinite()) return std::numeric_limits<double>::infinity();
  return static_cast<double>(difference.cwiseAbs().maxCoeff() / (std::max)(1.0L, expected.cwiseAbs().maxCoeff()));
}

/// Checks jvp and vjp along two directions at once, for samples and results with gaps between their columns.
template <class Scalar, class L>
void check_products_of_layer(ContractReport& report, LayerAlone<Scalar, L> alone, Random& random) {
  using Options = DifferenceOptions<Scalar>;
  const Index batch = alone.x.cols(), columns = 2 * batch, outputs = alone.layer().outputs();
  const Matrix<Scalar> u = random_directions<Scalar>(alone.layer(), columns, random), v = random_matrix<Scalar>(outputs, columns, random);
  StridedCopy<Scalar> strided_x(alone.x), strided_u(u), by_x(Matrix<Scalar>::Zero(u.rows(), columns));
  const ConstMatrixView<Scalar> x = detail::as_const(strided_x.view());
  alone.forward(x);
  StridedCopy<Scalar> strided_along_u(Matrix<Scalar>::Constant(outputs, columns, std::numeric_limits<Scalar>::quiet_NaN()));
  alone.layer().jvp(alone.theta.data(), x, alone.cache(), detail::as_const(strided_u.view()), strided_along_u.view());
  const Matrix<Scalar> along_u = strided_along_u.view();
  auto exact = alone.in_long_double();
  Matrix<long double> difference(outputs, columns);
  for (Index k = 0; k < 2; ++k) {
    const Matrix<long double> step = Options::step * u.middleCols(k * batch, batch).template cast<long double>();
    exact.x += step;
    difference.middleCols(k * batch, batch) = exact.forward(exact.x_view());
    exact.x -= 2 * step;
    difference.middleCols(k * batch, batch) -= exact.forward(exact.x_view());
    exact.x += step;
  }
  const double error = relative_difference(along_u, (difference / (2 * Options::step)).eval());
  report.clause("jvp", error <= Options::tolerance,
                {"it differs by ", error, " from the central difference of forward in prediction mode"});
  report.clause("jvp", strided_along_u.padding_is_untouched(), {"it writes outside the derivative"});

  StridedCopy<Scalar> delta(v);  // vjp may overwrite it
  MatrixView<Scalar> result = by_x.view();
  result.setConstant(std::numeric_limits<Scalar>::quiet_NaN());
  alone.layer().vjp(alone.theta.data(), x, alone.cache(), delta.view(), result);
  for (Index k = 0; k < 2; ++k) {
    const Scalar forward = v.middleCols(k * batch, batch).cwiseProduct(along_u.middleCols(k * batch, batch)).sum();
    const Scalar backward = result.middleCols(k * batch, batch).cwiseProduct(u.middleCols(k * batch, batch)).sum();
    report.clause("vjp", std::abs(forward - backward) <= 1000 * std::numeric_limits<Scalar>::epsilon() * (1 + std::abs(forward)),
                  {"v^T jvp(u) is ", forward, ", but vjp(v)^T u is ", backward});
  }
  report.clause("vjp", by_x.padding_is_untouched(), {"it writes outside dJ/dx"});
}

/// Whether a row of x is one of these.
inline bool is_in(std::span<const CategoryRow> rows, Index row) {
  return std::any_of(rows.begin(), rows.end(), [&](const CategoryRow& of) { return of.row == row; });
}

/// Checks forward_jet and backward_jet with two directions: with two second derivatives, or, with a direction of theta, without.
template <class Scalar, class L>
void check_jets_of_layer(ContractReport& report, LayerAlone<Scalar, L> alone, bool with_theta_direction, Random& random) {
  using Options = DifferenceOptions<Scalar>;
  const std::vector<SecondDerivativeTerm> terms{{0, 0, 0, 1}, {0, 1, 1, -2}, {1, 0, 1, 0.5}};
  const Index batch = alone.x.cols(), inputs = alone.x.rows(), outputs = alone.layer().outputs();
  const JetShape shape = with_theta_direction ? JetShape{batch, 2, 0} : JetShape{batch, 2, 2, terms};
  const Index columns = shape.columns();
  alone.jet = random_directions<Scalar>(alone.layer(), columns, random);
  if (with_theta_direction) alone.theta_direction = random_matrix<Scalar>(alone.theta.size(), 1, random);
  StridedCopy<Scalar> strided_x(alone.x);
  const ConstMatrixView<Scalar> x = detail::as_const(strided_x.view());
  const auto view = [](auto& m) { return detail::matrix_view(m.data(), m.rows(), m.cols()); };

  // the jet of the output, by central differences of forward
  alone.forward(x);
  typename L::template JetCache<Scalar> jet_cache(alone.layer(), batch, columns);
  alone.layer().forward_jet(alone.theta.data(), alone.direction(), x, alone.cache(), shape, detail::as_const(view(alone.jet)), jet_cache);
  const Matrix<Scalar> computed = std::as_const(jet_cache).output.first(columns);
  auto exact = alone.in_long_double();
  const auto at = exact;
  // forward at x + sum of t_c x_c, where t_1 also moves theta
  const auto moved = [&](std::initializer_list<std::pair<Index, long double>> steps) -> Matrix<long double> {
    exact.x = at.x;
    exact.theta = at.theta;
    for (const auto& [c, t] : steps) {
      exact.x += t * at.jet.middleCols(c * batch, batch);
      if (c == 0 && with_theta_direction) exact.theta += t * at.theta_direction;
    }
    return exact.forward(exact.x_view());
  };
  constexpr long double h = Options::step;
  Matrix<long double> expected(outputs, columns);
  for (Index c = 0; c < shape.channels(); ++c) expected.middleCols(c * batch, batch) = (moved({{c, h}}) - moved({{c, -h}})) / (2 * h);
  for (const auto& [p, k, l, coefficient] : shape.terms)
    expected.middleCols((shape.first + p) * batch, batch) +=
        static_cast<long double>(coefficient) *
        (moved({{k, h}, {l, h}}) - moved({{k, h}, {l, -h}}) - moved({{k, -h}, {l, h}}) + moved({{k, -h}, {l, -h}})) / (4 * h * h);
  const double error = relative_difference(computed, expected);
  report.clause("forward_jet", error <= Options::tolerance,
                {"the jet of the output", with_theta_direction ? " with a direction of theta" : "", " differs by ", error,
                 " from central differences of forward in prediction mode"});
  if (!with_theta_direction && !detail::missing_derivative<Scalar>(alone.layer(), 3).empty()) return;

  // J = sum of factors * (output and its jet), whose gradients are compared with central differences
  const Matrix<Scalar> factors = random_matrix<Scalar>(outputs, batch + columns, random);
  exact = at;
  typename L::template JetCache<long double> exact_jet_cache(exact.layer(), batch, columns);
  const auto J = [&] {
    long double sum = exact.forward(exact.x_view()).cwiseProduct(factors.leftCols(batch).template cast<long double>()).sum();
    exact.layer().forward_jet(exact.theta.data(), exact.direction(), exact.x_view(), exact.cache(), shape,
                              detail::as_const(view(exact.jet)), exact_jet_cache);
    return sum + exact_jet_cache.output.first(columns).cwiseProduct(factors.rightCols(columns).template cast<long double>()).sum();
  };
  const auto gradients = [&](bool with_theta, bool with_x) {
    constexpr Scalar nan = std::numeric_limits<Scalar>::quiet_NaN();
    Matrix<Scalar> delta = factors.leftCols(batch), deltas = factors.rightCols(columns);
    Vector<Scalar> by_theta = Vector<Scalar>::Constant(alone.theta.size(), nan);
    Matrix<Scalar> by_x = Matrix<Scalar>::Constant(inputs, batch, nan), by_jet = Matrix<Scalar>::Constant(inputs, columns, nan);
    MatrixView<Scalar> x_view = view(by_x), jet_view = view(by_jet);
    alone.layer().backward_jet(alone.theta.data(), alone.direction(), x, alone.cache(), shape, detail::as_const(view(alone.jet)), jet_cache,
                               view(delta), view(deltas), with_theta ? by_theta.data() : nullptr, with_x ? &x_view : nullptr,
                               with_x ? &jet_view : nullptr);
    return std::array<Matrix<Scalar>, 3>{by_theta, by_x, by_jet};
  };
  const auto computed_gradients = gradients(true, true);
  const auto check_gradient = [&](const char* by, const Matrix<Scalar>& gradient, auto& variables,
                                  std::span<const CategoryRow> constant_rows = {}) {
    if (gradient.size() == 0) return;
    Matrix<long double> differences(gradient.rows(), gradient.cols());
    for (Index i = 0; i < gradient.size(); ++i) {
      long double& variable = variables.data()[i];
      const long double before = variable;
      if (is_in(constant_rows, i % gradient.rows())) continue;  // a category cannot be moved a little
      variable = before + h;
      differences.data()[i] = J();
      variable = before - h;
      differences.data()[i] = (differences.data()[i] - J()) / (2 * h);
      variable = before;
    }
    for (const CategoryRow& of : constant_rows) differences.row(of.row).setZero();
    const double gradient_error = relative_difference(gradient, differences);
    report.clause("backward_jet", gradient_error <= Options::tolerance,
                  {"the gradient by ", by, with_theta_direction ? ", with a direction of theta," : "", " differs by ", gradient_error,
                   " from the central difference of a J that depends on the output and its jet"});
  };
  check_gradient("theta", computed_gradients[0], exact.theta);
  check_gradient("x", computed_gradients[1], exact.x, detail::category_rows_of(exact.layer()));
  check_gradient("the jet of x", computed_gradients[2], exact.jet);
  const auto without_x = gradients(true, false), without_theta = gradients(false, true);
  report.clause(
      "backward_jet",
      without_x[0] == computed_gradients[0] && without_theta[1] == computed_gradients[1] && without_theta[2] == computed_gradients[2],
      {"it gives other numbers where not all gradients are asked for"});
}

/// Checks sample_gradients along two directions at once, for samples with gaps between their columns, and the norms of single samples.
template <class Scalar, class L>
void check_sample_gradients_of_layer(ContractReport& report, LayerAlone<Scalar, L> alone, Random& random) {
  using Options = DifferenceOptions<Scalar>;
  constexpr Scalar nan = std::numeric_limits<Scalar>::quiet_NaN();
  const Index batch = alone.x.cols(), columns = 2 * batch, inputs = alone.x.rows(), outputs = alone.layer().outputs();
  const Index parameters = alone.theta.size();
  const Matrix<Scalar> v = random_matrix<Scalar>(outputs, columns, random);
  StridedCopy<Scalar> strided_x(alone.x);
  const ConstMatrixView<Scalar> x = detail::as_const(strided_x.view());
  const auto view = [](auto& m) { return detail::matrix_view(m.data(), m.rows(), m.cols()); };
  // column 2 j + k: the gradient of sample j along v of direction k
  MatrixView<Scalar>* const no_by_x = nullptr;
  const auto gradients = [&](MatrixView<Scalar>* dX) {
    Matrix<Scalar> all = Matrix<Scalar>::Constant(parameters, columns, nan);
    StridedCopy<Scalar> delta(v);
    alone.forward(x);
    alone.layer().sample_gradients(alone.theta.data(), x, alone.cache(), delta.view(), SampleGradients<Scalar>(view(all), batch, 2, 0), dX);
    return all;
  };
  Matrix<Scalar> by_x = Matrix<Scalar>::Constant(inputs, columns, nan), by_x_of_vjp = by_x, delta = v;
  MatrixView<Scalar> by_x_view = view(by_x), vjp_view = view(by_x_of_vjp);
  const Matrix<Scalar> computed = gradients(&by_x_view);

  auto exact = alone.in_long_double();
  Matrix<long double> expected(parameters, columns);
  for (Index i = 0; i < parameters; ++i) {
    const long double theta_i = exact.theta[i];
    exact.theta[i] = theta_i + Options::step;
    Matrix<long double> difference = exact.forward(exact.x_view());
    exact.theta[i] = theta_i - Options::step;
    difference -= exact.forward(exact.x_view());
    exact.theta[i] = theta_i;
    for (Index c = 0; c < columns; ++c)
      expected(i, c % batch * 2 + c / batch) = v.col(c).template cast<long double>().dot(difference.col(c % batch)) / (2 * Options::step);
  }
  const double error = relative_difference(computed, expected);
  report.clause("sample_gradients", error <= Options::tolerance,
                {"a gradient by theta differs by ", error, " from the central difference of forward in prediction mode"});

  alone.forward(x);
  alone.layer().vjp(alone.theta.data(), x, alone.cache(), view(delta), vjp_view);
  const double error_by_x = relative_difference(by_x, by_x_of_vjp.template cast<long double>().eval());
  report.clause("sample_gradients", error_by_x <= Options::tolerance, {"dJ/dx differs by ", error_by_x, " from that of vjp"});
  report.clause("sample_gradients", gradients(no_by_x) == computed, {"it gives other numbers where no dJ/dx is asked for"});

  Matrix<Scalar> norms = Matrix<Scalar>::Zero(1, batch);
  delta = v;
  alone.forward(x);
  alone.layer().sample_gradients(alone.theta.data(), x, alone.cache(), detail::columns_of(view(delta), 0, batch),
                                 SampleGradients<Scalar>(norms.data(), 1, batch), no_by_x);
  for (Index j = 0; j < batch; ++j) {
    const Scalar norm = computed.col(2 * j).norm();
    report.clause("sample_gradients", std::abs(norms(0, j) - norm) <= 1000 * std::numeric_limits<Scalar>::epsilon() * norm,
                  {"the norm of a gradient is ", norm, ", but ", norms(0, j), " is computed where only norms are asked for"});
  }
}

/// Checks the derivatives that a layer has. Clauses of the report: jvp, vjp, sample_gradients, forward_jet,
/// backward_jet.
template <class Scalar, class L>
void check_derivatives_of_layer(ContractReport& report, const L& layer, const Vector<Scalar>& theta, const Vector<Scalar>& buffers,
                                const Matrix<Scalar>& x) {
  Random random{Seed{5}};
  const LayerAlone<Scalar, L> alone(layer, theta, buffers, x);
  if constexpr (detail::HasInputDerivatives<L, Scalar>) check_products_of_layer(report, alone, random);
  if constexpr (detail::HasInputDerivatives<L, Scalar> && detail::HasSampleGradients<L, Scalar>) {
    Random random_of_samples{Seed{6}};
    check_sample_gradients_of_layer(report, alone, random_of_samples);
  }
  if constexpr (detail::HasJet<L, Scalar>) {
    if (!detail::missing_derivative<Scalar>(layer, 2).empty()) return;
    check_jets_of_layer(report, alone, false, random);
    check_jets_of_layer(report, alone, true, random);
  }
}

}  // namespace chainrule::testing
