#pragma once
// What an optimizer remembers from step to step, and the contract of the rules that use it. One type of state for all rules, so
// that a trainer and a checkpoint need to know one.

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

/// A piece [begin, end) of theta, and whether weight decay and penalties pull at it.
struct Segment {
  Index begin;  ///< the first entry of theta in it
  Index end;    ///< the first one after it
  bool decays;  ///< weights do, biases do not
};

/// Which parts of theta are weights, so that decay leaves biases alone: one Segment for each tensor of each layer, in theta's
/// order; neighbours of one kind are joined.
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

/// The state of an optimizer: how many steps it took, and its moments, vectors of theta's size (Adam: m and v). Made by
/// `rule.make_state(net)`, which allocates; steps do not. It starts as zeros.
template <class Scalar>
class OptimizerState {
 public:
  /// For the parameters of a network: its tensors say what decays.
  template <class Net>
  requires requires(const Net& net) { net.layers(); }
  OptimizerState(const Net& net, Index moments) : OptimizerState(net.parameters().size(), moments, segments_of(net)) {}

  /// For any vector of parameters, which then all decay; or for one of that size.
  template <class Theta>
  OptimizerState(const Eigen::DenseBase<Theta>& theta, Index moments) : OptimizerState(theta.size(), moments) {}
  /// For size parameters, which then all decay.
  OptimizerState(Index size, Index moments) : OptimizerState(size, moments, {{0, size, true}}) {}

  std::uint64_t steps = 0;  ///< taken so far: t of the papers
  Team* team = nullptr;     ///< threads that share the work of its steps, to the same bits; it must outlive its use here

  Index size() const { return size_; }        ///< of theta
  Index moments() const { return moments_; }  ///< the number of moments, numbers that the rule keeps for each parameter
  const std::vector<Segment>& segments() const { return segments_; }  ///< which parts of theta decay

  /// All moments, one after the other; for checkpoints, which need these and `steps`.
  VectorView<Scalar> flat() { return {values_.data(), values_.size()}; }
  ConstVectorView<Scalar> flat() const { return {values_.data(), values_.size()}; }  ///< the same to read

  /// Moment k alone.
  VectorView<Scalar> moment(Index k) { return {values_.data() + k * size_, size_}; }
  ConstVectorView<Scalar> moment(Index k) const { return {values_.data() + k * size_, size_}; }  ///< the same to read

 private:
  OptimizerState(Index size, Index moments, std::vector<Segment> segments)
      : size_{size}, moments_{moments}, values_{size * moments}, segments_{std::move(segments)} {}

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

/// What an OptimizerState can be made for: a network, or a vector of parameters.
template <class T>
concept HasParameters = requires(const T& net_or_theta, Index moments) {
  OptimizerState(net_or_theta, moments);
};

/// A rule by which theta steps downhill. It is a small value that holds hyperparameters alone; what it remembers lies in an
/// OptimizerState of the caller's, so one rule may drive many nets and a trainer may change its learning rate from step to step.
/// A rule of your own has
/// - `name`, to be told apart in messages
/// - `learning_rate`, a double that a trainer may multiply with the factor of a schedule
/// - `moments()`: how many vectors of theta's size it remembers; they start as zeros
/// - `template <HasParameters Net> auto make_state(const Net& net) const { return OptimizerState(net, moments()); }`
/// - `step`, which changes theta and the state, and counts state.steps once. theta and gradient are vectors in one piece.
/// Nothing that step does may depend on a layer; where it decays weights, state.segments() says which they are. It should neither
/// allocate nor leave anything half done when it throws. elementwise_step (optimizers/elementwise_step.hpp) makes such a step of a formula;
/// examples/lecture/7_your_own.cpp has such a rule.
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
