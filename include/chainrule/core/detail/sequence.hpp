#pragma once
// Layers one after the other, over which the chain rule runs forward and back. A network is a sequence with a loss; a Residual holds a
// sequence whose result it adds to its input.

#include <algorithm>
#include <array>
#include <chainrule/core/category_row.hpp>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/detail/inline_for_speed.hpp>
#include <chainrule/core/detail/layer_list.hpp>
#include <chainrule/core/detail/layer_passes.hpp>
#include <chainrule/core/frozen_parameters.hpp>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace chainrule::detail {

/// The differences between layers in a tuple and layers in a vector: the types of what is stored for each layer, and the numbers that the
/// compiler knows.
template <class Layers>
struct SequenceTraits;

template <class... L>
struct SequenceTraits<std::tuple<L...>> {
  static constexpr std::size_t size = sizeof...(L);
  using First = std::tuple_element_t<0, std::tuple<L...>>;
  using Last = std::tuple_element_t<size - 1, std::tuple<L...>>;
  static constexpr int inputs_at_compile_time = First::inputs_at_compile_time;
  static constexpr int outputs_at_compile_time = Last::outputs_at_compile_time;
  static constexpr Index parameters_at_compile_time = [] {
    Index sum = 0;
    ((sum = extent_sum(sum, L::parameters_at_compile_time)), ...);
    return sum;
  }();
  static constexpr Index buffers_at_compile_time = [] {
    Index sum = 0;
    ((sum = extent_sum(sum, detail::buffers_at_compile_time<L>())), ...);
    return sum;
  }();

  using Offsets = std::array<Index, size + 1>;
  static Offsets make_offsets(const std::tuple<L...>&) { return {}; }
  template <class Lists>
  using Holder = CopiedByMove<Lists>;

  template <class Scalar, int MaxBatch>
  using Caches = std::tuple<typename L::template Cache<Scalar, MaxBatch>...>;
  template <class Scalar, int MaxBatch>
  using Deltas = std::tuple<SpacedBatchStorage<Scalar, L::outputs_at_compile_time, MaxBatch>...>;
  template <class Scalar>
  using JetCaches = std::tuple<typename JetCacheOf<L, Scalar>::Type...>;
  template <class Scalar>
  static constexpr bool have_input_derivatives = (HasInputDerivatives<L, Scalar> && ...);
  template <class Scalar>
  static constexpr bool have_jets = (HasJet<L, Scalar> && ...);
  template <class Scalar>
  static constexpr bool have_sample_gradients = ((L::parameters_at_compile_time == 0 || HasSampleGradients<L, Scalar>)&&...);

  static constexpr std::size_t first_with_parameters(const Offsets&) {
    std::size_t without = 0;
    bool found = false;
    ((found = found || L::parameters_at_compile_time != 0, without += found ? 0 : 1), ...);
    return without;
  }
};

template <class L>
struct SequenceTraits<std::vector<L>> {
  static constexpr int inputs_at_compile_time = Dynamic;
  static constexpr int outputs_at_compile_time = Dynamic;
  static constexpr Index parameters_at_compile_time = Dynamic;
  static constexpr Index buffers_at_compile_time = Dynamic;

  using Offsets = std::vector<Index>;
  static Offsets make_offsets(const std::vector<L>& layers) { return Offsets(layers.size() + 1, Index{0}); }

  /// Shares the lists among copies, since they never change.
  template <class Lists>
  class Holder {
   public:
    Holder(const Lists& lists) : lists_{std::make_shared<const Lists>(lists)} {}
    const Lists* operator->() const { return &**lists_; }

   private:
    CopiedByMove<std::shared_ptr<const Lists>> lists_;
  };

  template <class Scalar, int MaxBatch>
  using Caches = std::vector<typename L::template Cache<Scalar, Dynamic>>;
  template <class Scalar, int MaxBatch>
  using Deltas = std::vector<SpacedBatchStorage<Scalar, Dynamic, Dynamic>>;
  template <class Scalar>
  using JetCaches = std::vector<typename JetCacheOf<L, Scalar>::Type>;
  template <class Scalar>
  static constexpr bool have_input_derivatives = HasInputDerivatives<L, Scalar>;
  template <class Scalar>
  static constexpr bool have_jets = HasJet<L, Scalar>;
  template <class Scalar>
  static constexpr bool have_sample_gradients = HasSampleGradients<L, Scalar>;

  static std::size_t first_with_parameters(const Offsets& offsets) {
    return static_cast<std::size_t>(std::upper_bound(offsets.begin(), offsets.end(), 0) - offsets.begin()) - 1;
  }
};

/// Stands for a function that a backward pass calls after each layer, where there is none.
struct NothingAfterLayer {};

/// The layers, a std::tuple or a std::vector of them, and where the parameters and buffers of each begin in the flat vectors.
/// (`requires` asks a local reference to the layer, because in clang 14 a lambda's i is not a constant inside `requires`, which is then
/// silently false.)
template <class Layers>
class SequenceOf {
  using Traits = SequenceTraits<Layers>;

 public:
  using LayerList = Layers;

  static constexpr int inputs_at_compile_time = Traits::inputs_at_compile_time;
  static constexpr int outputs_at_compile_time = Traits::outputs_at_compile_time;
  static constexpr Index parameters_at_compile_time = Traits::parameters_at_compile_time;
  static constexpr Index buffers_at_compile_time = Traits::buffers_at_compile_time;

  /// The caches of all layers, which their forward passes fill.
  template <class Scalar, int MaxBatch>
  using Caches = typename Traits::template Caches<Scalar, MaxBatch>;
  /// Storage for dJ/da of each layer's output on the way back.
  template <class Scalar, int MaxBatch>
  using Deltas = typename Traits::template Deltas<Scalar, MaxBatch>;

  /// MaxBatch if an object may hold the caches for so many samples inside itself, with their deltas where it has them too; else Dynamic,
  /// for which each is on the heap.
  template <class Scalar, int MaxBatch, bool has_deltas>
  static constexpr int inline_batch() {
    if constexpr (MaxBatch == Dynamic)
      return Dynamic;
    else if constexpr (has_deltas)
      return sizeof(Caches<Scalar, MaxBatch>) + sizeof(Deltas<Scalar, MaxBatch>) <= inline_bytes ? MaxBatch : Dynamic;
    else
      return sizeof(Caches<Scalar, MaxBatch>) <= inline_bytes ? MaxBatch : Dynamic;
  }

  /// The jet of each layer's output, and what else its forward_jet keeps for its backward_jet.
  template <class Scalar>
  using JetCaches = typename Traits::template JetCaches<Scalar>;

  /// Whether all layers have jvp and vjp, as far as their types tell.
  template <class Scalar>
  static constexpr bool have_input_derivatives() {
    return Traits::template have_input_derivatives<Scalar>;
  }
  /// Whether all layers have forward_jet and backward_jet, as far as their types tell.
  template <class Scalar>
  static constexpr bool have_jets() {
    return Traits::template have_jets<Scalar>;
  }
  /// Whether all layers have jvp and vjp, and those with parameters sample_gradients, as far as their types tell.
  template <class Scalar>
  static constexpr bool have_sample_gradients() {
    return Traits::template have_input_derivatives<Scalar> && Traits::template have_sample_gradients<Scalar>;
  }
  /// Says what the first layer that lacks something lacks for derivatives of this order; empty where no layer does.
  template <class Scalar>
  std::string missing_derivative(int order) const {
    std::string missing;
    for_each_layer(layers(), [&](const auto& layer) {
      if (missing.empty()) missing = detail::missing_derivative<Scalar>(layer, order);
    });
    return missing;
  }

  SequenceOf(const Layers& layers) : lists_(Lists(layers)) {}

  const Layers& layers() const { return lists_->layers; }
  Index inputs() const { return element(layers(), Constant<0>{}).inputs(); }
  Index outputs() const { return last_of(layers()).outputs(); }
  /// The rows of x that are categories, which the first layer says.
  std::span<const CategoryRow> category_rows() const { return category_rows_of(element(layers(), Constant<0>{})); }
  /// Where layer i's parameters begin; for i = size_of(layers()), how many there are.
  Index parameter_offset(std::size_t i) const { return lists_->parameter_offsets[i]; }
  /// Where layer i's buffers begin; for i = size_of(layers()), how many there are.
  Index buffer_offset(std::size_t i) const { return lists_->buffer_offsets[i]; }
  /// The context of layer i. A layer with statistics whose parameters are all frozen predicts in training passes too. (A layer that holds
  /// others passes its context on to them, and they decide.)
  template <class I, class Scalar>
  ForwardContext<Scalar> context_of(I i, const ForwardContext<Scalar>& pass) const {
    ForwardContext<Scalar> context = pass.of_layer(i, buffer_offset(i), parameter_offset(i));
    if (pass.frozen.all != nullptr) context.mode = mode_where_frozen(element(layers(), i), context);
    return context;
  }
  /// The first layer that has parameters; the number of layers where none has.
  std::size_t first_with_parameters() const { return Traits::first_with_parameters(lists_->parameter_offsets); }

  template <class Scalar, int MaxBatch>
  Caches<Scalar, MaxBatch> make_caches(Index max_batch) const {
    return map_indices(layers(), [&](auto i) {
      const auto& layer = element(layers(), i);
      using Cache = typename std::remove_cvref_t<decltype(layer)>::template Cache<Scalar, MaxBatch>;
      return Cache(layer, max_batch);
    });
  }
  /// The caches of a whole network, whose last activation is what users get: its columns have no gaps between them.
  template <class Scalar, int MaxBatch>
  Caches<Scalar, MaxBatch> make_caches_of_network(Index max_batch) const {
    Caches<Scalar, MaxBatch> caches = make_caches<Scalar, MaxBatch>(max_batch);
    auto& output = last_of(caches).output;
    if constexpr (requires { output.make_contiguous(); }) output.make_contiguous();
    return caches;
  }
  /// Storage for dJ/da of each layer, with spaced columns.
  template <class Scalar, int MaxBatch>
  Deltas<Scalar, MaxBatch> make_spaced_deltas(Index max_batch) const {
    return map_indices(layers(), [&](auto i) {
      const auto& layer = element(layers(), i);
      constexpr int outputs = std::remove_cvref_t<decltype(layer)>::outputs_at_compile_time;
      return SpacedBatchStorage<Scalar, outputs, MaxBatch>(layer.outputs(), max_batch);
    });
  }
  /// Storage for dJ/da of each layer, or the gradients by its jet, with contiguous columns.
  template <class Scalar, int MaxBatch>
  Deltas<Scalar, MaxBatch> make_deltas(Index max_batch) const {
    Deltas<Scalar, MaxBatch> deltas = make_spaced_deltas<Scalar, MaxBatch>(max_batch);
    make_contiguous(deltas);
    return deltas;
  }

  template <class Scalar>
  JetCaches<Scalar> make_jet_caches(Index max_batch, Index max_columns) const {
    return map_indices(layers(), [&](auto i) {
      const auto& layer = element(layers(), i);
      return typename JetCacheOf<std::remove_cvref_t<decltype(layer)>, Scalar>::Type(layer, max_batch, max_columns);
    });
  }

  /// Draws all parameters, from the first layer to the last, out of one sequence of random numbers.
  template <class Scalar>
  void initialize(Scalar* theta, Random& random) const {
    for_each_index(layers(), [&](auto i) { element(layers(), i).initialize(theta + parameter_offset(i), random); });
  }

  /// Sets all buffers to what the layers start with.
  template <class Scalar>
  void initialize_buffers(Scalar* buffers) const {
    for_each_index(layers(), [&](auto i) {
      const auto& layer = element(layers(), i);
      if constexpr (HasBuffers<std::remove_cvref_t<decltype(layer)>>) layer.initialize_buffers(buffers + buffer_offset(i));
    });
  }

  /// Throws where a layer cannot make this pass.
  template <class Scalar>
  void check_pass(const ForwardContext<Scalar>& pass, Index samples) const {
    for_each_index(layers(), [&](auto i) {
      const auto& layer = element(layers(), i);
      if constexpr (requires { layer.check_pass(pass, samples); }) layer.check_pass(context_of(i, pass), samples);
    });
  }

  // a(1) = x,  a(l+1) = what layer l makes of a(l)
  template <class Scalar, class CacheList>
  CHAINRULE_INLINE_FOR_SPEED void forward(const Scalar* theta, const ConstMatrixView<Scalar>& x, CacheList& caches,
                                          const ForwardContext<Scalar>& pass) const {
    assume_not_empty(x.cols());
    for_each_index(layers(), [&](auto i) CHAINRULE_INLINE_FOR_SPEED { forward_layer(i, theta, x, caches, pass); });
  }

  // The layers after the first one, whose output a(2) for so many samples is in its cache.
  template <class Scalar, class CacheList>
  void forward_after_first(const Scalar* theta, Index samples, CacheList& caches, const ForwardContext<Scalar>& pass) const {
    const ConstMatrixView<Scalar> no_x{nullptr, inputs(), samples, Eigen::OuterStride<>(inputs())};  // only its extents are read
    for_each_index(layers(), [&](auto i) {
      if (i != 0) forward_layer(i, theta, no_x, caches, pass);
    });
  }

  // From the last layer to the first, with dJ/da(L+1) in the last delta: dJ/dtheta of each layer, and dJ/da(l) for the layer before it.
  // Unless dJ/dx is asked for, the layers before the first one that learns are left out. The gradient of a layer that does not learn is not
  // written. After each layer with parameters, calls layer_done(begin, end): dJ/dtheta is complete in [begin, end).
  template <class Scalar, class CacheList, class DeltaList, class LayerDone = NothingAfterLayer>
  CHAINRULE_INLINE_FOR_SPEED void backward(const Scalar* theta, const ConstMatrixView<Scalar>& x, CacheList& caches, DeltaList& deltas,
                                           Scalar* gradient, MatrixView<Scalar>* input_gradient, const FrozenSlice& frozen = {},
                                           [[maybe_unused]] const LayerDone& layer_done = {}) const {
    for_each_backwards(x.cols(), deltas, input_gradient, frozen, [&](auto i, auto* dX) CHAINRULE_INLINE_FOR_SPEED {
      const Index offset = parameter_offset(i);
      backward_of(element(layers(), i), theta + offset, input_of(i, x, caches), element(caches, i), element(deltas, i).first(x.cols()),
                  gradient + offset, dX, frozen.from(offset));
      if constexpr (!std::is_same_v<LayerDone, NothingAfterLayer>)
        if (const Index end = parameter_offset(i + 1); offset < end) layer_done(offset, end);
    });
  }

  // From the first layer to the last, the derivative of each a(l+1) along the directions dx, into derivatives[l].
  //
  //     da(l+1) = (da(l+1)/da(l)) da(l),  da(1) = dx
  template <class Scalar, class CacheList, class DerivativeList>
  void jvp(const Scalar* theta, const ConstMatrixView<Scalar>& x, CacheList& caches, const ConstMatrixView<Scalar>& dx,
           DerivativeList& derivatives) const {
    for_each_index(layers(), [&](auto i) {
      const ConstMatrixView<Scalar> direction = i == 0 ? dx : as_const(element(derivatives, before(i)).first(dx.cols()));
      element(layers(), i)
          .jvp(theta + parameter_offset(i), input_of(i, x, caches), element(caches, i), direction,
               element(derivatives, i).first(dx.cols()));
    });
  }

  // From the last layer to the first, with v = dJ/da(L+1) in the first `columns` columns of the last delta: dJ/dx, but no gradient by
  // theta.
  //
  //     dJ/da(l) = (da(l+1)/da(l))^T dJ/da(l+1)
  template <class Scalar, class CacheList, class DeltaList>
  void vjp(const Scalar* theta, const ConstMatrixView<Scalar>& x, CacheList& caches, DeltaList& deltas, Index columns,
           MatrixView<Scalar>& input_gradient) const {
    for_each_index_backwards(layers(), [&](auto i) {
      MatrixView<Scalar> before_it = i == 0 ? input_gradient : element(deltas, before(i)).first(columns);
      element(layers(), i)
          .vjp(theta + parameter_offset(i), input_of(i, x, caches), element(caches, i), element(deltas, i).first(columns), before_it);
    });
  }

  // From the last layer to the first, with dJ/da(L+1) in the first `columns` columns of the last delta: gives the gradient by theta of each
  // column by itself to `gradients`, and computes dJ/dx unless input_gradient is null. Layers whose parameters are all frozen give none.
  template <class Scalar, class CacheList, class DeltaList>
  void sample_gradients(const Scalar* theta, const ConstMatrixView<Scalar>& x, CacheList& caches, DeltaList& deltas, Index columns,
                        const SampleGradients<Scalar>& gradients, MatrixView<Scalar>* input_gradient,
                        const FrozenSlice& frozen = {}) const {
    for_each_backwards(columns, deltas, input_gradient, frozen, [&](auto i, MatrixView<Scalar>* dX) {
      const auto& layer = element(layers(), i);
      using L = std::remove_cvref_t<decltype(layer)>;
      const Scalar* slice = theta + parameter_offset(i);
      if (!learns(i, frozen)) {
        if (dX != nullptr) layer.vjp(slice, input_of(i, x, caches), element(caches, i), element(deltas, i).first(columns), *dX);
      } else if constexpr (HasSampleGradients<L, Scalar>) {
        layer.sample_gradients(slice, input_of(i, x, caches), element(caches, i), element(deltas, i).first(columns),
                               gradients.of_parameters_from(parameter_offset(i)), dX);
      }
    });
  }

  // From the first layer to the last, the jet of each a(l+1) from the jet of x, into jet_caches[l].output. Where theta_direction is not
  // null, theta depends on t_1 too, as theta + t_1 theta_direction.
  template <class Scalar, class CacheList, class JetCacheList>
  void forward_jet(const Scalar* theta, const Scalar* theta_direction, const ConstMatrixView<Scalar>& x, CacheList& caches,
                   const JetShape& shape, const ConstMatrixView<Scalar>& jet, JetCacheList& jet_caches) const {
    for_each_index(layers(), [&](auto i) {
      element(layers(), i)
          .forward_jet(theta + parameter_offset(i), slice_of(theta_direction, i), input_of(i, x, caches), element(caches, i), shape,
                       jet_of(i, jet, jet_caches, shape.columns()), element(jet_caches, i));
    });
  }

  // From the last layer to the first, with the gradients by a(L+1) and by its jet in the last of `deltas` and `jet_deltas`: the gradient by
  // theta unless `gradient` is null, and the gradients by x and by its jet unless input_gradient is null.
  template <class Scalar, class CacheList, class JetCacheList, class DeltaList, class JetDeltaList>
  void backward_jet(const Scalar* theta, const Scalar* theta_direction, const ConstMatrixView<Scalar>& x, CacheList& caches,
                    const JetShape& shape, const ConstMatrixView<Scalar>& jet, JetCacheList& jet_caches, DeltaList& deltas,
                    JetDeltaList& jet_deltas, Scalar* gradient, MatrixView<Scalar>* input_gradient,
                    MatrixView<Scalar>* jet_gradient) const {
    for_each_index_backwards(layers(), [&](auto i) {
      const auto backward = [&](MatrixView<Scalar>* delta_before, MatrixView<Scalar>* jet_delta_before) {
        element(layers(), i)
            .backward_jet(theta + parameter_offset(i), slice_of(theta_direction, i), input_of(i, x, caches), element(caches, i), shape,
                          jet_of(i, jet, jet_caches, shape.columns()), element(jet_caches, i), element(deltas, i).first(shape.batch),
                          element(jet_deltas, i).first(shape.columns()), gradient == nullptr ? nullptr : gradient + parameter_offset(i),
                          delta_before, jet_delta_before);
      };
      if (i == 0) return backward(input_gradient, jet_gradient);
      MatrixView<Scalar> delta_before = element(deltas, before(i)).first(shape.batch);
      MatrixView<Scalar> jet_delta_before = element(jet_deltas, before(i)).first(shape.columns());
      backward(&delta_before, &jet_delta_before);
    });
  }

  // The backward pass, in which each layer also steps, theta <- theta + factor dJ/dtheta: by itself where it can, else by
  // add_multiple(size, factor, dJ/dtheta, theta). `scratch` has the size of a gradient. Frozen parameters keep their bits.
  template <class Scalar, class CacheList, class DeltaList, class AddMultiple>
  CHAINRULE_INLINE_FOR_SPEED void backward_and_step(Scalar* theta, const ConstMatrixView<Scalar>& x, CacheList& caches, DeltaList& deltas,
                                                    Scalar factor, Scalar* scratch, const AddMultiple& add_multiple,
                                                    const FrozenSlice& frozen) const {
    MatrixView<Scalar>* no_input_gradient = nullptr;
    for_each_backwards(x.cols(), deltas, no_input_gradient, frozen, [&](auto i, auto* dX) CHAINRULE_INLINE_FOR_SPEED {
      const Index offset = parameter_offset(i);
      const auto& layer = element(layers(), i);
      auto& cache = element(caches, i);
      auto& delta = element(deltas, i);
      if (frozen.overlaps(offset, parameter_offset(i + 1))) {
        backward_of(layer, static_cast<const Scalar*>(theta + offset), input_of(i, x, caches), cache, delta.first(x.cols()),
                    scratch + offset, dX, frozen.from(offset));
        frozen.all->for_each_learning(frozen.first + offset, frozen.first + parameter_offset(i + 1), [&](Index begin, Index end) {
          add_multiple(end - begin, factor, scratch + begin - frozen.first, theta + begin - frozen.first);
        });
        return;
      }
      if constexpr (requires { layer.backward_and_step(theta, x, cache, delta.first(1), factor, scratch, dX); }) {
        layer.backward_and_step(theta + offset, input_of(i, x, caches), cache, delta.first(x.cols()), factor, scratch + offset, dX);
      } else {
        layer.backward(theta + offset, input_of(i, x, caches), cache, delta.first(x.cols()), scratch + offset, dX);
        add_multiple(parameter_offset(i + 1) - offset, factor, scratch + offset, theta + offset);
      }
    });
  }

  /// Updates the buffers by what the layers' last forward pass saw, except those of layers whose parameters are all frozen. `share`: that
  /// of the batch in them, or 0 for the layers' own.
  template <class Scalar, class CacheList>
  void update_statistics(Scalar* buffers, const CacheList& caches, Index samples, const FrozenSlice& frozen = {}, double share = 0) const {
    for_each_index(layers(), [&](auto i) {
      const auto& layer = element(layers(), i);
      const auto& cache = element(caches, i);
      if (frozen.contains(parameter_offset(i), parameter_offset(i + 1))) return;
      if constexpr (requires { layer.update_statistics(buffers, cache, samples, share); })
        layer.update_statistics(buffers + buffer_offset(i), cache, samples, share);
      else if constexpr (requires { layer.update_statistics(buffers, cache, samples); })
        layer.update_statistics(buffers + buffer_offset(i), cache, samples);
    });
  }

  /// The smallest batch that all layers can learn from, apart from those whose parameters are all frozen.
  Index fewest_training_samples(const FrozenSlice& frozen = {}) const {
    Index fewest = 1;
    for_each_index(layers(), [&](auto i) {
      const auto& layer = element(layers(), i);
      if (frozen.contains(parameter_offset(i), parameter_offset(i + 1))) return;
      if constexpr (requires { layer.fewest_training_samples(); }) fewest = (std::max)(fewest, layer.fewest_training_samples());
    });
    return fewest;
  }

 private:
  // Calls visit(i, where dJ/da of the layer before shall be written), from the last layer to the first. Before the first layer with
  // parameters that learn (before it may be a Normalize, or frozen layers) nobody needs dJ/da unless dJ/dx is asked for. (Views are made
  // where they are passed on: a copy of one takes longer.)
  template <class Scalar, class DeltaList, class Visit>
  CHAINRULE_INLINE_FOR_SPEED void for_each_backwards(Index samples, DeltaList& deltas, MatrixView<Scalar>* input_gradient,
                                                     const FrozenSlice& frozen, const Visit& visit) const {
    assume_not_empty(samples);
    std::size_t first_learning = first_with_parameters();
    if (frozen.all != nullptr)
      while (first_learning < size_of(layers()) && !learns(first_learning, frozen)) ++first_learning;
    const auto needs_delta = [&](std::size_t i) { return input_gradient != nullptr || i >= first_learning; };
    for_each_index_backwards(layers(), [&](auto i) CHAINRULE_INLINE_FOR_SPEED {
      if (!needs_delta(i)) return;
      if (i == 0) return visit(i, input_gradient);
      MatrixView<Scalar> delta_before = element(deltas, before(i)).first(samples);
      visit(i, needs_delta(before(i)) ? &delta_before : nullptr);
    });
  }

  template <class I, class Scalar, class CacheList>
  [[gnu::always_inline]] void forward_layer(I i, const Scalar* theta, const ConstMatrixView<Scalar>& x, CacheList& caches,
                                            const ForwardContext<Scalar>& pass) const {
    const auto& layer = element(layers(), i);
    const Scalar* slice = theta + parameter_offset(i);
    auto& cache = element(caches, i);
    if constexpr (ModeIndependent<std::remove_cvref_t<decltype(layer)>>)
      layer.forward(slice, input_of(i, x, caches), cache);
    else
      layer.forward(slice, input_of(i, x, caches), cache, context_of(i, pass));
  }

  // whether layer i has parameters that are not frozen
  bool learns(std::size_t i, const FrozenSlice& frozen) const {
    const Index begin = parameter_offset(i), end = parameter_offset(i + 1);
    return begin < end && !frozen.contains(begin, end);
  }

  // a(i+1), what layer i reads: x for the first layer, then the activation of the layer before
  template <class I, class Scalar, class CacheList>
  static ConstMatrixView<Scalar> input_of(I i, const ConstMatrixView<Scalar>& x, const CacheList& caches) {
    if (i == 0) return {x.data(), x.rows(), x.cols(), Eigen::OuterStride<>(x.outerStride())};  // by parts: copying the view takes longer
    return element(caches, before(i)).output.first(x.cols());
  }

  // the jet of a(i+1), what layer i reads
  template <class I, class Scalar, class JetCacheList>
  static ConstMatrixView<Scalar> jet_of(I i, const ConstMatrixView<Scalar>& jet, const JetCacheList& jet_caches, Index columns) {
    if (i == 0) return jet;
    return element(jet_caches, before(i)).output.first(columns);
  }

  // where the numbers of layer i begin in a direction of theta; null where there is none
  template <class I, class Scalar>
  const Scalar* slice_of(const Scalar* theta_direction, I i) const {
    return theta_direction == nullptr ? nullptr : theta_direction + parameter_offset(i);
  }

  struct Lists {
    explicit Lists(const Layers& of) : layers(of), parameter_offsets(Traits::make_offsets(of)), buffer_offsets(Traits::make_offsets(of)) {
      for_each_index(layers, [this](auto i) {
        parameter_offsets[i + 1] = extent_sum(parameter_offsets[i], parameter_count(element(layers, i)));
        buffer_offsets[i + 1] = extent_sum(buffer_offsets[i], buffer_count(element(layers, i)));
      });
    }
    Layers layers;
    typename Traits::Offsets parameter_offsets;
    typename Traits::Offsets buffer_offsets;
  };
  typename Traits::template Holder<Lists> lists_;
};

/// A sequence of layers whose types the compiler knows.
template <class... Layers>
using Sequence = SequenceOf<std::tuple<Layers...>>;

}  // namespace chainrule::detail
