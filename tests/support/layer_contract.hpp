#pragma once
// What every layer must keep, ours or yours: check_layer(MyLayer<5>{}, MyLayer<Dynamic>{5}, {.initial_parameters = {1, 1, 1, 1, 1}}).
// The layer is trained as a net of its own under SquaredError, so that delta has no structure that could hide a fault.

#include <algorithm>
#include <chainrule/inspect/check_gradient.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <initializer_list>
#include <limits>
#include <set>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/random_data.hpp"

namespace chainrule_test {

/// What is different from layer to layer.
struct LayerFacts {
  std::vector<double> initial_parameters = {};  ///< theta of a new layer from Seed{1}; empty where it has none
  bool acts_on_samples = true;                  ///< in training too, what it makes of one sample does not depend on the others
};

/// What a layer makes of x, and of dJ/da on the way back, called as a network calls it: for worked examples.
template <class Scalar>
struct ByHand {
  chainrule::Matrix<Scalar> a;
  chainrule::Vector<Scalar> gradient;  ///< dJ/dtheta
  chainrule::Matrix<Scalar> dJ_dx;
};
template <class L, class Scalar>
ByHand<Scalar> by_hand(const L& layer, const std::vector<Scalar>& theta, const chainrule::Matrix<Scalar>& x,
                       const chainrule::Matrix<Scalar>& dJ_da, const chainrule::Pass<Scalar>& pass = {chainrule::Mode::train}) {
  const auto x_view = chainrule::detail::const_view<Scalar>(x);
  typename L::template Cache<Scalar, chainrule::Dynamic> cache(layer, x.cols());
  if constexpr (chainrule::ForwardsAlike<L>)
    layer.forward(theta.data(), x_view, cache);
  else
    layer.forward(theta.data(), x_view, cache, pass);
  ByHand<Scalar> result{cache.output.first(x.cols()), chainrule::Vector<Scalar>(theta.size()), x};
  if (pass.mode == chainrule::Mode::predict) return result;
  chainrule::Matrix<Scalar> delta = dJ_da;
  chainrule::MatrixView<Scalar> dJ_dx = chainrule::detail::mutable_view<Scalar>(result.dJ_dx);
  layer.backward(theta.data(), x_view, cache, chainrule::detail::mutable_view<Scalar>(delta), result.gradient.data(), &dJ_dx);
  return result;
}

/// A matrix written as it looks, against one that was computed, to a few units in the last place of its largest entry.
template <class Scalar>
bool close(const chainrule::Matrix<Scalar>& a, std::initializer_list<std::initializer_list<std::type_identity_t<Scalar>>> rows) {
  const chainrule::Matrix<Scalar> expected(rows);
  if (a.rows() != expected.rows() || a.cols() != expected.cols()) return false;
  return (a - expected).cwiseAbs().maxCoeff() <= 4 * std::numeric_limits<Scalar>::epsilon() * expected.cwiseAbs().maxCoeff();
}

/// For layers that need nothing before they work.
struct NothingToPrepare {
  template <class Net>
  void operator()(Net&) const {}
};

/// A net of this layer alone, with parameters that are nobody's initial ones.
template <class Scalar, class L, class Prepare>
auto net_of(const L& layer, const Prepare& prepare) {
  auto net = chainrule::make_network<Scalar, chainrule::SquaredError>(chainrule::Seed{1}, layer);
  chainrule::Random random{chainrule::Seed{2}};
  for (chainrule::Index i = 0; i < net.parameters().size(); ++i) net.parameters()[i] += static_cast<Scalar>(random.uniform() / 2 - 0.1);
  prepare(net);
  return net;
}

/// A copy of m in a larger matrix, so that its columns lie apart, with NaN between them.
template <class Scalar>
class Apart {
 public:
  explicit Apart(const chainrule::Matrix<Scalar>& m) : rows_{m.rows()} {
    room_.setConstant(m.rows() + 3, m.cols() + 1, std::numeric_limits<Scalar>::quiet_NaN());
    room_.block(1, 1, m.rows(), m.cols()) = m;
  }
  chainrule::MatrixView<Scalar> view() {
    return {room_.data() + room_.rows() + 1, rows_, room_.cols() - 1, Eigen::OuterStride<>(room_.rows())};
  }
  /// Whether all around m is as it was.
  bool untouched() const { return room_.array().isNaN().count() == room_.size() - rows_ * (room_.cols() - 1); }

 private:
  chainrule::Index rows_;
  chainrule::Matrix<Scalar> room_;
};

/// All numbers that three training steps make, in order: outputs, dJ/dtheta, dJ/dx, theta, buffers, predictions.
template <class Net, class Scalar = typename Net::ScalarType>
std::vector<Scalar> trained(Net net, chainrule::ConstMatrixView<Scalar> x, const chainrule::Matrix<Scalar>& y,
                            chainrule::MatrixView<Scalar> dJ_dx) {
  auto work = net.make_workspace(x.cols() + 2);
  auto dJ = net.make_gradients();
  std::vector<Scalar> numbers;
  const auto keep = [&numbers](const auto& m) {
    for (chainrule::Index j = 0; j < m.cols(); ++j)
      for (chainrule::Index i = 0; i < m.rows(); ++i) numbers.push_back(m(i, j));
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

/// Whether all numbers are the same and none is NaN.
template <class Scalar>
bool same_numbers(const std::vector<Scalar>& a, const std::vector<Scalar>& b) {
  return !a.empty() && a == b;
}

/// dJ/dtheta and dJ/dx against central differences.
template <class Net, class Scalar>
void check_gradients_of_layer(const Net& net, const chainrule::Matrix<Scalar>& x, const chainrule::Matrix<Scalar>& y) {
  const chainrule::GradientReport report = chainrule::check_gradient(net, x, y, {.tolerance = 1e-7});
  INFO(report.to_string());
  CHECK(report.passed);
  CHECK(report.kinks == 0);
}

/// The outputs and dJ/dtheta of samples first, ..., first + count - 1 of a batch, one after the other; dJ/dx only if wanted.
template <class Net, class Work, class Scalar>
chainrule::Vector<Scalar> step_of(const Net& net, Work& work, const chainrule::Matrix<Scalar>& x, const chainrule::Matrix<Scalar>& y,
                                  chainrule::Index first, chainrule::Index count, bool with_dJ_dx) {
  const chainrule::ConstMatrixView<Scalar> x_part = chainrule::detail::matrix_view(x.col(first).data(), x.rows(), count);
  const chainrule::ConstMatrixView<Scalar> y_part = chainrule::detail::matrix_view(y.col(first).data(), y.rows(), count);
  work.set_step(0);
  work.set_first_sample(first);
  auto dJ = net.make_gradients();
  chainrule::Vector<Scalar> numbers(y_part.size() + dJ.size());
  numbers.head(y_part.size()) = net.forward(x_part, work).reshaped();
  chainrule::Matrix<Scalar> dJ_dx(x.rows(), count);
  if (with_dJ_dx)
    net.backward(x_part, y_part, work, dJ, dJ_dx);
  else
    net.backward(x_part, y_part, work, dJ);
  numbers.tail(dJ.size()) = dJ.flat();
  return numbers;
}

/// backward without dJ/dx gives the same dJ/dtheta, and a short batch after a longer one gives what it gives alone.
template <class Net, class Scalar>
void check_gradient_alone(const Net& net, const chainrule::Matrix<Scalar>& x, const chainrule::Matrix<Scalar>& y) {
  auto work = net.make_workspace(x.cols());
  auto fresh = net.make_workspace(x.cols());
  const bool same_without = step_of(net, work, x, y, 0, x.cols(), true) == step_of(net, work, x, y, 0, x.cols(), false);
  CHECK(same_without);
  const bool no_trace = step_of(net, work, x, y, 0, 2, false) == step_of(net, fresh, x, y, 0, 2, false);
  CHECK(no_trace);
}

/// A batch of n gives what n batches of one give, each at its place in the whole batch; its gradient is their mean.
template <class Net, class Scalar>
void check_samples_alone(const Net& net, const chainrule::Matrix<Scalar>& x, const chainrule::Matrix<Scalar>& y) {
  auto work = net.make_workspace(x.cols());
  const chainrule::Vector<Scalar> together = step_of(net, work, x, y, 0, x.cols(), false);
  chainrule::Vector<Scalar> alone = chainrule::Vector<Scalar>::Zero(together.size());
  for (chainrule::Index j = 0; j < x.cols(); ++j) {
    const chainrule::Vector<Scalar> one = step_of(net, work, x, y, j, 1, false);
    alone.segment(j * y.rows(), y.rows()) = one.head(y.rows());
    alone.tail(alone.size() - y.size()) += one.tail(one.size() - y.rows()) / static_cast<Scalar>(x.cols());
  }
  Scalar worst = 0;
  for (chainrule::Index i = 0; i < alone.size(); ++i) worst = std::max(worst, std::abs(alone[i] - together[i]));
  CHECK(worst <= 32 * std::numeric_limits<Scalar>::epsilon());
}

/// The slice of the flat vector is what the tensors say, and each has a name of its own.
template <class L>
void check_tensors(const L& layer) {
  CHECK_FALSE(std::string_view(L::name).empty());
  CHECK(chainrule::detail::parameter_count(layer) == chainrule::detail::size_of_tensors(layer.tensors()));
  CHECK(chainrule::detail::buffer_count(layer) == chainrule::detail::size_of_tensors(chainrule::detail::buffer_tensors_of(layer)));
  std::set<std::string_view> names;
  const auto tensors = layer.tensors();
  const auto buffer_tensors = chainrule::detail::buffer_tensors_of(layer);
  for (const auto& tensor : tensors) names.insert(tensor.name);
  for (const auto& tensor : buffer_tensors) names.insert(tensor.name);
  CHECK(names.size() == tensors.size() + buffer_tensors.size());
  CHECK_FALSE(names.contains(""));
}

/// All of the above, for a layer whose extents are types and for the same one whose extents are values.
/// `prepare(net)` gives the layer what it needs before it works, such as its buffers.
template <class Scalar = double, class Fixed, class AtRunTime, class Prepare = NothingToPrepare>
void check_layer(const Fixed& fixed, const AtRunTime& at_run_time, const LayerFacts& facts = {}, const Prepare& prepare = {}) {
  static_assert(chainrule::Layer<Fixed> && chainrule::Layer<AtRunTime>);
  static_assert(Fixed::inputs_at_compile_time != chainrule::Dynamic && AtRunTime::inputs_at_compile_time == chainrule::Dynamic);
  check_tensors(fixed);
  check_tensors(at_run_time);

  const auto initial = chainrule::make_network<Scalar, chainrule::SquaredError>(chainrule::Seed{1}, at_run_time);
  const std::vector<Scalar> expected(facts.initial_parameters.begin(), facts.initial_parameters.end());
  CHECK(std::vector<Scalar>(initial.parameters().begin(), initial.parameters().end()) == expected);

  chainrule::Random random{chainrule::Seed{3}};
  const auto x = random_matrix<Scalar>(fixed.inputs(), 7, random);
  const auto y = random_matrix<Scalar>(fixed.outputs(), 7, random);
  const auto net = net_of<Scalar>(at_run_time, prepare);
  check_gradients_of_layer(net, x, y);
  check_gradient_alone(net, x, y);
  if (facts.acts_on_samples) check_samples_alone(net, x, y);

  const auto x_view = chainrule::detail::const_view<Scalar>(x);
  chainrule::Matrix<Scalar> dJ_dx = x;
  const auto numbers = trained(net, x_view, y, chainrule::detail::mutable_view<Scalar>(dJ_dx));
  Apart<Scalar> x_apart(x);
  Apart<Scalar> dJ_dx_apart(x);
  CHECK(same_numbers(numbers, trained(net, chainrule::detail::as_const(x_apart.view()), y, dJ_dx_apart.view())));
  CHECK(dJ_dx_apart.untouched());
  CHECK(same_numbers(numbers, trained(net_of<Scalar>(fixed, prepare), x_view, y, chainrule::detail::mutable_view<Scalar>(dJ_dx))));
}

}  // namespace chainrule_test
