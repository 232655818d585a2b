#pragma once

#include <algorithm>
#include <chainrule/any/any_layer.hpp>
#include <initializer_list>
#include <limits>

namespace chainrule {
namespace detail {

/// Tensors by name, as views on a slice of a flat vector.
template <class Scalar>
class NamedTensors {
 public:
  NamedTensors(Scalar* numbers, std::vector<TensorShape> shapes) : numbers_{numbers}, shapes_{std::move(shapes)} {}

  /// ["0.weight"]; ValueError names those there are.
  MapOf<Scalar, Dynamic, Dynamic> operator[](std::string_view name) const {
    Scalar* numbers = numbers_;
    for (const TensorShape& tensor : shapes_) {
      if (tensor.name == name) return {numbers, tensor.rows, tensor.cols};
      numbers += tensor.size();
    }
    std::string names;
    for (const TensorShape& tensor : shapes_) append(names += names.empty() ? "" : ", ", tensor.name);
    raise<ValueError>("there is no tensor \"", name, "\" in this network; there are: ", names);
  }
  const std::vector<TensorShape>& shapes() const { return shapes_; }

 private:
  Scalar* numbers_;
  std::vector<TensorShape> shapes_;
};

}  // namespace detail

/// Layers one after the other whose types and number are known only when the program runs; itself a layer, which fills a whole
/// network (AnyNetwork) or a Residual.
/// @code{.cpp}
/// AnyLayers<float> layers{Dense<Dynamic, Dynamic, ReLU>{64, width}};
/// layers.add(Dropout<>{0.2});
/// @endcode
/// Throws ShapeError for a layer that does not fit the one before it.
template <class Scalar>
class AnyLayers {
  using Base = detail::CacheBase<Scalar>;

 public:
  static constexpr std::string_view name = "AnyLayers";         ///< the name in descriptions, files and messages
  static constexpr bool holds_all_layers = true;                ///< it stands for all layers of a network, and is the only one there
  static constexpr int inputs_at_compile_time = Dynamic;        ///< the number of inputs, or Dynamic, or Inferred
  static constexpr int outputs_at_compile_time = Dynamic;       ///< the number of outputs, or Dynamic, or Inferred
  static constexpr Index parameters_at_compile_time = Dynamic;  ///< the number of parameters, or Dynamic
  static constexpr Index buffers_at_compile_time = Dynamic;     ///< the number of buffers, or Dynamic

  /// None yet; see add.
  AnyLayers() = default;
  /// As if each were added in turn.
  AnyLayers(std::initializer_list<AnyLayer<Scalar>> layers) {
    for (const AnyLayer<Scalar>& layer : layers) add(layer);
  }

  /// One more layer at the end.
  void add(const AnyLayer<Scalar>& layer) {
    if (layers_.empty() && layer.is_inferred())
      detail::raise<ShapeError>("AnyLayers: the first layer, ", layer.name,
                                ", has no layer before it whose outputs it could take, so it must say its inputs");
    const AnyLayer<Scalar> next = layers_.empty() ? layer : layer.for_inputs(outputs());
    if (!layers_.empty() && next.inputs() != outputs())
      detail::raise<ShapeError>("AnyLayers: layer<", layers_.size(), "> expects ", next.inputs(), " inputs, but layer<", layers_.size() - 1,
                                "> gives ", outputs(), " outputs");
    const std::size_t n = layers_.size();
    const Index parameters = detail::size_of_tensors(next.tensors()), buffers = detail::size_of_tensors(next.buffer_tensors());
    if (parameters > std::numeric_limits<Index>::max() / 16 - offsets_[n])
      detail::raise<ShapeError>("AnyLayers: with layer<", n, "> there are more parameters than memory can address");
    offsets_.push_back(offsets_[n] + parameters);
    buffer_offsets_.push_back(buffer_offsets_[n] + buffers);
    layers_.push_back(next);
  }

  /// The layers, from the first to the last.
  const std::vector<AnyLayer<Scalar>>& list() const { return layers_; }
  /// f(layer) for each of them in turn.
  template <class F>
  void for_each(const F& f) const {
    for (const AnyLayer<Scalar>& layer : layers_) f(layer);
  }

  /// The number of inputs, which is the number of rows of x.
  Index inputs() const { return layers_.empty() ? 0 : layers_.front().inputs(); }
  /// The number of outputs, which is the number of rows of the output.
  Index outputs() const { return layers_.empty() ? 0 : layers_.back().outputs(); }
  std::string_view activation_name() const { return ""; }  ///< the name of the activation inside; empty if there is none
  /// Names and shapes of the parameters, in the order of the flat vector.
  std::vector<TensorShape> tensors() const { return all_tensors(&AnyLayer<Scalar>::tensors); }
  /// Names and shapes of the buffers, in the order of their flat vector.
  std::vector<TensorShape> buffer_tensors() const { return all_tensors(&AnyLayer<Scalar>::buffer_tensors); }
  /// The smallest batch that a training pass takes.
  Index fewest_training_samples() const {
    Index fewest = 1;
    for (const auto& layer : layers_) fewest = std::max(fewest, layer->fewest_training_samples());
    return fewest;
  }

  /// Tensors by name: ["0.weight"], of the layer number 0.
  template <class S>
  detail::NamedTensors<S> parameters(S* theta) const {
    return {theta, tensors()};
  }
  /// The buffers by name, as views on this layer's slice of all buffers.
  template <class S>
  detail::NamedTensors<S> buffers(S* numbers) const {
    return {numbers, buffer_tensors()};
  }

  /// Draws the weights from `random` and sets all other parameters to their initial values.
  template <class S>
  void initialize(S* theta, Random& random) const {
    for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i]->initialize(theta + offsets_[i], random);
  }
  /// Sets the buffers to their initial values.
  template <class S>
  void initialize_buffers(S* numbers) const {
    for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i]->initialize_buffers(numbers + buffer_offsets_[i]);
  }
  /// Throws StateError or ShapeError where this pass is not possible; called before the pass begins.
  template <class S>
  void check_pass(const ForwardContext<S>& pass, Index samples) const {
    for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i]->check_pass(pass_of(i, pass), samples);
  }

  /// The caches of the layers, and room for what comes back between them.
  template <class S, int MaxBatch>
  struct Cache {
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const AnyLayers& layers, Index max_batch) : output{{}} {
      for (const auto& layer : layers.list()) output.of_layers.emplace_back(layer->make_cache(max_batch));
      for (std::size_t i = 0; i + 1 < layers.list().size(); ++i) deltas.emplace_back(layers.list()[i].outputs(), max_batch);
    }
    /// A copy of all caches.
    Cache(const Cache& other) : output{{}}, deltas{other.deltas} {
      for (const auto& cache : other.output.of_layers) output.of_layers.push_back(cache->clone());
    }
    /// Takes them over.
    Cache(Cache&&) = default;
    /// Takes over those of the other.
    Cache& operator=(Cache other) noexcept {
      std::swap(output.of_layers, other.output.of_layers);
      std::swap(deltas, other.deltas);
      return *this;
    }
    ~Cache() = default;

    /// What the last layer gives.
    struct Output {
      Index rows() const { return of_layers.back()->rows(); }  ///< the outputs of the last layer
      /// The output of the first samples, to read and to write.
      MatrixView<S> first(Index samples) { return of_layers.back()->first(samples); }
      /// The same to read.
      ConstMatrixView<S> first(Index samples) const { return std::as_const(*of_layers.back()).first(samples); }
      std::vector<std::unique_ptr<detail::CacheBase<S>>> of_layers;  ///< one for each layer
    } output;                                                        ///< outputs x max_batch, in the last of them
    std::vector<BatchStorage<S, Dynamic, Dynamic>> deltas;           ///< delta of each layer but the last
  };

  ///     a(1) = x,  a(l+1) = what layer l makes of a(l)
  template <class S, int MaxBatch>
  void forward(const S* theta, ConstMatrixView<S> x, Cache<S, MaxBatch>& cache, const ForwardContext<S>& pass) const {
    for (std::size_t i = 0; i < layers_.size(); ++i)
      layers_[i]->forward(theta + offsets_[i], input_of(i, x, cache), *cache.output.of_layers[i], pass_of(i, pass));
  }

  /// From the last layer to the first, with dJ/da(L+1) in delta; before the first layer with parameters only where dJ/dx is asked for
  template <class S, int MaxBatch>
  void backward(const S* theta, ConstMatrixView<S> x, Cache<S, MaxBatch>& cache, MatrixView<S> delta, S* gradient,
                MatrixView<S>* input_gradient) const {
    const auto first_learning = static_cast<std::size_t>(std::upper_bound(offsets_.begin(), offsets_.end(), 0) - offsets_.begin()) - 1;
    const auto needs_delta = [&](std::size_t i) { return input_gradient != nullptr || i >= first_learning; };
    for (std::size_t i = layers_.size(); i-- > 0 && needs_delta(i);) {
      MatrixView<S> own = i + 1 == layers_.size() ? delta : cache.deltas[i].first(x.cols());
      MatrixView<S> before = i == 0 ? own : cache.deltas[i - 1].first(x.cols());
      MatrixView<S>* asked = i == 0 ? input_gradient : needs_delta(i - 1) ? &before : nullptr;
      layers_[i]->backward(theta + offsets_[i], input_of(i, x, cache), *cache.output.of_layers[i], own, gradient + offsets_[i], asked);
    }
  }

  /// Running statistics of all layers <- what their last forward pass saw.
  template <class S, int MaxBatch>
  void update_statistics(S* numbers, const Cache<S, MaxBatch>& cache, Index samples) const {
    for (std::size_t i = 0; i < layers_.size(); ++i)
      layers_[i]->update_statistics(numbers + buffer_offsets_[i], *cache.output.of_layers[i], samples);
  }

  /// Calls f(layer, its activations) for each layer after a forward pass of so many samples.
  template <class CacheType, class F>
  void for_each_output(const CacheType& cache, Index samples, const F& f) const {
    for (std::size_t i = 0; i < layers_.size(); ++i) f(layers_[i], std::as_const(*cache.output.of_layers[i]).first(samples));
  }

  /// Calls f(its activity) for each layer after a forward pass on x (inspect/detail/unit_statistics.hpp).
  template <class S, class CacheType, class F>
  void for_each_activity(ConstMatrixView<S> x, const CacheType& cache, const F& f) const {
    for (std::size_t i = 0; i < layers_.size(); ++i) f(layers_[i]->activity(input_of(i, x, cache), *cache.output.of_layers[i]));
  }

  /// Throws ShapeError unless the cache was made for these layers.
  template <class CacheType>
  void check_cache(const char* who, const CacheType& cache) const {
    check_count(who, "this workspace was", cache.output.of_layers.size());
    for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i]->check_cache(who, static_cast<Index>(i), *cache.output.of_layers[i]);
  }
  /// The same for gradients, by the layers that they were made for.
  void check_gradient_of(const AnyLayers& made_for) const {
    check_count("backward", "these gradients were", made_for.layers_.size());
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const AnyLayer<Scalar>&here = layers_[i], &there = made_for.layers_[i];
      detail::check_made_for("backward", "these gradients were", static_cast<Index>(i), there.inputs(), here.inputs());
      detail::check_made_for("backward", "these gradients were", static_cast<Index>(i), there.outputs(), here.outputs());
      if (made_for.offsets_[i + 1] != offsets_[i + 1])
        detail::raise<ShapeError>("backward: these gradients were made for another network: layer<", i, "> is ", there.name, " there and ",
                                  here.name, " here");
    }
  }

 private:
  void check_count(const char* who, const char* what, std::size_t there) const {
    if (there != layers_.size())
      detail::raise<ShapeError>(who, ": ", what, " made for another network: one of ", there, " layers, while this has ", layers_.size());
  }

  template <class S, class CacheType>
  static ConstMatrixView<S> input_of(std::size_t i, ConstMatrixView<S> x, const CacheType& cache) {
    return i == 0 ? x : std::as_const(*cache.output.of_layers[i - 1]).first(x.cols());
  }
  template <class S>
  ForwardContext<S> pass_of(std::size_t i, const ForwardContext<S>& pass) const {
    return pass.of_layer(i, buffer_offsets_[i]);
  }

  // "0.weight", "0.bias", "1.weight", ...
  std::vector<TensorShape> all_tensors(std::vector<TensorShape> (AnyLayer<Scalar>::*tensors_of)() const) const {
    std::vector<TensorShape> all;
    for (std::size_t i = 0; i < layers_.size(); ++i)
      for (TensorShape& tensor : (layers_[i].*tensors_of)()) {
        tensor.name = TensorName(i, tensor.name);
        all.push_back(tensor);
      }
    return all;
  }

  std::vector<AnyLayer<Scalar>> layers_;
  std::vector<Index> offsets_{0};
  std::vector<Index> buffer_offsets_{0};
};

}  // namespace chainrule
