#pragma once
// Checks that a layer, of the library or your own, satisfies the contract of layers, with fixed extents, with dynamic ones, or with both:
//     chainrule::ContractReport report = chainrule::testing::check_layer(MyLayer<5>{}, MyLayer<chainrule::Dynamic>{5});
// The layer is trained as a network of its own with SquaredError, whose delta has no structure that could hide a fault.

#include <chainrule/inspect/check_gradient.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/testing/contract_report.hpp>
#include <chainrule/testing/detail/layer_derivatives.hpp>
#include <chainrule/testing/detail/random_data.hpp>
#include <chainrule/testing/detail/strided_copy.hpp>
#include <set>

namespace chainrule {

/// Properties of one layer that check_layer needs to know.
struct LayerProperties {
  std::vector<double> initial_parameters = {};  ///< theta of a new layer from Seed{1}; empty if there are none or they are random
  bool samples_independent = true;              ///< whether in training the output for a sample does not depend on the other samples
  /// Whether gradients are straight-through ones, which are not the derivatives of forward, because it rounds. Leaves out the clauses that
  /// compare derivatives with differences: gradient, jvp, vjp, sample_gradients, forward_jet, backward_jet.
  bool straight_through = false;
};

namespace testing {

/// Default for the `prepare` argument of check_layer: the layer needs no preparation.
struct NoPreparation {
  /// Does nothing.
  template <class Net>
  void operator()(Net&) const {}
};

/// A network of this layer alone, with random numbers added to its initial parameters, so that none of them is 0 or 1.
template <class Scalar, class L, class Prepare>
auto net_of(const L& layer, const Prepare& prepare) {
  auto net = make_network<Scalar, SquaredError>(Seed{1}, layer);
  Random random{Seed{2}};
  for (Index i = 0; i < net.parameters().size(); ++i) net.parameters()[i] += static_cast<Scalar>(random.uniform() / 2 - 0.1);
  prepare(net);
  return net;
}

/// All numbers that three training steps compute, in this order in each step: outputs, dJ/dtheta, dJ/dx, theta, buffers, predictions.
template <class Net, class Scalar = typename Net::ScalarType>
std::vector<Scalar> training_numbers(Net net, ConstMatrixView<Scalar> x, const Matrix<Scalar>& y, MatrixView<Scalar> dJ_dx) {
  auto work = net.make_workspace(x.cols() + 2);
  auto dJ = net.make_gradients();
  std::vector<Scalar> numbers;
  const auto keep = [&numbers](const auto& m) {
    for (Index j = 0; j < m.cols(); ++j)
      for (Index i = 0; i < m.rows(); ++i) numbers.push_back(m(i, j));
  };
  for (int step = 0; step < 3; ++step) {
    dJ.flat().setConstant(std::numeric_limits<Scalar>::quiet_NaN());  // so that an entry that backward does not set is noticed
    dJ_dx.setConstant(std::numeric_limits<Scalar>::quiet_NaN());
    keep(net.forward(x, work));
    net.backward(x, y, work, dJ, dJ_dx);
    keep(dJ.flat());
    keep(dJ_dx);
    net.parameters() -= Scalar(0.1) * dJ.flat();
    net.update_statistics(work);
    keep(net.parameters());
    keep(net.buffers());
    keep(net.predict(x, work));
  }
  return numbers;
}

/// Compares dJ/dtheta and dJ/dx with central differences; no entry may be at a kink.
template <class Net, class Scalar>
void check_gradients_of_layer(ContractReport& report, const Net& net, const Matrix<Scalar>& x, const Matrix<Scalar>& y) {
  const GradientReport gradients = check_gradient(net, x, y, {.tolerance = std::is_same_v<Scalar, float> ? 0 : 1e-7});
  report.clause("gradient", gradients.passed && gradients.kinks == 0, {gradients.to_string()});
}

/// Outputs and dJ/dtheta, in one vector, of a pass over the samples first, ..., first + count - 1 of x; backward computes dJ/dx too if
/// with_dJ_dx is set.
template <class Net, class Work, class Scalar>
Vector<Scalar> pass_results(const Net& net, Work& work, const Matrix<Scalar>& x, const Matrix<Scalar>& y, Index first, Index count,
                            bool with_dJ_dx) {
  const ConstMatrixView<Scalar> x_part = detail::matrix_view(x.col(first).data(), x.rows(), count);
  const ConstMatrixView<Scalar> y_part = detail::matrix_view(y.col(first).data(), y.rows(), count);
  work.set_step(0);
  work.set_first_sample(first);
  auto dJ = net.make_gradients();
  Vector<Scalar> numbers(y_part.size() + dJ.size());
  numbers.head(y_part.size()) = net.forward(x_part, work).reshaped();
  Matrix<Scalar> dJ_dx(x.rows(), count);
  if (with_dJ_dx)
    net.backward(x_part, y_part, work, dJ, dJ_dx);
  else
    net.backward(x_part, y_part, work, dJ);
  numbers.tail(dJ.size()) = dJ.flat();
  return numbers;
}

/// Checks that backward gives the same dJ/dtheta without dJ/dx, and that a short batch after a longer one gives what it gives alone.
template <class Net, class Scalar>
void check_other_passes(ContractReport& report, const Net& net, const Matrix<Scalar>& x, const Matrix<Scalar>& y) {
  auto work = net.make_workspace(x.cols());
  auto fresh = net.make_workspace(x.cols());
  const bool same_without = pass_results(net, work, x, y, 0, x.cols(), true) == pass_results(net, work, x, y, 0, x.cols(), false);
  report.clause("without dJ/dx", same_without, {"backward gives another dJ/dtheta if no dJ/dx is requested (input_gradient is nullptr)"});
  const bool same_as_fresh = pass_results(net, work, x, y, 0, 2, false) == pass_results(net, fresh, x, y, 0, 2, false);
  report.clause("short batch", same_as_fresh,
                {"a batch of 2 after one of ", x.cols(),
                 " gives other outputs or another dJ/dtheta than in a new workspace: does it read beyond its batch, or numbers left over "
                 "from the batch before?"});
}

/// Checks that input_gradient, which calls vjp, gives the dJ/dx of backward after a pass in training.
template <class L, class Net, class Scalar>
void check_vjp_in_training(ContractReport& report, const Net& net, const Matrix<Scalar>& x, const Matrix<Scalar>& y) {
  if constexpr (detail::HasInputDerivatives<L, Scalar>) {
    auto work = net.make_workspace(x.cols());
    auto dJ = net.make_gradients();
    Matrix<Scalar> dJ_dx(x.rows(), x.cols()), alone(x.rows(), x.cols());
    net.forward(x, work);
    net.backward(x, y, work, dJ, dJ_dx);
    net.input_gradient(x, y, work, alone);
    report.clause("vjp in training", alone == dJ_dx, {"vjp gives another dJ/dx than backward, after the same forward pass in training"});
  }
}

/// Checks that a layer with statistics that is frozen keeps them in a training pass, and, unless gradients are straight-through ones, that
/// its dJ/dx is that of this pass.
template <class Net, class Scalar>
void check_frozen(ContractReport& report, Net net, const Matrix<Scalar>& x, const Matrix<Scalar>& y, const LayerProperties& properties) {
  net.freeze(0);
  const Vector<Scalar> statistics = net.buffers();
  auto work = net.make_workspace(x.cols());
  net.forward(x, work);
  net.update_statistics(work);
  report.clause("frozen", net.buffers() == statistics, {"a training pass changes the statistics of a layer that is frozen"});
  if (properties.straight_through) return;
  const GradientReport gradients = check_gradient(net, x, y, {.tolerance = std::is_same_v<Scalar, float> ? 0 : 1e-7});
  report.clause(
      "frozen", gradients.passed && gradients.kinks == 0,
      {"dJ/dx of backward is wrong after a training pass of a frozen layer, whose context says Mode::predict: ", gradients.to_string()});
}

/// Checks that a batch of n gives the outputs of n batches of one sample each, and that its dJ/dtheta is the mean of theirs.
template <class Net, class Scalar>
void check_single_samples(ContractReport& report, const Net& net, const Matrix<Scalar>& x, const Matrix<Scalar>& y) {
  auto work = net.make_workspace(x.cols());
  const Vector<Scalar> batch = pass_results(net, work, x, y, 0, x.cols(), false);
  Vector<Scalar> singles = Vector<Scalar>::Zero(batch.size());
  for (Index j = 0; j < x.cols(); ++j) {
    const Vector<Scalar> single = pass_results(net, work, x, y, j, 1, false);
    singles.segment(j * y.rows(), y.rows()) = single.head(y.rows());
    singles.tail(singles.size() - y.size()) += single.tail(single.size() - y.rows()) / static_cast<Scalar>(x.cols());
  }
  Scalar worst = 0;
  for (Index i = 0; i < singles.size(); ++i) worst = (std::max)(worst, std::abs(singles[i] - batch[i]));
  report.clause("single samples", worst <= 32 * std::numeric_limits<Scalar>::epsilon(),
                {"the outputs of a batch of ", x.cols(), " and its dJ/dtheta differ by up to ", worst,
                 " from the outputs of its samples one by one and the mean of their dJ/dtheta",
                 "; if a sample's output depends on the other samples, set .samples_independent = false"});
}

/// Checks that parameters_at_compile_time and buffers_at_compile_time agree with the tensors, and that the tensors have different names.
template <class L>
void check_tensors(ContractReport& report, const L& layer) {
  const auto tensors = layer.tensors();
  const auto buffer_tensors = detail::buffer_tensors_of(layer);
  report.clause("tensors", detail::parameter_count(layer) == detail::size_of_tensors(tensors),
                {"parameters_at_compile_time says ", detail::parameter_count(layer), " parameters, but tensors() has ",
                 detail::size_of_tensors(tensors)});
  report.clause("tensors", detail::buffer_count(layer) == detail::size_of_tensors(buffer_tensors),
                {"buffers_at_compile_time says ", detail::buffer_count(layer), " numbers, but buffer_tensors() has ",
                 detail::size_of_tensors(buffer_tensors)});
  std::set<std::string_view> names;
  for (const auto& tensor : tensors) names.insert(tensor.name);
  for (const auto& tensor : buffer_tensors) names.insert(tensor.name);
  report.clause("tensors", names.size() == tensors.size() + buffer_tensors.size() && !names.contains(""),
                {"each tensor needs a name that no other tensor of the layer has"});
}

/// Checks that initialize() sets every parameter, to the values in the properties if they name them.
template <class Scalar, class L>
void check_initial_parameters(ContractReport& report, const L& layer, const LayerProperties& properties) {
  Vector<Scalar> theta = Vector<Scalar>::Constant(detail::parameter_count(layer), std::numeric_limits<Scalar>::quiet_NaN());
  Random random{Seed{1}};
  layer.initialize(theta.data(), random);
  report.clause("initial parameters", theta.allFinite(), {"initialize() leaves a parameter NaN or infinite"});
  if (properties.initial_parameters.empty()) return;
  const auto initial = make_network<Scalar, SquaredError>(Seed{1}, layer);
  const std::vector<Scalar> expected(properties.initial_parameters.begin(), properties.initial_parameters.end());
  const bool as_expected = std::vector<Scalar>(initial.parameters().begin(), initial.parameters().end()) == expected;
  report.clause("initial parameters", as_expected,
                {"a new layer has other parameters (", initial.parameters().size(), " of them) than the ", expected.size(),
                 " of .initial_parameters"});
}

/// Repeats the three steps that gave `numbers` with x and dJ/dx whose columns have an outer stride and NaN around them. Checks that the
/// numbers are the same and that nothing is written outside the columns.
template <class Net, class Scalar>
void check_strided_columns(ContractReport& report, const Net& net, const Matrix<Scalar>& x, const Matrix<Scalar>& y,
                           const std::vector<Scalar>& numbers) {
  StridedCopy<Scalar> strided_x(x), strided_dJ_dx(x);
  const bool same = !numbers.empty() && training_numbers(net, detail::as_const(strided_x.view()), y, strided_dJ_dx.view()) == numbers;
  report.clause(
      "strided columns", same,
      {"three steps give other numbers, or NaN, if the columns of x and dJ/dx have an outer stride and NaN around them: use outerStride(), "
       "stay within the batch, and set all of dJ/dtheta and dJ/dx"});
  report.clause("strided columns", strided_dJ_dx.padding_is_untouched(), {"backward writes outside dJ/dx"});
}

/// Runs all checks of a layer. Its forward and backward must be templates that take double and long double, for the gradient check.
/// Rows of x that the layer's category_rows() names get categories. `prepare(net)` sets what the layer needs before it works, such as its
/// buffers. Clauses of the report: name, tensors, initial parameters, gradient, without dJ/dx, short batch, single samples (unless the
/// properties deny it), strided columns; and for the derivatives that the layer has, in prediction mode: jvp, vjp, sample_gradients,
/// forward_jet, backward_jet, and vjp in training; frozen for a layer with statistics. See LayerProperties for those that are left out.
template <class Scalar = double, Layer L, class Prepare = NoPreparation>
ContractReport check_layer(const L& layer, const LayerProperties& properties = {}, const Prepare& prepare = {}) {
  ContractReport report{.name = std::string(L::name), .contract = contract_of<Scalar>("a layer")};
  report.clause("name", !report.name.empty(), {"it is empty"});
  check_tensors(report, layer);
  check_initial_parameters<Scalar>(report, layer, properties);
  Random random{Seed{3}};
  const auto x = random_input<Scalar>(layer, 7, random);
  const auto y = random_matrix<Scalar>(layer.outputs(), 7, random);
  const auto net = net_of<Scalar>(layer, prepare);
  if (!properties.straight_through) check_gradients_of_layer(report, net, x, y);
  check_other_passes(report, net, x, y);
  check_vjp_in_training<L>(report, net, x, y);
  if (properties.samples_independent) check_single_samples(report, net, x, y);
  Matrix<Scalar> dJ_dx = x;
  check_strided_columns(report, net, x, y, training_numbers(net, detail::const_view<Scalar>(x), y, detail::mutable_view<Scalar>(dJ_dx)));
  auto trained = net;  // has statistics to predict with
  auto work = trained.make_workspace(x.cols());
  trained.forward(x, work);
  trained.update_statistics(work);
  if (net.parameters().size() > 0 && trained.buffers() != net.buffers()) check_frozen(report, trained, x, y, properties);
  if (properties.straight_through) return report;
  check_derivatives_of_layer<Scalar>(report, layer, trained.parameters(), trained.buffers(), x.leftCols(3));
  return report;
}

/// Runs all checks on the layer with dynamic extents, and checks that the layer with fixed extents gives the same bits in a training. This
/// is a further clause of the report, "fixed and dynamic".
template <class Scalar = double, Layer FixedLayer, Layer DynamicLayer, class Prepare = NoPreparation>
ContractReport check_layer(const FixedLayer& fixed, const DynamicLayer& dynamic, const LayerProperties& properties = {},
                           const Prepare& prepare = {}) {
  static_assert(FixedLayer::inputs_at_compile_time != Dynamic && DynamicLayer::inputs_at_compile_time == Dynamic,
                "chainrule: check_layer(MyLayer<5>{}, MyLayer<Dynamic>{5}): the layer with fixed extents comes first");
  ContractReport report = check_layer<Scalar>(dynamic, properties, prepare);
  check_tensors(report, fixed);
  Random random{Seed{3}};
  const auto x = random_input<Scalar>(fixed, 7, random);
  const auto y = random_matrix<Scalar>(fixed.outputs(), 7, random);
  const auto numbers = [&](const auto& layer) {
    Matrix<Scalar> dJ_dx = x;
    return training_numbers(net_of<Scalar>(layer, prepare), detail::const_view<Scalar>(x), y, detail::mutable_view<Scalar>(dJ_dx));
  };
  report.clause("fixed and dynamic", numbers(fixed) == numbers(dynamic),
                {"three steps give other numbers with fixed extents than with dynamic ones"});
  return report;
}

}  // namespace testing
}  // namespace chainrule
