#pragma once

#include <chainrule/core/detail/infer.hpp>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace chainrule::detail {

/// Base class of layers that contain other layers: the members that do not depend on how the layers inside are connected. The layers are
/// those of a SequenceOf.
template <class Sequence>
class NestedLayers {
 public:
  static constexpr Index parameters_at_compile_time = Sequence::parameters_at_compile_time;  ///< the number of parameters, or Dynamic
  static constexpr Index buffers_at_compile_time = Sequence::buffers_at_compile_time;        ///< the number of buffers, or Dynamic

  std::string_view activation_name() const { return ""; }  ///< empty: there may be activations inside, but none behind all of them
  const auto& layers() const { return inside_.layers(); }  ///< the layers inside
  /// The rows of x that are categories, which the first layer inside says.
  std::span<const CategoryRow> category_rows() const { return inside_.category_rows(); }
  /// The smallest batch that a training pass takes.
  Index fewest_training_samples() const { return inside_.fewest_training_samples(); }

  /// Names and shapes of the parameters, in the order of the flat vector.
  auto tensors() const {
    return numbered([](const auto& layer) { return layer.tensors(); });
  }
  /// Names and shapes of the buffers, in the order of their flat vector.
  auto buffer_tensors() const {
    return numbered([](const auto& layer) { return detail::buffer_tensors_of(layer); });
  }

  /// The parameters by name, as views on this layer's slice of theta or of dJ/dtheta.
  template <class Scalar>
  auto parameters(Scalar* theta) const {
    return detail::map_indices(layers(),
                               [&](auto i) { return detail::element(layers(), i).parameters(theta + inside_.parameter_offset(i)); });
  }
  /// The buffers by name, as views on this layer's slice of all buffers.
  template <class Scalar>
  auto buffers(Scalar* numbers) const {
    return detail::map_indices(layers(), [&](auto i) {
      const auto& layer = detail::element(layers(), i);
      if constexpr (detail::HasBuffers<std::remove_cvref_t<decltype(layer)>>)
        return layer.buffers(numbers + inside_.buffer_offset(i));
      else
        return std::tuple<>{};
    });
  }
  /// Draws the weights from `random` and sets all other parameters to their initial values.
  template <class Scalar>
  void initialize(Scalar* theta, Random& random) const {
    inside_.initialize(theta, random);
  }
  /// Sets the buffers to their initial values.
  template <class Scalar>
  void initialize_buffers(Scalar* numbers) const {
    inside_.initialize_buffers(numbers);
  }
  /// Throws StateError or ShapeError where this pass is not possible; called before the pass begins.
  template <class Scalar>
  void check_pass(const ForwardContext<Scalar>& pass, Index samples) const {
    inside_.check_pass(pass, samples);
  }

  /// Says what the layers inside lack for derivatives; see core/concepts.hpp.
  std::string missing_derivative(int order) const { return inside_.template missing_derivative<float>(order); }

  /// Updates the buffers of the layers inside by what their last forward pass saw.
  template <class Scalar, class Cache>
  void update_statistics(Scalar* numbers, const Cache& cache, Index samples, double share = 0) const {
    inside_.update_statistics(numbers, cache.caches, samples, {}, share);
  }

 protected:
  explicit NestedLayers(const typename Sequence::LayerList& layers) : inside_{layers} {}

  Sequence inside_;  ///< the layers inside, with the places of their parameters and buffers

 private:
  // the tensors of all layers inside, named "0.weight", "0.bias", "1.weight", ...
  template <class TensorsOf>
  auto numbered(const TensorsOf& tensors_of) const {
    return detail::numbered_tensors(detail::map_indices(layers(), [&](auto i) { return tensors_of(detail::element(layers(), i)); }));
  }
};

}  // namespace chainrule::detail
