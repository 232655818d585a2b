#pragma once
// Layers one after the other, as values: the chain rule runs over them, forward and back. A network is one such sequence
// with a loss, a Residual is one inside.

#include <algorithm>
#include <array>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/detail/chain.hpp>

namespace chainrule::detail {

/// The layers and where each one's parameters and buffers begin in the flat vectors.
/// (Whether a layer has a function is asked of a local name: to clang 14 a lambda's i is no constant inside `requires`, which is
/// then silently false.)
template <class... Layers>
class Sequence {
  template <class L, class Scalar, int MaxBatch>
  using CacheOf = typename L::template Cache<Scalar, MaxBatch>;

 public:
  static constexpr std::size_t size = sizeof...(Layers);
  static constexpr std::size_t last = size - 1;
  using Tuple = std::tuple<Layers...>;

  template <class Scalar, int MaxBatch>
  using Caches = std::tuple<CacheOf<Layers, Scalar, MaxBatch>...>;
  /// Room for delta(l+1), on the way back, of every layer.
  template <class Scalar, int MaxBatch>
  using Deltas = std::tuple<BatchStorage<Scalar, Layers::outputs_at_compile_time, MaxBatch>...>;

  static constexpr Index parameters_at_compile_time = [] {
    Index sum = 0;
    ((sum = extent_sum(sum, Layers::parameters_at_compile_time)), ...);
    return sum;
  }();
  static constexpr Index buffers_at_compile_time = [] {
    Index sum = 0;
    ((sum = extent_sum(sum, detail::buffers_at_compile_time<Layers>())), ...);
    return sum;
  }();

  /// The first layer that learns; `size` if none does.
  static constexpr std::size_t first_with_parameters = [] {
    std::size_t before = 0;
    bool learned = false;
    ((learned = learned || Layers::parameters_at_compile_time != 0, before += learned ? 0 : 1), ...);
    return before;
  }();

  Sequence(const Tuple& layers) : layers_{layers} {
    for_each_index<size>([this](auto i) {
      parameter_offsets_[i + 1] = parameter_offsets_[i] + parameter_count(get<i>());
      buffer_offsets_[i + 1] = buffer_offsets_[i] + buffer_count(get<i>());
    });
  }

  const Tuple& layers() const { return layers_; }
  template <std::size_t I>
  const auto& get() const {
    return std::get<I>(layers_);
  }
  Index inputs() const { return get<0>().inputs(); }
  Index outputs() const { return get<last>().outputs(); }
  /// Where layer i's slice begins; for i = size, how many there are.
  Index parameter_offset(std::size_t i) const { return parameter_offsets_[i]; }
  Index buffer_offset(std::size_t i) const { return buffer_offsets_[i]; }

  template <class Scalar, int MaxBatch>
  Caches<Scalar, MaxBatch> make_caches(Index max_batch) const {
    return std::apply(
        [&](const Layers&... layer) { return Caches<Scalar, MaxBatch>(CacheOf<Layers, Scalar, MaxBatch>(layer, max_batch)...); }, layers_);
  }
  template <class Scalar, int MaxBatch>
  Deltas<Scalar, MaxBatch> make_deltas(Index max_batch) const {
    return std::apply([&](const Layers&... layer) { return Deltas<Scalar, MaxBatch>{{layer.outputs(), max_batch}...}; }, layers_);
  }

  template <class Scalar>
  void initialize(Scalar* theta, Random& random) const {
    for_each_index<size>([&](auto i) { get<i>().initialize(theta + parameter_offset(i), random); });
  }

  template <class Scalar>
  void initialize_buffers(Scalar* buffers) const {
    for_each_index<size>([&](auto i) {
      if constexpr (HasBuffers<std::tuple_element_t<i, Tuple>>) get<i>().initialize_buffers(buffers + buffer_offset(i));
    });
  }

  /// Throws where a layer cannot make this pass.
  template <class Scalar>
  void check_pass(const ForwardContext<Scalar>& pass, Index samples) const {
    for_each_index<size>([&](auto i) {
      const auto& layer = get<i>();
      if constexpr (requires { layer.check_pass(pass, samples); }) layer.check_pass(pass_of<i>(pass), samples);
    });
  }

  // a(1) = x,  a(l+1) = what layer l makes of a(l)
  template <class Scalar, class CacheTuple>
  void forward(const Scalar* theta, const ConstMatrixView<Scalar>& x, CacheTuple& caches, const ForwardContext<Scalar>& pass) const {
    for_each_index<size>([&](auto i) {
      const Scalar* slice = theta + parameter_offset(i);
      auto& cache = std::get<i>(caches);
      if constexpr (ModeIndependent<std::tuple_element_t<i, Tuple>>)
        get<i>().forward(slice, input_of<i>(x, caches), cache);
      else
        get<i>().forward(slice, input_of<i>(x, caches), cache, pass_of<i>(pass));
    });
  }

  // from the last layer to the first, with dJ/da(L+1) in the last delta: dJ/dtheta of each, and dJ/da(l) for the one before.
  template <class Scalar, class CacheTuple, class DeltaTuple>
  void backward(const Scalar* theta, const ConstMatrixView<Scalar>& x, CacheTuple& caches, DeltaTuple& deltas, Scalar* gradient,
                MatrixView<Scalar>* input_gradient) const {
    for_each_backwards(x.cols(), deltas, input_gradient, [&](auto i, auto* dX) {
      const Index offset = parameter_offset(i);
      get<i>().backward(theta + offset, input_of<i>(x, caches), std::get<i>(caches), std::get<i>(deltas).first(x.cols()), gradient + offset,
                        dX);
    });
  }

  // the same, and with each layer theta <- theta + factor dJ/dtheta, by the layer itself or by add_multiple(size, factor, dJ/dtheta,
  // theta); `room` is as large as a gradient
  template <class Scalar, class CacheTuple, class DeltaTuple, class AddMultiple>
  void backward_and_step(Scalar* theta, const ConstMatrixView<Scalar>& x, CacheTuple& caches, DeltaTuple& deltas, Scalar factor,
                         Scalar* room, const AddMultiple& add_multiple) const {
    MatrixView<Scalar>* nobody = nullptr;
    for_each_backwards(x.cols(), deltas, nobody, [&](auto i, auto* dX) {
      const Index offset = parameter_offset(i);
      const auto& layer = get<i>();
      auto& cache = std::get<i>(caches);
      auto& delta = std::get<i>(deltas);
      if constexpr (requires { layer.backward_and_step(theta, x, cache, delta.first(1), factor, room, dX); }) {
        layer.backward_and_step(theta + offset, input_of<i>(x, caches), cache, delta.first(x.cols()), factor, room + offset, dX);
      } else {
        layer.backward(theta + offset, input_of<i>(x, caches), cache, delta.first(x.cols()), room + offset, dX);
        add_multiple(parameter_offset(i + 1) - offset, factor, room + offset, theta + offset);
      }
    });
  }

  /// buffers <- what the layers' last forward pass saw.
  template <class Scalar, class CacheTuple>
  void update_statistics(Scalar* buffers, const CacheTuple& caches, Index samples) const {
    for_each_index<size>([&](auto i) {
      const auto& layer = get<i>();
      const auto& cache = std::get<i>(caches);
      if constexpr (requires { layer.update_statistics(buffers, cache, samples); })
        layer.update_statistics(buffers + buffer_offset(i), cache, samples);
    });
  }

  /// The smallest batch that all layers can learn from.
  Index fewest_training_samples() const {
    Index fewest = 1;
    for_each_index<size>([&](auto i) {
      const auto& layer = get<i>();
      if constexpr (requires { layer.fewest_training_samples(); }) fewest = std::max(fewest, layer.fewest_training_samples());
    });
    return fewest;
  }

 private:
  // what layer I is told; one that holds all the layers deals out the seeds itself
  template <std::size_t I, class Scalar>
  ForwardContext<Scalar> pass_of(const ForwardContext<Scalar>& pass) const {
    ForwardContext<Scalar> own = pass.of_layer(I, buffer_offset(I));
    if constexpr (HoldsAllLayers<std::tuple_element_t<I, Tuple>>) own.seed = pass.seed;
    return own;
  }

  // visit(i, where dJ/da(i+1) shall be), the last layer first. Before the first layer with parameters (a Normalize) nobody needs dJ/da
  // unless dJ/dx is asked for. (Views are made where they are passed on: a copy of one takes longer.)
  template <class Scalar, class DeltaTuple, class Visit>
  void for_each_backwards(Index samples, DeltaTuple& deltas, MatrixView<Scalar>* input_gradient, const Visit& visit) const {
    const auto needs_delta = [&](std::size_t i) { return input_gradient != nullptr || i >= first_with_parameters; };
    for_each_index<size>([&](auto k) {
      constexpr std::size_t i = last - k;
      constexpr std::integral_constant<std::size_t, i> index{};
      if (!needs_delta(i)) return;
      if constexpr (i > 0) {
        MatrixView<Scalar> delta_before = std::get<i - 1>(deltas).first(samples);
        visit(index, needs_delta(i - 1) ? &delta_before : nullptr);
      } else {
        visit(index, input_gradient);
      }
    });
  }

  // a(I+1), what layer I reads: x for the first layer, then the activation of the layer before
  template <std::size_t I, class Scalar, class CacheTuple>
  static ConstMatrixView<Scalar> input_of(const ConstMatrixView<Scalar>& x, const CacheTuple& caches) {
    if constexpr (I == 0) {
      return {x.data(), x.rows(), x.cols(), Eigen::OuterStride<>(x.outerStride())};  // part by part: a copy as a whole takes longer
    } else {
      return std::get<I - 1>(caches).output.first(x.cols());
    }
  }

  Tuple layers_;
  std::array<Index, size + 1> parameter_offsets_{};
  std::array<Index, size + 1> buffer_offsets_{};
};

}  // namespace chainrule::detail
