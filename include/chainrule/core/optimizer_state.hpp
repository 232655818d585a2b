#pragma once
// What an optimizer remembers from step to step. One type for all of them, so that a trainer and a checkpoint need to know one.

#include <chainrule/core/concepts.hpp>
#include <chainrule/core/error.hpp>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace chainrule {

/// A piece [begin, end) of theta, and whether weight decay and penalties pull at it.
struct Segment {
  Index begin;
  Index end;
  bool decays;
};

/// Which parts of theta are weights, so that decay leaves biases alone: one Segment for each tensor of each layer, in theta's
/// order; neighbours of one kind are joined.
template <class Net>
std::vector<Segment> segments_of(const Net& net) {
  std::vector<Segment> segments;
  Index begin = 0;
  const auto add = [&](const auto& layer) {
    for (const TensorShape& tensor : layer.tensors()) {
      const Index end = begin + tensor.size();
      if (!segments.empty() && segments.back().decays == tensor.decays)
        segments.back().end = end;
      else if (end > begin)
        segments.push_back({begin, end, tensor.decays});
      begin = end;
    }
  };
  std::apply([&](const auto&... layers) { (add(layers), ...); }, net.layers());
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

  /// For any vector of `size` parameters, which then all decay.
  OptimizerState(Index size, Index moments) : OptimizerState(size, moments, {{0, size, true}}) {}

  std::uint64_t steps = 0;  ///< taken so far: t of the papers

  Index size() const { return size_; }
  Index moments() const { return size_ == 0 ? 0 : values_.size() / size_; }
  const std::vector<Segment>& segments() const { return segments_; }

  /// All moments, one after the other; for checkpoints.
  VectorView<Scalar> flat() { return {values_.data(), values_.size()}; }
  ConstVectorView<Scalar> flat() const { return {values_.data(), values_.size()}; }

  /// Moment k alone.
  VectorView<Scalar> moment(Index k) { return {values_.data() + k * size_, size_}; }
  ConstVectorView<Scalar> moment(Index k) const { return {values_.data() + k * size_, size_}; }

 private:
  OptimizerState(Index size, Index moments, std::vector<Segment> segments)
      : size_{size}, values_{Vector<Scalar>::Zero(size * moments)}, segments_{std::move(segments)} {}

  Index size_;
  Vector<Scalar> values_;
  std::vector<Segment> segments_;
};

}  // namespace chainrule
