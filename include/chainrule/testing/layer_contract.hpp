#pragma once
// What every layer must keep, ours or yours, once with extents that are types and once with values, or one of both alone:
//     chainrule::ContractReport report = chainrule::testing::check_layer(MyLayer<5>{}, MyLayer<chainrule::Dynamic>{5});
// The layer is trained as a net of its own under SquaredError, so that delta has no structure that could hide a fault.

#include <chainrule/inspect/check_gradient.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/testing/contract_report.hpp>
#include <chainrule/testing/detail/random_data.hpp>
#include <set>

namespace chainrule {

/// What is different from layer to layer.
struct LayerFacts {
  std::vector<double> initial_parameters = {};  ///< theta of a new layer from Seed{1}; empty where it has none, or where they are random
  bool acts_on_samples = true;                  ///< in training too, what it makes of one sample does not depend on the others
};

namespace testing {

/// For layers that need nothing before they work.
struct NothingToPrepare {
  /// Nothing.
  template <class Net>
  void operator()(Net&) const {}
};

/// A net of this layer alone, with parameters that are nobody's initial ones.
template <class Scalar, class L, class Prepare>
auto net_of(const L& layer, const Prepare& prepare) {
  auto net = make_network<Scalar, SquaredError>(Seed{1}, layer);
  Random random{Seed{2}};
  for (Index i = 0; i < net.parameters().size(); ++i) net.parameters()[i] += static_cast<Scalar>(random.uniform() / 2 - 0.1);
  prepare(net);
  return net;
}

/// A copy of m in a larger matrix, so that its columns lie apart, with NaN between and around them.
template <class Scalar>
class Apart {
 public:
  /// Copies m.
  explicit Apart(const Matrix<Scalar>& m) : rows_{m.rows()} {
    room_.setConstant(m.rows() + 3, m.cols() + 2, std::numeric_limits<Scalar>::quiet_NaN());
    room_.block(1, 1, m.rows(), m.cols()) = m;
  }
  /// The copy of m, in its place.
  MatrixView<Scalar> view() { return {room_.data() + room_.rows() + 1, rows_, room_.cols() - 2, Eigen::OuterStride<>(room_.rows())}; }
  /// Whether all around m is as it was.
  bool untouched() const { return room_.array().isNaN().count() == room_.size() - rows_ * (room_.cols() - 2); }

 private:
  Index rows_;
  Matrix<Scalar> room_;
};

/// All numbers that three training steps make, in order: outputs, dJ/dtheta, dJ/dx, theta, buffers, predictions.
template <class Net, class Scalar = typename Net::ScalarType>
std::vector<Scalar> trained(Net net, ConstMatrixView<Scalar> x, const Matrix<Scalar>& y, MatrixView<Scalar> dJ_dx) {
  auto work = net.make_workspace(x.cols() + 2);
  auto dJ = net.make_gradients();
  std::vector<Scalar> numbers;
  const auto keep = [&numbers](const auto& m) {
    for (Index j = 0; j < m.cols(); ++j)
      for (Index i = 0; i < m.rows(); ++i) numbers.push_back(m(i, j));
  };
  for (int step = 0; step < 3; ++step) {
    dJ.flat().setConstant(std::numeric_limits<Scalar>::quiet_NaN());  // what is left out shows
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

/// dJ/dtheta and dJ/dx against central differences, none of them at a kink.
template <class Net, class Scalar>
void check_gradients_of_layer(ContractReport& report, const Net& net, const Matrix<Scalar>& x, const Matrix<Scalar>& y) {
  const GradientReport gradients = check_gradient(net, x, y, {.tolerance = std::is_same_v<Scalar, float> ? 0 : 1e-7});
  report.clause("gradient", gradients.passed && gradients.kinks == 0, {gradients.to_string()});
}

/// The outputs and dJ/dtheta of samples first, ..., first + count - 1 of a batch, one after the other; dJ/dx only if wanted.
template <class Net, class Work, class Scalar>
Vector<Scalar> step_of(const Net& net, Work& work, const Matrix<Scalar>& x, const Matrix<Scalar>& y, Index first, Index count,
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

/// backward without dJ/dx gives the same dJ/dtheta, and a short batch after a longer one gives what it gives alone.
template <class Net, class Scalar>
void check_gradient_alone(ContractReport& report, const Net& net, const Matrix<Scalar>& x, const Matrix<Scalar>& y) {
  auto work = net.make_workspace(x.cols());
  auto fresh = net.make_workspace(x.cols());
  const bool same_without = step_of(net, work, x, y, 0, x.cols(), true) == step_of(net, work, x, y, 0, x.cols(), false);
  report.clause("without dJ/dx", same_without, {"backward gives another dJ/dtheta where no dJ/dx is wanted (input_gradient is nullptr)"});
  const bool no_trace = step_of(net, work, x, y, 0, 2, false) == step_of(net, fresh, x, y, 0, 2, false);
  report.clause(
      "short batch", no_trace,
      {"a batch of 2 after one of ", x.cols(),
       " gives other outputs or another dJ/dtheta than in a new workspace: does it read beyond its batch, or what is left over?"});
}

/// A batch of n gives what n batches of one give, each at its place in the whole batch; its gradient is their mean.
template <class Net, class Scalar>
void check_samples_alone(ContractReport& report, const Net& net, const Matrix<Scalar>& x, const Matrix<Scalar>& y) {
  auto work = net.make_workspace(x.cols());
  const Vector<Scalar> together = step_of(net, work, x, y, 0, x.cols(), false);
  Vector<Scalar> alone = Vector<Scalar>::Zero(together.size());
  for (Index j = 0; j < x.cols(); ++j) {
    const Vector<Scalar> one = step_of(net, work, x, y, j, 1, false);
    alone.segment(j * y.rows(), y.rows()) = one.head(y.rows());
    alone.tail(alone.size() - y.size()) += one.tail(one.size() - y.rows()) / static_cast<Scalar>(x.cols());
  }
  Scalar worst = 0;
  for (Index i = 0; i < alone.size(); ++i) worst = std::max(worst, std::abs(alone[i] - together[i]));
  report.clause("samples alone", worst <= 32 * std::numeric_limits<Scalar>::epsilon(),
                {"the outputs of a batch of ", x.cols(), " and its dJ/dtheta are up to ", worst,
                 " from those of its samples one by one (of dJ/dtheta their mean)",
                 "; if a sample's output depends on the others, say .acts_on_samples = false"});
}

/// The slice of the flat vector is what the tensors say, and each has a name of its own.
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
                {"each tensor needs a name, and another than its neighbours"});
}

/// theta of a new layer: every number set, to what the facts say if they do.
template <class Scalar, class L>
void check_initial_parameters(ContractReport& report, const L& layer, const LayerFacts& facts) {
  Vector<Scalar> theta = Vector<Scalar>::Constant(detail::parameter_count(layer), std::numeric_limits<Scalar>::quiet_NaN());
  Random random{Seed{1}};
  layer.initialize(theta.data(), random);
  report.clause("initial parameters", theta.allFinite(), {"initialize() leaves a parameter NaN or infinite"});
  if (facts.initial_parameters.empty()) return;
  const auto initial = make_network<Scalar, SquaredError>(Seed{1}, layer);
  const std::vector<Scalar> expected(facts.initial_parameters.begin(), facts.initial_parameters.end());
  const bool as_said = std::vector<Scalar>(initial.parameters().begin(), initial.parameters().end()) == expected;
  report.clause("initial parameters", as_said,
                {"a new layer has other parameters (", initial.parameters().size(), " of them) than the ", expected.size(),
                 " of .initial_parameters"});
}

/// Steps of `net` again with columns that lie apart, NaN around them: `numbers` again, and nothing is written there.
template <class Net, class Scalar>
void check_columns_apart(ContractReport& report, const Net& net, const Matrix<Scalar>& x, const Matrix<Scalar>& y,
                         const std::vector<Scalar>& numbers) {
  Apart<Scalar> x_apart(x), dJ_dx_apart(x);
  const bool same = !numbers.empty() && trained(net, detail::as_const(x_apart.view()), y, dJ_dx_apart.view()) == numbers;
  report.clause(
      "columns apart", same,
      {"three steps make other numbers, or NaN, where the columns of x and dJ/dx lie apart with NaN around them: use outerStride(), "
       "stay within the batch, and set all of dJ/dtheta and dJ/dx"});
  report.clause("columns apart", dJ_dx_apart.untouched(), {"backward writes beside dJ/dx"});
}

/// All of the above. Its forward and backward must be templates that take double and long double, for the gradient check.
/// Clauses: name, tensors, initial parameters, gradient, without dJ/dx, short batch, samples alone (unless facts say otherwise),
/// columns apart. `prepare(net)` gives the layer what it needs before it works, such as its buffers.
template <class Scalar = double, Layer L, class Prepare = NothingToPrepare>
ContractReport check_layer(const L& layer, const LayerFacts& facts = {}, const Prepare& prepare = {}) {
  ContractReport report{.name = std::string(L::name), .contract = contract_of<Scalar>("a layer")};
  report.clause("name", !report.name.empty(), {"it is empty"});
  check_tensors(report, layer);
  check_initial_parameters<Scalar>(report, layer, facts);
  Random random{Seed{3}};
  const auto x = random_matrix<Scalar>(layer.inputs(), 7, random);
  const auto y = random_matrix<Scalar>(layer.outputs(), 7, random);
  const auto net = net_of<Scalar>(layer, prepare);
  check_gradients_of_layer(report, net, x, y);
  check_gradient_alone(report, net, x, y);
  if (facts.acts_on_samples) check_samples_alone(report, net, x, y);
  Matrix<Scalar> dJ_dx = x;
  check_columns_apart(report, net, x, y, trained(net, detail::const_view<Scalar>(x), y, detail::mutable_view<Scalar>(dJ_dx)));
  return report;
}

/// The same for a layer whose extents are values, and that the same layer whose extents are types makes the same bits: a further clause,
/// fixed and dynamic.
template <class Scalar = double, Layer Fixed, Layer AtRunTime, class Prepare = NothingToPrepare>
ContractReport check_layer(const Fixed& fixed, const AtRunTime& at_run_time, const LayerFacts& facts = {}, const Prepare& prepare = {}) {
  static_assert(Fixed::inputs_at_compile_time != Dynamic && AtRunTime::inputs_at_compile_time == Dynamic,
                "chainrule: check_layer(MyLayer<5>{}, MyLayer<Dynamic>{5}): first the layer whose extents are types");
  ContractReport report = check_layer<Scalar>(at_run_time, facts, prepare);
  check_tensors(report, fixed);
  Random random{Seed{3}};
  const auto x = random_matrix<Scalar>(fixed.inputs(), 7, random);
  const auto y = random_matrix<Scalar>(fixed.outputs(), 7, random);
  const auto numbers = [&](const auto& layer) {
    Matrix<Scalar> dJ_dx = x;
    return trained(net_of<Scalar>(layer, prepare), detail::const_view<Scalar>(x), y, detail::mutable_view<Scalar>(dJ_dx));
  };
  report.clause("fixed and dynamic", numbers(fixed) == numbers(at_run_time),
                {"three steps make other numbers where the extents are types than where they are values"});
  return report;
}

}  // namespace testing
}  // namespace chainrule
