#pragma once
// The state that an optimizer keeps from step to step, and the contract of optimizers. All have the same type of state, so a trainer and a
// checkpoint need to know only one.

#include <chainrule/core/concepts.hpp>
#include <chainrule/core/detail/layer_list.hpp>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace chainrule {

class Team;  // in threads/team.hpp

/// A range [begin, end) of theta, and whether weight decay and penalties apply to it.
struct Segment {
  Index begin;  ///< the first entry of theta in it
  Index end;    ///< the first one after it
  bool decays;  ///< true for weights, false for biases
};

/// Divides the network's theta into weights, to which decay applies, and other parameters, such as biases: one Segment for each tensor of
/// each layer, in theta's order, with neighbours of the same kind joined.
template <class Net>
std::vector<Segment> segments_of(const Net& net) {
  std::vector<Segment> segments;
  Index begin = 0;
  detail::for_each_layer(net.layers(), [&](const auto& layer) {
    for (const TensorShape& tensor : layer.tensors()) {
      const Index end = begin + tensor.size();
      if (!segments.empty() && segments.back().decays == tensor.decays)
        segments.back().end = end;
      else if (end > begin)
        segments.push_back({begin, end, tensor.decays});
      begin = end;
    }
  });
  return segments;
}

/// The state of an optimizer: the number of steps it has taken and its moments, vectors of theta's size (Adam: m and v), which start at 0.
/// Made by `rule.make_state(net)`, which allocates; steps do not allocate.
template <class Scalar>
class OptimizerState {
 public:
  /// For the parameters of a network, whose tensors say to what decay applies.
  template <class Net>
  requires requires(const Net& net) { net.layers(); }
  OptimizerState(const Net& net, Index moments) : OptimizerState(net.parameters().size(), moments, segments_of(net)) {}

  /// For a vector of parameters, to all of which decay applies.
  template <class Theta>
  OptimizerState(const Eigen::DenseBase<Theta>& theta, Index moments) : OptimizerState(theta.size(), moments) {}
  /// For `size` parameters, to all of which decay applies.
  OptimizerState(Index size, Index moments) : OptimizerState(size, moments, {{0, size, true}}) {}

  std::uint64_t steps = 0;  ///< taken so far: t in the papers
  Team* team = nullptr;     ///< threads that share the work of a step, with the same bits, or nullptr; must outlive its use here

  Index size() const { return size_; }                                ///< number of parameters
  Index moments() const { return moments_; }                          ///< how many vectors of theta's size it has
  const std::vector<Segment>& segments() const { return segments_; }  ///< to which parts of theta decay applies

  /// All moments, one after the other. A checkpoint stores these and `steps`.
  VectorView<Scalar> flat() { return {values_.data(), values_.size()}; }
  ConstVectorView<Scalar> flat() const { return {values_.data(), values_.size()}; }  ///< read-only

  /// Moment k alone.
  VectorView<Scalar> moment(Index k) { return {values_.data() + k * size_, size_}; }
  ConstVectorView<Scalar> moment(Index k) const { return {values_.data() + k * size_, size_}; }  ///< read-only

 private:
  OptimizerState(Index size, Index moments, std::vector<Segment> segments)
      : size_{size}, moments_{moments}, values_{"the state of an optimizer", size, moments}, segments_{std::move(segments)} {}

  Index size_;
  Index moments_;
  detail::Storage<Scalar, Dynamic> values_;
  std::vector<Segment> segments_;
};

/// Deduces Scalar from the network.
template <class Net>
requires requires(const Net& net) { net.layers(); }
OptimizerState(const Net&, Index)->OptimizerState<typename Net::ScalarType>;
/// Deduces Scalar from the vector of parameters.
template <class Theta>
OptimizerState(const Eigen::DenseBase<Theta>&, Index) -> OptimizerState<typename Theta::Scalar>;

/// A type for which an OptimizerState can be made: a network, or a vector of parameters.
template <class T>
concept HasParameters = requires(const T& net_or_theta, Index moments) {
  OptimizerState(net_or_theta, moments);
};

/// An optimizer: a rule by which theta steps downhill. It is a small value that holds only hyperparameters; what it remembers lies in an
/// OptimizerState of the caller's, so one rule may train many networks, and a trainer may change its learning rate from step to step.
/// A rule of your own has
/// - `name`, for messages and files
/// - `learning_rate`, a double that a trainer may multiply by the factor of a schedule
/// - `moments()`: how many vectors of theta's size it remembers; they start at 0
/// - `template <HasParameters Net> auto make_state(const Net& net) const { return OptimizerState(net, moments()); }`
/// - `step(theta, gradient, state)`, which changes theta and the state and adds 1 to state.steps. theta and gradient are contiguous
/// vectors. A step must not depend on layers; state.segments() says to which parts weight decay applies. It should not allocate, and a step
/// that throws should have changed nothing. elementwise_step (optimizers/elementwise_step.hpp) makes a step from a formula for one entry;
/// examples/lecture/7_your_own.cpp shows such a rule.
template <class T>
concept Optimizer = std::copyable<T> &&
    requires(T& rule, const T& constant, VectorView<float> theta, ConstVectorView<float> gradient, OptimizerState<float>& state) {
  { T::name } -> std::convertible_to<std::string_view>;
  { (rule.learning_rate) } -> std::same_as<double&>;
  { constant.moments() } -> std::same_as<Index>;
  { constant.make_state(theta) } -> std::same_as<OptimizerState<float>>;
  constant.step(theta, gradient, state);
};

}  // namespace chainrule
