#pragma once
// The state that an optimizer keeps from step to step, and the contract of optimizers. All have the same type of state, so a trainer and a
// checkpoint need to know only one.

#include <algorithm>
#include <array>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/detail/layer_list.hpp>
#include <chainrule/core/detail/team_pointer.hpp>
#include <chainrule/core/detail/tensor_selection.hpp>
#include <chainrule/core/frozen_parameters.hpp>
#include <chainrule/core/parameter_group.hpp>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace chainrule {

/// A range [begin, end) of theta, and how an optimizer treats it.
struct Segment {
  Index begin;         ///< the first entry of theta in it
  Index end;           ///< the first one after it
  bool decays;         ///< whether weight decay and penalties apply to it: true for weights, false for biases
  bool learns = true;  ///< false where it is frozen: then a step leaves theta and the moments there as they are
  double rate = 1;     ///< factor on the optimizer's learning rate, where it is of a ParameterGroup
  double decay = 1;    ///< factor on the optimizer's weight decay, where it is of a ParameterGroup
};

namespace detail {

/// Segments inside the object, at most Capacity of them, with the functions of std::vector that segments need.
template <std::size_t Capacity>
class FewSegments {
 public:
  bool empty() const { return size_ == 0; }
  Segment& back() { return segments_[size_ - 1]; }
  void clear() { size_ = 0; }
  void push_back(const Segment& segment) {
    if (size_ == Capacity) raise<ShapeError>("OptimizerState: its type has room for ", Capacity, " segments, but there are more");
    segments_[size_++] = segment;
  }
  const Segment* data() const { return segments_.data(); }
  std::size_t size() const { return size_; }

 private:
  std::array<Segment, Capacity> segments_{};
  std::size_t size_ = 0;
};

/// The frozen parameters of a network, or nullptr.
template <class Net>
std::shared_ptr<const FrozenParameters> frozen_of(const Net& net) {
  if constexpr (requires { net.frozen(); })
    return net.frozen();
  else
    return nullptr;
}

/// Whether both freeze the same parameters; nullptr freezes none.
inline bool same_frozen(const std::shared_ptr<const FrozenParameters>& a, const std::shared_ptr<const FrozenParameters>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

/// Fills an empty list with the segments of the network. What is frozen are whole tensors. `groups` may be null.
template <class Net, class List>
void list_segments(const Net& net, const std::vector<ParameterGroup>* groups, List& segments) {
  std::size_t i = 0;
  const std::shared_ptr<const FrozenParameters> frozen = frozen_of(net);
  Index begin = 0;
  for_each_layer(net.layers(), [&](const auto& layer) {
    for (const TensorShape& tensor : layer.tensors()) {
      const Index end = begin + tensor.size();
      Segment segment{begin, end, tensor.decays, frozen == nullptr || !frozen->contains(begin, end)};
      if (groups != nullptr) {
        const TensorName name(i, tensor.name);
        for (const ParameterGroup& group : *groups) {
          if (!selects(group.name, name)) continue;
          segment.rate *= group.rate;
          segment.decay *= group.decay;
        }
      }
      const auto is_alike = [&](const Segment& s) {
        return s.decays == segment.decays && s.learns == segment.learns && s.rate == segment.rate && s.decay == segment.decay;
      };
      if (!segments.empty() && is_alike(segments.back()))
        segments.back().end = end;
      else if (end > begin)
        segments.push_back(segment);
      begin = end;
    }
    ++i;
  });
}

/// How many parameters, and at most how many segments, a tuple of layers has; Dynamic where the compiler does not know them.
template <class Layers>
struct ExtentsOfTheta {
  static constexpr Index parameters = Dynamic, segments = Dynamic;
};
/// A layer that says at compile time how many parameters and tensors it has.
template <class L>
concept HasFixedTensors = requires(const L& layer) {
  L::parameters_at_compile_time;
  std::tuple_size<decltype(layer.tensors())>::value;
};
template <HasFixedTensors... L>
struct ExtentsOfTheta<std::tuple<L...>> {
  static constexpr Index parameters = [] {
    Index sum = 0;
    ((sum = extent_sum(sum, L::parameters_at_compile_time)), ...);
    return sum;
  }();
  static constexpr Index segments = static_cast<Index>((std::tuple_size_v<decltype(std::declval<const L&>().tensors())> + ... + 0));
};

}  // namespace detail

/// Divides the network's theta into weights, to which decay applies, and other parameters, such as biases, and into what learns and what is
/// frozen: one Segment for each tensor of each layer, in theta's order, with neighbours of the same kind joined.
template <class Net>
std::vector<Segment> segments_of(const Net& net) {
  std::vector<Segment> segments;
  detail::list_segments(net, nullptr, segments);
  return segments;
}

/// The state of an optimizer: the number of steps it has taken and its moments, vectors of theta's size (Adam: m and v), which start at 0.
/// Made by `rule.make_state(net)`; steps do not allocate. `Numbers` and `Segments` are how many numbers and segments it holds inside the
/// object, without a heap (see make_optimizer_state); where they are Dynamic, it allocates. One that was moved from has a size of 0, and
/// steps with it throw StateError.
template <class Scalar, Index Numbers = Dynamic, Index Segments = Dynamic>
class OptimizerState {
  using SegmentList = std::conditional_t<Segments == Dynamic, std::vector<Segment>,
                                         detail::FewSegments<static_cast<std::size_t>(std::max<Index>(Segments, 0))>>;

 public:
  /// For the parameters of a network, whose tensors say to what decay applies. Throws ShapeError where memory cannot hold the moments.
  template <class Net>
  requires requires(const Net& net) { net.layers(); }
  OptimizerState(const Net& net, Index moments) : OptimizerState(net.parameters().size(), moments, SegmentList{}) { follow(net); }

  /// For a vector of parameters, to all of which decay applies.
  template <class Theta>
  requires(Numbers == Dynamic) OptimizerState(const Eigen::DenseBase<Theta>& theta, Index moments)
      : OptimizerState(theta.size(), moments) {}
  /// For `size` parameters, to all of which decay applies.
  OptimizerState(Index size, Index moments) requires(Numbers == Dynamic) : OptimizerState(size, moments, SegmentList{}) {
    segments_.push_back({0, size, true});
  }

  /// A copy on the heap of a state that needs none.
  template <Index N, Index S>
  requires(Numbers == Dynamic && N != Dynamic) OptimizerState(const OptimizerState<Scalar, N, S>& other)
      : OptimizerState(other.size(), other.moments(), SegmentList(other.segments().begin(), other.segments().end())) {
    steps = other.steps;
    team = other.team;
    frozen_ = other.frozen();
    groups_ = other.groups();
    flat() = other.flat();
  }

  /// Takes over which parameters of the network are frozen now, after freeze or unfreeze; make_state(net) does so too. Moments keep their
  /// numbers. (Adam corrects its means by the number of all steps, so parameters that begin to learn late make larger steps at first; a
  /// new state begins to count again.) Throws ShapeError for a network with another number of parameters.
  template <class Net>
  requires requires(const Net& net) { net.layers(); }
  void follow(const Net& net) {
    if (net.parameters().size() != size())
      detail::raise<ShapeError>("OptimizerState: follow got a network of ", net.parameters().size(), " parameters, but the state is for ",
                                size());
    segments_.clear();
    detail::list_segments(net, groups_.get(), segments_);
    frozen_ = detail::frozen_of(net);
  }

  /// Gives parameters of the network factors on learning rate and weight decay; ParameterGroups::make_state calls it. Throws ValueError for
  /// a group that names no tensor of the network.
  template <class Net>
  void set_groups(const Net& net, const std::shared_ptr<const std::vector<ParameterGroup>>& groups) {
    for (const ParameterGroup& group : *groups) {
      std::vector<std::string> names;
      std::size_t i = 0;
      detail::for_each_layer(net.layers(), [&](const auto& layer) {
        for (const TensorShape& tensor : layer.tensors()) names.emplace_back(std::string_view(TensorName(i, tensor.name)));
        ++i;
      });
      if (std::none_of(names.begin(), names.end(), [&](const std::string& name) { return detail::selects(group.name, name); }))
        detail::selects_nothing("ParameterGroups", group.name, names);
    }
    groups_ = groups->empty() ? nullptr : groups;
    follow(net);
  }
  /// Whether parameters have factors of their own, which only a step of ParameterGroups applies.
  bool has_groups() const { return groups_ != nullptr; }
  /// Restricts the next steps to segments with the factors of this one; nullptr ends that. ParameterGroups calls it.
  void select(const Segment* with_factors) {
    selects_ = with_factors != nullptr;
    if (selects_) rate_ = with_factors->rate, decay_ = with_factors->decay;
  }
  /// Whether steps are restricted to some factors now.
  bool selects() const { return selects_; }
  /// Whether a step changes this segment: it is not frozen, and has the factors to which steps are restricted, if they are.
  bool steps_in(const Segment& segment) const {
    return segment.learns && (!selects_ || (segment.rate == rate_ && segment.decay == decay_));
  }
  /// Whether a step changes all segments.
  bool steps_in_all() const { return frozen_ == nullptr && !selects_; }
  /// The frozen parameters, which steps leave as they are; nullptr where all learn.
  const std::shared_ptr<const FrozenParameters>& frozen() const { return frozen_; }
  /// The groups of parameters with factors of their own; nullptr where there are none.
  const std::shared_ptr<const std::vector<ParameterGroup>>& groups() const { return groups_; }

  std::uint64_t steps = 0;  ///< taken so far: t in the papers
  /// Threads that share the work of a step, with the same bits, or nullptr: used like a Team*. The team must outlive its use here: a step
  /// throws StateError where it was destroyed before.
  detail::TeamPointer team = nullptr;

  Index size() const { return size_; }        ///< number of parameters
  Index moments() const { return moments_; }  ///< how many vectors of theta's size it has
  /// To which parts of theta decay applies, and which are frozen.
  std::span<const Segment> segments() const { return {segments_.data(), segments_.size()}; }

  /// All moments, one after the other. A checkpoint stores these and `steps`.
  VectorView<Scalar> flat() { return {values_.data(), size_ * moments_}; }
  ConstVectorView<Scalar> flat() const { return {values_.data(), size_ * moments_}; }  ///< read-only

  /// Moment k alone. Throws ValueError where there is none.
  VectorView<Scalar> moment(Index k) { return {values_.data() + begin_of_moment(k), size_}; }
  ConstVectorView<Scalar> moment(Index k) const { return {values_.data() + begin_of_moment(k), size_}; }  ///< read-only

 private:
  Index begin_of_moment(Index k) const {
    if (k < 0 || k >= moments_) detail::raise<ValueError>("moment(", k, "): the state has ", moments_, " moments, counted from 0");
    return k * size_;
  }

  OptimizerState(Index size, Index moments, SegmentList segments)
      : size_{size}, moments_{moments}, values_{"the state of an optimizer", size, moments}, segments_{std::move(segments)} {
    if (values_.size() < size * moments)
      detail::raise<ShapeError>("OptimizerState: its type has room for ", values_.size(), " numbers, but ", moments, " moments of ", size,
                                " parameters are more");
  }

  detail::ZeroAfterMove size_;
  Index moments_;
  detail::Storage<Scalar, Numbers> values_;
  SegmentList segments_;
  std::shared_ptr<const FrozenParameters> frozen_;
  std::shared_ptr<const std::vector<ParameterGroup>> groups_;
  bool selects_ = false;
  double rate_ = 1;  // the factors to which steps are restricted
  double decay_ = 1;
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

/// Makes the state of a rule that remembers `moments` vectors of theta's size, and never more than MaxMoments. For a network of fixed
/// extents whose moments are small (MaxMoments of them at most 32 KiB), the state is inside the object and needs no heap; for any other,
/// and for a vector of parameters, it is OptimizerState(net, moments).
template <Index MaxMoments, HasParameters Net>
auto make_optimizer_state(const Net& net, Index moments) {
  if constexpr (requires { net.layers(); }) {
    using Scalar = typename Net::ScalarType;
    using Extents = detail::ExtentsOfTheta<std::remove_cvref_t<decltype(net.layers())>>;
    constexpr Index numbers = detail::extent_product(Extents::parameters, MaxMoments);
    if constexpr (numbers != Dynamic && numbers <= detail::inline_bytes / Index{sizeof(Scalar)})
      return OptimizerState<Scalar, numbers, Extents::segments>(net, moments);
    else
      return OptimizerState(net, moments);
  } else {
    return OptimizerState(net, moments);
  }
}

/// An optimizer: a rule by which theta steps downhill. It is a small value that holds only hyperparameters; what it remembers lies in an
/// OptimizerState of the caller's, so one rule may train many networks, and a trainer may change its learning rate from step to step.
/// A rule of your own has
/// - `name`, for messages and files
/// - `learning_rate`, a double that a trainer may multiply by the factor of a schedule
/// - `moments()`: how many vectors of theta's size it remembers; they start at 0
/// - `template <HasParameters Net> auto make_state(const Net& net) const { return OptimizerState(net, moments()); }`; or, without a heap
/// for small networks of fixed extents, make_optimizer_state<2>(net, moments()), where 2 is the largest number of moments
/// - `hyperparameters()`, if a checkpoint is to compare them when a training resumes (core/hyperparameter.hpp)
/// - `step(theta, gradient, state)` with an OptimizerState<Scalar, Fixed...>& for any Index... Fixed, which changes theta and the state and
/// adds 1 to state.steps. theta and gradient are contiguous vectors. A step must not depend on layers; state.segments() says to which parts
/// weight decay applies; theta and the moments must keep their bits in a segment for which state.steps_in(segment) is false, because it is
/// frozen or of another ParameterGroup. It should not allocate, and a step
/// that throws should have changed nothing. elementwise_step (optimizers/elementwise_step.hpp) makes a step from a formula for one entry;
/// examples/lecture/7_your_own.cpp shows such a rule.
///
/// The rules of the library, and those that are made by formula_step or elementwise_step, store parameters and moments below 2^15 times
/// the smallest normal number (3.9e-34 for float) as 0, and a gradient below it counts as 0; a running mean of squares is
/// stored as 0 below twice the smallest normal number, and a square in it below the smallest normal number counts as 0. Otherwise the
/// moments of a parameter whose gradient has become 0 would stay among subnormal numbers, with which a step takes up to 100 times as long.
/// SGD without momentum and weight decay, where nothing shrinks by itself, stores every number as it is.
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
