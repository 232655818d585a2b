#pragma once
// The contract of a layer as virtual functions, which an AnyLayer calls, and a class for each type of layer that implements them.

#include <array>
#include <chainrule/core/category_row.hpp>
#include <chainrule/core/description.hpp>
#include <chainrule/core/detail/chain.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/detail/layer_passes.hpp>
#include <chainrule/inspect/detail/unit_statistics.hpp>
#include <chainrule/inspect/detail/z_and_delta.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <chainrule/layers/detail/ranges.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chainrule {

template <class Scalar>
class AnyLayer;

namespace detail {

/// A constant whose address is different for each type T.
template <class T>
inline constexpr char type_mark = 0;

/// A cache of a layer behind virtual functions: what its forward pass keeps for backward, or its forward_jet for backward_jet.
template <class Scalar>
struct CacheBase {
  virtual ~CacheBase() = default;
  virtual const void* type_of_layer() const = 0;
  virtual std::unique_ptr<CacheBase> clone() const = 0;
  virtual MatrixView<Scalar> first(Index columns) = 0;
  virtual ConstMatrixView<Scalar> first(Index columns) const = 0;
  virtual void make_contiguous() = 0;
};

/// CacheBase for a cache of type C, which is L::Cache or L::JetCache, of a layer of type L.
template <class Scalar, class L, class C>
struct CacheOf final : CacheBase<Scalar> {
  template <class... Sizes>
  explicit CacheOf(const L& layer, Sizes... sizes) : cache(layer, sizes...) {}
  const void* type_of_layer() const override { return &type_mark<L>; }
  std::unique_ptr<CacheBase<Scalar>> clone() const override { return std::unique_ptr<CacheBase<Scalar>>(new CacheOf(*this)); }
  MatrixView<Scalar> first(Index columns) override { return cache.output.first(columns); }
  ConstMatrixView<Scalar> first(Index columns) const override { return cache.output.first(columns); }
  void make_contiguous() override {
    if constexpr (requires { cache.output.make_contiguous(); }) cache.output.make_contiguous();
  }

  C cache;
};

/// The cache or the jet cache of an AnyLayer: that of the layer inside, copied as a value.
template <class Scalar>
class AnyCache {
 public:
  /// The cache for passes over up to max_batch samples.
  AnyCache(const AnyLayer<Scalar>& layer, Index max_batch) : output{layer->make_cache(max_batch)} {}
  /// The cache for jets of up to max_columns columns.
  AnyCache(const AnyLayer<Scalar>& layer, Index max_batch, Index max_columns) : output{layer->make_jet_cache(max_batch, max_columns)} {}
  AnyCache(const AnyCache& other) : output{other.output.cache == nullptr ? nullptr : other.output.cache->clone()} {}
  AnyCache(AnyCache&&) noexcept = default;
  AnyCache& operator=(AnyCache other) noexcept {
    output.cache.swap(other.output.cache);
    return *this;
  }
  ~AnyCache() = default;

  /// The output of the layer inside, or its jet, in the first columns.
  struct Output {
    Index rows() const { return first(0).rows(); }
    MatrixView<Scalar> first(Index columns) { return cache->first(columns); }
    ConstMatrixView<Scalar> first(Index columns) const { return std::as_const(*cache).first(columns); }
    void make_contiguous() { cache->make_contiguous(); }
    std::unique_ptr<CacheBase<Scalar>> cache;
  } output;

  CacheBase<Scalar>& operator*() { return *output.cache; }
  const CacheBase<Scalar>& operator*() const { return *output.cache; }
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
  virtual void backward_and_step(Scalar* theta, ConstMatrixView<Scalar> x, CacheBase<Scalar>& cache, MatrixView<Scalar> delta,
                                 Scalar factor, Scalar* scratch, MatrixView<Scalar>* input_gradient) const = 0;
  // The functions from here to backward_jet do nothing for a layer that lacks them. Callers ask missing_derivative before.
  virtual std::string missing_derivative(int order) const = 0;
  virtual void jvp(const Scalar* theta, ConstMatrixView<Scalar> x, CacheBase<Scalar>& cache, ConstMatrixView<Scalar> direction,
                   MatrixView<Scalar> derivative) const = 0;
  virtual void vjp(const Scalar* theta, ConstMatrixView<Scalar> x, CacheBase<Scalar>& cache, MatrixView<Scalar> delta,
                   MatrixView<Scalar>& input_gradient) const = 0;
  virtual void sample_gradients(const Scalar* theta, ConstMatrixView<Scalar> x, CacheBase<Scalar>& cache, MatrixView<Scalar> delta,
                                const SampleGradients<Scalar>& gradients, MatrixView<Scalar>* input_gradient) const = 0;
  virtual std::unique_ptr<CacheBase<Scalar>> make_jet_cache(Index max_batch, Index max_columns) const = 0;
  virtual void forward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, CacheBase<Scalar>& cache,
                           const JetShape& shape, ConstMatrixView<Scalar> jet, CacheBase<Scalar>& result) const = 0;
  virtual void backward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, CacheBase<Scalar>& cache,
                            const JetShape& shape, ConstMatrixView<Scalar> jet, CacheBase<Scalar>& result, MatrixView<Scalar> delta,
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
    return std::unique_ptr<Base>(new CacheOf<Scalar, L, Cache>(layer_, max_batch));
  }

  void check_cache(const char* who, Index i, const Base& cache) const override {
    if (cache.type_of_layer() != &type_mark<L>)
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
  void backward_and_step(Scalar* theta, ConstMatrixView<Scalar> x, Base& cache, MatrixView<Scalar> delta, Scalar factor, Scalar* scratch,
                         MatrixView<Scalar>* input_gradient) const override {
    if constexpr (requires { layer_.backward_and_step(theta, x, own(cache), delta, factor, scratch, input_gradient); }) {
      layer_.backward_and_step(theta, x, own(cache), delta, factor, scratch, input_gradient);
    } else {
      layer_.backward(theta, x, own(cache), delta, scratch, input_gradient);
      kernels::add_multiple<Scalar>(parameter_count(layer_), factor, scratch, theta);
    }
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
  std::unique_ptr<Base> make_jet_cache([[maybe_unused]] Index max_batch, [[maybe_unused]] Index max_columns) const override {
    if constexpr (HasJet<L, Scalar>)
      return std::unique_ptr<Base>(new CacheOf<Scalar, L, typename L::template JetCache<Scalar>>(layer_, max_batch, max_columns));
    else
      return nullptr;
  }
  void forward_jet([[maybe_unused]] const Scalar* theta, [[maybe_unused]] const Scalar* theta_direction,
                   [[maybe_unused]] ConstMatrixView<Scalar> x, [[maybe_unused]] Base& cache, [[maybe_unused]] const JetShape& shape,
                   [[maybe_unused]] ConstMatrixView<Scalar> jet, [[maybe_unused]] Base& result) const override {
    if constexpr (HasJet<L, Scalar>) layer_.forward_jet(theta, theta_direction, x, own(cache), shape, jet, own_jet(result));
  }
  void backward_jet([[maybe_unused]] const Scalar* theta, [[maybe_unused]] const Scalar* theta_direction,
                    [[maybe_unused]] ConstMatrixView<Scalar> x, [[maybe_unused]] Base& cache, [[maybe_unused]] const JetShape& shape,
                    [[maybe_unused]] ConstMatrixView<Scalar> jet, [[maybe_unused]] Base& result, [[maybe_unused]] MatrixView<Scalar> delta,
                    [[maybe_unused]] MatrixView<Scalar> deltas, [[maybe_unused]] Scalar* gradient,
                    [[maybe_unused]] MatrixView<Scalar>* input_gradient, [[maybe_unused]] MatrixView<Scalar>* jet_gradient) const override {
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
  static Cache& own(Base& cache) { return static_cast<CacheOf<Scalar, L, Cache>&>(cache).cache; }
  static const Cache& own(const Base& cache) { return static_cast<const CacheOf<Scalar, L, Cache>&>(cache).cache; }
  // Precondition: the jet cache is that of the same workspace.
  static auto& own_jet(Base& cache) { return static_cast<CacheOf<Scalar, L, typename L::template JetCache<Scalar>>&>(cache).cache; }

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
}  // namespace chainrule
