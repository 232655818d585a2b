#pragma once
// A layer whose type is known only when the program runs: any type that satisfies the contract of a layer, behind virtual functions.

#include <chainrule/core/description.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/detail/infer.hpp>
#include <chainrule/core/detail/named_tensors.hpp>
#include <chainrule/inspect/detail/unit_statistics.hpp>
#include <chainrule/inspect/detail/z_and_delta.hpp>
#include <chainrule/layers/detail/ranges.hpp>
#include <functional>
#include <memory>

namespace chainrule {

template <class Scalar>
class AnyLayer;

namespace detail {

/// A constant whose address is different for each type T.
template <class T>
inline constexpr char type_mark = 0;

/// The cache of a layer (what its forward pass keeps for backward) behind virtual functions.
template <class Scalar>
struct CacheBase {
  virtual ~CacheBase() = default;
  virtual const void* type() const = 0;
  virtual std::unique_ptr<CacheBase> clone() const = 0;
  virtual Index rows() const = 0;
  virtual MatrixView<Scalar> first(Index samples) = 0;
  virtual ConstMatrixView<Scalar> first(Index samples) const = 0;
};

/// CacheBase for the cache of a layer of type L.
template <class Scalar, class L>
struct CacheOf final : CacheBase<Scalar> {
  CacheOf(const L& layer, Index max_batch) : cache(layer, max_batch) {}
  const void* type() const override { return &type_mark<L>; }
  std::unique_ptr<CacheBase<Scalar>> clone() const override { return std::unique_ptr<CacheBase<Scalar>>(new CacheOf(*this)); }
  Index rows() const override { return cache.output.rows(); }
  MatrixView<Scalar> first(Index samples) override { return cache.output.first(samples); }
  ConstMatrixView<Scalar> first(Index samples) const override { return cache.output.first(samples); }

  typename L::template Cache<Scalar, Dynamic> cache;
};

/// The cache of an AnyLayer: that of the layer inside, copied as a value.
template <class Scalar>
class AnyCache {
 public:
  AnyCache(const AnyLayer<Scalar>& layer, Index max_batch) : output{layer->make_cache(max_batch)} {}
  AnyCache(const AnyCache& other) : output{other.output.cache == nullptr ? nullptr : other.output.cache->clone()} {}
  AnyCache(AnyCache&&) noexcept = default;
  AnyCache& operator=(AnyCache other) noexcept {
    output.cache.swap(other.output.cache);
    return *this;
  }
  ~AnyCache() = default;

  /// The activation of the layer inside, outputs x max_batch.
  struct Output {
    Index rows() const { return cache->rows(); }
    MatrixView<Scalar> first(Index samples) { return cache->first(samples); }
    ConstMatrixView<Scalar> first(Index samples) const { return std::as_const(*cache).first(samples); }
    std::unique_ptr<CacheBase<Scalar>> cache;
  } output;

  CacheBase<Scalar>& operator*() { return *output.cache; }
  const CacheBase<Scalar>& operator*() const { return *output.cache; }
};

/// The jet cache of a layer (what its forward_jet keeps for backward_jet) behind virtual functions.
template <class Scalar>
struct JetCacheBase {
  virtual ~JetCacheBase() = default;
  virtual std::unique_ptr<JetCacheBase> clone() const = 0;
  virtual MatrixView<Scalar> first(Index columns) = 0;
  virtual ConstMatrixView<Scalar> first(Index columns) const = 0;
};

/// JetCacheBase for the jet cache of a layer of type L.
template <class Scalar, class L>
struct JetCacheOfLayer final : JetCacheBase<Scalar> {
  JetCacheOfLayer(const L& layer, Index max_batch, Index max_columns) : cache(layer, max_batch, max_columns) {}
  std::unique_ptr<JetCacheBase<Scalar>> clone() const override { return std::unique_ptr<JetCacheBase<Scalar>>(new JetCacheOfLayer(*this)); }
  MatrixView<Scalar> first(Index columns) override { return cache.output.first(columns); }
  ConstMatrixView<Scalar> first(Index columns) const override { return cache.output.first(columns); }

  typename L::template JetCache<Scalar> cache;
};

/// The jet cache of an AnyLayer: that of the layer inside, copied as a value.
template <class Scalar>
class AnyJetCache {
 public:
  AnyJetCache(const AnyLayer<Scalar>& layer, Index max_batch, Index max_columns) : output{layer->make_jet_cache(max_batch, max_columns)} {}
  AnyJetCache(const AnyJetCache& other) : output{other.output.cache == nullptr ? nullptr : other.output.cache->clone()} {}
  AnyJetCache(AnyJetCache&&) noexcept = default;
  AnyJetCache& operator=(AnyJetCache other) noexcept {
    output.cache.swap(other.output.cache);
    return *this;
  }
  ~AnyJetCache() = default;

  /// The jet of the output of the layer inside, outputs x max_columns.
  struct Output {
    MatrixView<Scalar> first(Index columns) { return cache->first(columns); }
    ConstMatrixView<Scalar> first(Index columns) const { return std::as_const(*cache).first(columns); }
    std::unique_ptr<JetCacheBase<Scalar>> cache;
  } output;

  JetCacheBase<Scalar>& operator*() { return *output.cache; }
};

/// The contract of a layer (core/concepts.hpp), as virtual functions.
template <class Scalar>
struct LayerBase {
  virtual ~LayerBase() = default;
  virtual std::string_view activation_name() const = 0;
  virtual Index inputs() const = 0;
  virtual Index outputs() const = 0;
  virtual std::vector<TensorShape> tensors() const = 0;
  virtual std::vector<TensorShape> buffer_tensors() const = 0;
  virtual Description describe() const = 0;
  virtual std::span<const CategoryRow> category_rows() const = 0;
  virtual Index fewest_training_samples() const = 0;
  virtual bool gives_raw_outputs() const = 0;
  virtual std::array<double, 2> output_range() const = 0;
  virtual bool takes_any_scale() const = 0;
  virtual bool scales_with_parameters() const = 0;
  virtual void initialize(Scalar* theta, Random& random) const = 0;
  virtual void initialize_buffers(Scalar* buffers) const = 0;
  virtual void check_pass(const ForwardContext<Scalar>& pass, Index samples) const = 0;
  virtual std::unique_ptr<CacheBase<Scalar>> make_cache(Index max_batch) const = 0;
  virtual void check_cache(const char* who, Index i, const CacheBase<Scalar>& cache) const = 0;
  virtual void forward(const Scalar* theta, ConstMatrixView<Scalar> x, CacheBase<Scalar>& cache,
                       const ForwardContext<Scalar>& pass) const = 0;
  virtual void backward(const Scalar* theta, ConstMatrixView<Scalar> x, CacheBase<Scalar>& cache, MatrixView<Scalar> delta,
                        Scalar* gradient, MatrixView<Scalar>* input_gradient, const FrozenSlice& frozen) const = 0;
  // The functions from here to backward_jet do nothing for a layer that lacks them. Callers ask missing_derivative before.
  virtual std::string missing_derivative(int order) const = 0;
  virtual void jvp(const Scalar* theta, ConstMatrixView<Scalar> x, CacheBase<Scalar>& cache, ConstMatrixView<Scalar> direction,
                   MatrixView<Scalar> derivative) const = 0;
  virtual void vjp(const Scalar* theta, ConstMatrixView<Scalar> x, CacheBase<Scalar>& cache, MatrixView<Scalar> delta,
                   MatrixView<Scalar>& input_gradient) const = 0;
  virtual void sample_gradients(const Scalar* theta, ConstMatrixView<Scalar> x, CacheBase<Scalar>& cache, MatrixView<Scalar> delta,
                                const SampleGradients<Scalar>& gradients, MatrixView<Scalar>* input_gradient) const = 0;
  virtual std::unique_ptr<JetCacheBase<Scalar>> make_jet_cache(Index max_batch, Index max_columns) const = 0;
  virtual void forward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, CacheBase<Scalar>& cache,
                           const JetShape& shape, ConstMatrixView<Scalar> jet, JetCacheBase<Scalar>& result) const = 0;
  virtual void backward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, CacheBase<Scalar>& cache,
                            const JetShape& shape, ConstMatrixView<Scalar> jet, JetCacheBase<Scalar>& result, MatrixView<Scalar> delta,
                            MatrixView<Scalar> deltas, Scalar* gradient, MatrixView<Scalar>* input_gradient,
                            MatrixView<Scalar>* jet_gradient) const = 0;
  virtual void update_statistics(Scalar* buffers, const CacheBase<Scalar>& cache, Index samples, double share) const = 0;
  virtual UnitStatistics unit_statistics(ConstMatrixView<Scalar> x, const CacheBase<Scalar>& cache) const = 0;
  virtual void z_and_delta(const Scalar* theta, ConstMatrixView<Scalar> x, const CacheBase<Scalar>& cache, MatrixView<Scalar> z,
                           MatrixView<Scalar> delta) const = 0;
};

/// LayerBase for a layer of type L.
template <class Scalar, class L>
class LayerOf final : public LayerBase<Scalar> {
  using Base = CacheBase<Scalar>;
  using JetBase = JetCacheBase<Scalar>;

 public:
  explicit LayerOf(const L& layer) : layer_{layer} { check_hyperparameters<Scalar>(layer_); }

  std::string_view activation_name() const override { return layer_.activation_name(); }
  Index inputs() const override { return layer_.inputs(); }
  Index outputs() const override { return layer_.outputs(); }
  std::vector<TensorShape> tensors() const override { return as_vector(layer_.tensors()); }
  std::vector<TensorShape> buffer_tensors() const override { return as_vector(buffer_tensors_of(layer_)); }
  Description describe() const override { return chainrule::describe(layer_); }
  std::span<const CategoryRow> category_rows() const override { return category_rows_of(layer_); }
  Index fewest_training_samples() const override {
    if constexpr (requires(const L& l) { l.fewest_training_samples(); })
      return layer_.fewest_training_samples();
    else
      return 1;
  }
  bool gives_raw_outputs() const override {
    if constexpr (requires(const L& l) { l.activation(); })
      return is_identity(layer_.activation());
    else
      return true;
  }
  std::array<double, 2> output_range() const override { return output_range_of<Scalar>(layer_); }
  bool takes_any_scale() const override { return detail::takes_any_scale(layer_); }
  bool scales_with_parameters() const override { return detail::scales_with_parameters(layer_); }
  void initialize(Scalar* theta, Random& random) const override { layer_.initialize(theta, random); }
  void initialize_buffers([[maybe_unused]] Scalar* buffers) const override {
    if constexpr (HasBuffers<L>) layer_.initialize_buffers(buffers);
  }
  void check_pass([[maybe_unused]] const ForwardContext<Scalar>& pass, [[maybe_unused]] Index samples) const override {
    if constexpr (requires(const L& l) { l.check_pass(pass, samples); }) layer_.check_pass(in_its_mode(pass), samples);
  }
  std::unique_ptr<Base> make_cache(Index max_batch) const override {
    return std::unique_ptr<Base>(new CacheOf<Scalar, L>(layer_, max_batch));
  }

  void check_cache(const char* who, Index i, const Base& cache) const override {
    if (cache.type() != &type_mark<L>)
      raise<ShapeError>(who, ": this workspace was made for another network: layer<", i, "> is another kind of layer there; here it is ",
                        L::name);
    detail::check_cache(who, i, layer_, own(cache));
  }
  void forward(const Scalar* theta, ConstMatrixView<Scalar> x, Base& cache,
               [[maybe_unused]] const ForwardContext<Scalar>& pass) const override {
    if constexpr (ModeIndependent<L>)
      layer_.forward(theta, x, own(cache));
    else
      layer_.forward(theta, x, own(cache), in_its_mode(pass));
  }
  void backward(const Scalar* theta, ConstMatrixView<Scalar> x, Base& cache, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* input_gradient, const FrozenSlice& frozen) const override {
    backward_of(layer_, theta, x, own(cache), delta, gradient, input_gradient, frozen);
  }
  std::string missing_derivative(int order) const override { return detail::missing_derivative<Scalar>(layer_, order); }
  void jvp([[maybe_unused]] const Scalar* theta, [[maybe_unused]] ConstMatrixView<Scalar> x, [[maybe_unused]] Base& cache,
           [[maybe_unused]] ConstMatrixView<Scalar> direction, [[maybe_unused]] MatrixView<Scalar> derivative) const override {
    if constexpr (HasInputDerivatives<L, Scalar>) layer_.jvp(theta, x, own(cache), direction, derivative);
  }
  void vjp([[maybe_unused]] const Scalar* theta, [[maybe_unused]] ConstMatrixView<Scalar> x, [[maybe_unused]] Base& cache,
           [[maybe_unused]] MatrixView<Scalar> delta, [[maybe_unused]] MatrixView<Scalar>& input_gradient) const override {
    if constexpr (HasInputDerivatives<L, Scalar>) layer_.vjp(theta, x, own(cache), delta, input_gradient);
  }
  void sample_gradients([[maybe_unused]] const Scalar* theta, [[maybe_unused]] ConstMatrixView<Scalar> x, [[maybe_unused]] Base& cache,
                        [[maybe_unused]] MatrixView<Scalar> delta, [[maybe_unused]] const SampleGradients<Scalar>& gradients,
                        [[maybe_unused]] MatrixView<Scalar>* input_gradient) const override {
    if constexpr (HasSampleGradients<L, Scalar>) layer_.sample_gradients(theta, x, own(cache), delta, gradients, input_gradient);
  }
  std::unique_ptr<JetBase> make_jet_cache([[maybe_unused]] Index max_batch, [[maybe_unused]] Index max_columns) const override {
    if constexpr (HasJet<L, Scalar>)
      return std::unique_ptr<JetBase>(new JetCacheOfLayer<Scalar, L>(layer_, max_batch, max_columns));
    else
      return nullptr;
  }
  void forward_jet([[maybe_unused]] const Scalar* theta, [[maybe_unused]] const Scalar* theta_direction,
                   [[maybe_unused]] ConstMatrixView<Scalar> x, [[maybe_unused]] Base& cache, [[maybe_unused]] const JetShape& shape,
                   [[maybe_unused]] ConstMatrixView<Scalar> jet, [[maybe_unused]] JetBase& result) const override {
    if constexpr (HasJet<L, Scalar>) layer_.forward_jet(theta, theta_direction, x, own(cache), shape, jet, own_jet(result));
  }
  void backward_jet([[maybe_unused]] const Scalar* theta, [[maybe_unused]] const Scalar* theta_direction,
                    [[maybe_unused]] ConstMatrixView<Scalar> x, [[maybe_unused]] Base& cache, [[maybe_unused]] const JetShape& shape,
                    [[maybe_unused]] ConstMatrixView<Scalar> jet, [[maybe_unused]] JetBase& result,
                    [[maybe_unused]] MatrixView<Scalar> delta, [[maybe_unused]] MatrixView<Scalar> deltas,
                    [[maybe_unused]] Scalar* gradient, [[maybe_unused]] MatrixView<Scalar>* input_gradient,
                    [[maybe_unused]] MatrixView<Scalar>* jet_gradient) const override {
    if constexpr (HasJet<L, Scalar>)
      layer_.backward_jet(theta, theta_direction, x, own(cache), shape, jet, own_jet(result), delta, deltas, gradient, input_gradient,
                          jet_gradient);
  }
  void update_statistics([[maybe_unused]] Scalar* buffers, [[maybe_unused]] const Base& cache, [[maybe_unused]] Index samples,
                         [[maybe_unused]] double share) const override {
    if constexpr (requires(const L& l) { l.update_statistics(buffers, own(cache), samples, share); })
      layer_.update_statistics(buffers, own(cache), samples, share);
    else if constexpr (requires(const L& l) { l.update_statistics(buffers, own(cache), samples); })
      layer_.update_statistics(buffers, own(cache), samples);
  }
  UnitStatistics unit_statistics(ConstMatrixView<Scalar> x, const Base& cache) const override {
    return unit_statistics_of(layer_, x, own(cache));
  }
  void z_and_delta(const Scalar* theta, ConstMatrixView<Scalar> x, const Base& cache, MatrixView<Scalar> z,
                   MatrixView<Scalar> delta) const override {
    z_and_delta_of(layer_, theta, x, own(cache), z, delta);
  }

 private:
  using Cache = typename L::template Cache<Scalar, Dynamic>;
  // Precondition: the cache was made by this type of layer, which check_cache has made sure of.
  static Cache& own(Base& cache) { return static_cast<CacheOf<Scalar, L>&>(cache).cache; }
  static const Cache& own(const Base& cache) { return static_cast<const CacheOf<Scalar, L>&>(cache).cache; }
  // Precondition: the jet cache is that of the same workspace.
  static auto& own_jet(JetBase& cache) { return static_cast<JetCacheOfLayer<Scalar, L>&>(cache).cache; }

  // The context of the layer inside, which may be frozen.
  ForwardContext<Scalar> in_its_mode(ForwardContext<Scalar> pass) const {
    if (pass.frozen.all != nullptr) pass.mode = mode_where_frozen(layer_, pass);
    return pass;
  }

  template <class Tensors>
  static std::vector<TensorShape> as_vector(const Tensors& tensors) {
    return {tensors.begin(), tensors.end()};
  }

  L layer_;
};

}  // namespace detail

/// Holds a layer of any type, of the library or your own, and is a layer that computes the same bits: AnyLayer<float> layer =
/// Dense<64, 32, ReLU>{}. A small value; copies share the layer inside, which never changes.
template <class Scalar>
class AnyLayer {
 public:
  static constexpr int inputs_at_compile_time = Dynamic;        ///< the number of inputs: known only at run time
  static constexpr int outputs_at_compile_time = Dynamic;       ///< the number of outputs: known only at run time
  static constexpr Index parameters_at_compile_time = Dynamic;  ///< the number of parameters: known only at run time
  static constexpr Index buffers_at_compile_time = Dynamic;     ///< the number of buffers: known only at run time

  /// Copies the layer.
  template <class L>
  requires(!std::is_same_v<L, AnyLayer>) AnyLayer(const L& layer) : name(L::name) {
    if constexpr (detail::takes_inferred_inputs<L>()) {
      for_inputs_ = [layer](Index inputs) { return AnyLayer(layer.template for_inputs<Dynamic>(inputs)); };
    } else {
      static_assert(Layer<L>, "chainrule: AnyLayer: the argument must be a layer, such as Dense<In, Out>");
      layer_ = std::unique_ptr<const detail::LayerBase<Scalar>>(new detail::LayerOf<Scalar, L>(layer));
    }
  }

  AnyLayer(const AnyLayer&) = default;             ///< shares the layer inside; so does a move, which leaves a whole layer behind
  AnyLayer& operator=(const AnyLayer&) = default;  ///< shares the layer inside

  std::string_view name;  ///< the name of the layer inside

  /// Whether it takes its inputs from the layer before it, as Dropout<> does. Then only `name` and for_inputs may be used: all other
  /// functions throw StateError.
  bool is_inferred() const { return layer_ == nullptr; }
  /// This layer with as many inputs, if it is inferred; else this layer as it is.
  AnyLayer for_inputs(Index inputs) const { return is_inferred() ? for_inputs_(inputs) : *this; }

  Index inputs() const { return operator->()->inputs(); }    ///< the number of inputs, which is the number of rows of x
  Index outputs() const { return operator->()->outputs(); }  ///< the number of outputs, which is the number of rows of the output
  /// The name of the activation inside; empty if there is none.
  std::string_view activation_name() const { return operator->()->activation_name(); }
  /// Names and shapes of the parameters, in the order of the flat vector.
  std::vector<TensorShape> tensors() const { return operator->()->tensors(); }
  /// Names and shapes of the buffers, in the order of their flat vector.
  std::vector<TensorShape> buffer_tensors() const { return operator->()->buffer_tensors(); }
  /// The name, hyperparameters and parts, from which from_description builds it again.
  Description describe() const { return operator->()->describe(); }
  /// The rows of x that are categories; none for layers other than Embedding, and layers that contain one.
  std::span<const CategoryRow> category_rows() const { return operator->()->category_rows(); }
  /// The smallest batch that a training pass takes.
  Index fewest_training_samples() const { return operator->()->fewest_training_samples(); }
  /// The smallest and the largest number that the layer inside can give, or infinities where nothing says it.
  std::array<double, 2> output_range() const { return operator->()->output_range(); }
  /// Whether the layer inside brings its inputs to a scale of its own, as BatchNorm does.
  bool takes_any_scale() const { return operator->()->takes_any_scale(); }
  /// Whether the outputs of the layer inside are divided by T if all its parameters are.
  bool scales_with_parameters() const { return operator->()->scales_with_parameters(); }

  // The members below are templates because the contract of a layer is checked with float, whatever Scalar is.

  /// Views on the parameters in the layer's slice of theta, by name: ["weight"].
  template <class S>
  detail::NamedTensors<S> parameters(S* theta) const {
    return {theta, tensors()};
  }
  /// Views on the buffers in the layer's slice of all buffers, by name: ["running_mean"].
  template <class S>
  detail::NamedTensors<S> buffers(S* numbers) const {
    return {numbers, buffer_tensors()};
  }
  /// Draws the weights from `random` and sets all other parameters to their initial values.
  template <class S>
  void initialize(S* theta, Random& random) const {
    operator->()->initialize(theta, random);
  }
  /// Sets the buffers to their initial values.
  template <class S>
  void initialize_buffers(S* numbers) const {
    operator->()->initialize_buffers(numbers);
  }
  /// Throws StateError or ShapeError where the layer cannot make this pass; called before the pass begins.
  template <class S>
  void check_pass(const ForwardContext<S>& pass, Index samples) const {
    operator->()->check_pass(pass, samples);
  }

  /// The cache of the layer inside.
  template <class S, int MaxBatch>
  using Cache = detail::AnyCache<S>;

  /// The forward pass of the layer inside; x: inputs x batch.
  template <class S>
  void forward(const S* theta, ConstMatrixView<S> x, detail::AnyCache<S>& cache, const ForwardContext<S>& pass) const {
    operator->()->forward(theta, x, *cache, pass);
  }
  /// The backward pass of the layer inside.
  template <class S>
  void backward(const S* theta, ConstMatrixView<S> x, detail::AnyCache<S>& cache, MatrixView<S> delta, S* gradient,
                MatrixView<S>* input_gradient, const detail::FrozenSlice& frozen = {}) const {
    operator->()->backward(theta, x, *cache, delta, gradient, input_gradient, frozen);
  }
  /// Says what the layer inside lacks for derivatives of this order; see core/concepts.hpp.
  std::string missing_derivative(int order) const { return operator->()->missing_derivative(order); }
  /// The derivative of the output of the layer inside along directions of x, inputs x directions batch.
  template <class S>
  void jvp(const S* theta, ConstMatrixView<S> x, detail::AnyCache<S>& cache, ConstMatrixView<S> direction, MatrixView<S> derivative) const {
    operator->()->jvp(theta, x, *cache, direction, derivative);
  }
  /// dJ/dx of the layer inside from dJ/da, outputs x directions batch.
  template <class S>
  void vjp(const S* theta, ConstMatrixView<S> x, detail::AnyCache<S>& cache, MatrixView<S> delta, MatrixView<S>& input_gradient) const {
    operator->()->vjp(theta, x, *cache, delta, input_gradient);
  }
  /// The gradient by the parameters of the layer inside of each column of `delta` by itself, and dJ/dx unless input_gradient is null.
  template <class S>
  void sample_gradients(const S* theta, ConstMatrixView<S> x, detail::AnyCache<S>& cache, MatrixView<S> delta,
                        const SampleGradients<S>& gradients, MatrixView<S>* input_gradient) const {
    operator->()->sample_gradients(theta, x, *cache, delta, gradients, input_gradient);
  }
  /// The jet cache of the layer inside.
  template <class S>
  using JetCache = detail::AnyJetCache<S>;
  /// The jet of the output of the layer inside from the jet of x.
  template <class S>
  void forward_jet(const S* theta, const S* theta_direction, ConstMatrixView<S> x, detail::AnyCache<S>& cache, const JetShape& shape,
                   ConstMatrixView<S> jet, detail::AnyJetCache<S>& result) const {
    operator->()->forward_jet(theta, theta_direction, x, *cache, shape, jet, *result);
  }
  /// The gradients of a J that depends on the output of the layer inside and on its jet.
  template <class S>
  void backward_jet(const S* theta, const S* theta_direction, ConstMatrixView<S> x, detail::AnyCache<S>& cache, const JetShape& shape,
                    ConstMatrixView<S> jet, detail::AnyJetCache<S>& result, MatrixView<S> delta, MatrixView<S> deltas, S* gradient,
                    MatrixView<S>* input_gradient, MatrixView<S>* jet_gradient) const {
    operator->()->backward_jet(theta, theta_direction, x, *cache, shape, jet, *result, delta, deltas, gradient, input_gradient,
                               jet_gradient);
  }
  /// Updates the buffers of the layer inside by what its last forward pass saw.
  template <class S>
  void update_statistics(S* numbers, const detail::AnyCache<S>& cache, Index samples, double share) const {
    operator->()->update_statistics(numbers, *cache, samples, share);
  }

  /// The layer inside, by its virtual functions.
  const detail::LayerBase<Scalar>* operator->() const {
    if (layer_ == nullptr)
      detail::raise<StateError>("AnyLayer: ", name,
                                " takes its number of inputs from the layer before it; for_inputs(n) makes a layer of it");
    return layer_.get();
  }

 private:
  std::shared_ptr<const detail::LayerBase<Scalar>> layer_;
  std::function<AnyLayer(Index)> for_inputs_;
};

namespace detail {

/// Throws ShapeError unless the cache was made for the layer inside, number i of the network.
template <class Scalar>
void check_cache(const char* who, Index i, const AnyLayer<Scalar>& layer, const AnyCache<Scalar>& cache) {
  layer->check_cache(who, i, *cache);
}

/// Counts the units of the layer inside.
template <class Scalar>
UnitStatistics unit_statistics_of(const AnyLayer<Scalar>& layer, ConstMatrixView<Scalar> x, const AnyCache<Scalar>& cache) {
  return layer->unit_statistics(x, *cache);
}

/// Computes z and delta of the layer inside.
template <class Scalar>
void z_and_delta_of(const AnyLayer<Scalar>& layer, const Scalar* theta, ConstMatrixView<Scalar> x, const AnyCache<Scalar>& cache,
                    MatrixView<Scalar> z, MatrixView<Scalar> delta) {
  layer->z_and_delta(theta, x, *cache, z, delta);
}

}  // namespace detail
}  // namespace chainrule
