#pragma once

#include <chainrule/core/concepts.hpp>
#include <chainrule/core/error.hpp>
#include <limits>

namespace chainrule {

namespace detail {

/// The layers' caches for up to max_batch samples.
template <class Scalar, int MaxBatch, Layer... Layers>
using Caches = std::tuple<typename Layers::template Cache<Scalar, MaxBatch>...>;

template <class Scalar, int MaxBatch, Layer... Layers>
Caches<Scalar, MaxBatch, Layers...> make_caches(const std::tuple<Layers...>& layers, Index max_batch) {
  return std::apply(
      [max_batch](const Layers&... layer) {
        return Caches<Scalar, MaxBatch, Layers...>(typename Layers::template Cache<Scalar, MaxBatch>(layer, max_batch)...);
      },
      layers);
}

}  // namespace detail

/// What one thread needs to work with a network: the caches that forward fills and the deltas that backward computes.
/// Made by `net.make_workspace(max_batch)`, which allocates; the work on it does not, for any batch up to max_batch.
/// Memory: 2 x max_batch x (sum of the layers' outputs) scalars, 3 x for layers whose activation needs z for its derivative. Give each
/// thread one of its own.
template <class Scalar, int MaxBatch, Layer... Layers>
class Workspace {
 public:
  Workspace(const std::tuple<Layers...>& layers, Index max_batch)
      : max_batch_{checked(layers, max_batch)},
        caches_{detail::make_caches<Scalar, MaxBatch>(layers, max_batch)},
        deltas_{std::apply(
            [&](const Layers&... layer) {
              return Deltas{{layer.outputs(), max_batch}...};
            },
            layers)} {}

  /// The largest batch it has room for.
  Index max_batch() const { return max_batch_; }

  /// The number of samples of the forward pass whose caches it holds; 0: none, so backward would throw.
  Index cached_samples() const { return cached_samples_; }

  /// Layer I's cache, with its activation in `.output`: `work.cache<0>().output.first(samples)`.
  template <std::size_t I>
  const auto& cache() const {
    return std::get<I>(caches_);
  }

 private:
  template <class, class, class...>
  friend class Network;

  using Deltas = std::tuple<BatchStorage<Scalar, Layers::outputs_at_compile_time, MaxBatch>...>;

  static Index checked(const std::tuple<Layers...>& layers, Index max_batch) {
    if (max_batch < 1) detail::raise<ShapeError>("make_workspace: max_batch must be at least 1, got ", max_batch);
    const Index numbers = std::numeric_limits<Index>::max() / Index{sizeof(Scalar)};
    const auto check = [&](const auto& layer) {
      if (max_batch > numbers / layer.outputs())
        detail::raise<ShapeError>("make_workspace: ", max_batch, " samples of ", layer.outputs(),
                                  " outputs are more than memory can address");
    };
    std::apply([&](const auto&... layer) { (check(layer), ...); }, layers);
    return max_batch;
  }

  void set_cached_samples(Index samples) { cached_samples_ = samples; }

  template <std::size_t I>
  MatrixView<Scalar> delta(Index samples) {
    return std::get<I>(deltas_).first(samples);
  }

  auto& caches() { return caches_; }

  Index max_batch_;
  Index cached_samples_ = 0;
  detail::Caches<Scalar, MaxBatch, Layers...> caches_;
  Deltas deltas_;
};

}  // namespace chainrule
