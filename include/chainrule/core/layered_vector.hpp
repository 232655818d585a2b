#pragma once
// A flat vector of numbers that belong to layers: theta, dJ/dtheta and the buffers of a network are each one of these. Optimizers,
// checkpoints and checks see the vector as a whole; users see the slice of a layer by the names of its tensors.

#include <chainrule/core/detail/named_tensors.hpp>
#include <chainrule/core/detail/sequence.hpp>
#include <string_view>
#include <vector>

namespace chainrule {
namespace detail {

/// The two kinds of numbers that a layer has: parameters, which are trained, and buffers, which are only stored.
enum class Part { parameters, buffers };

}  // namespace detail

/// A flat vector with a slice for each layer: theta, dJ/dtheta or the buffers. Optimizers and checks use flat(); layer<i>() gives the slice
/// of layer i by name, such as its weight and bias.
template <class Scalar, class Sequence, detail::Part part = detail::Part::parameters>
class LayeredVector {
  static constexpr Index size_at_compile_time =
      part == detail::Part::parameters ? Sequence::parameters_at_compile_time : Sequence::buffers_at_compile_time;

 public:
  /// Allocates numbers for all layers of the sequence and sets them to 0. Throws ShapeError where memory cannot hold them.
  explicit LayeredVector(const Sequence& sequence)
      : sequence_{sequence},
        values_{part == detail::Part::parameters ? "the parameters of all layers" : "the buffers of all layers", size()} {}

  Index size() const { return offset(detail::size_of(layers())); }  ///< the length of the whole vector

  /// A view to read and write of all layers' slices, one after the other. Throws StateError where the numbers were moved to another object.
  VectorView<Scalar> flat() { return {data(), size()}; }
  /// A view to read of all layers' slices, one after the other. Throws StateError where the numbers were moved to another object.
  ConstVectorView<Scalar> flat() const { return {data(), size()}; }
  /// A pointer to the first of all numbers, to read and write. Throws StateError where the numbers were moved to another object.
  Scalar* data() {
    check_holds_numbers();
    return values_.data();
  }
  /// A pointer to the first of all numbers, to read. Throws StateError where the numbers were moved to another object.
  const Scalar* data() const {
    check_holds_numbers();
    return values_.data();
  }

  /// Views to read and write of the slice of layer I by name: .weight, .bias.
  template <std::size_t I>
  auto layer() {
    return views<I>(*this);
  }
  /// Views to read of the slice of layer I by name: .weight, .bias.
  template <std::size_t I>
  auto layer() const {
    return views<I>(*this);
  }

  /// Calls f(i, layer, views) for each layer, from the first to the last: its index, the layer itself with its extents and hyperparameters,
  /// and what layer<i>() returns, to read and write. Layers of other types have other names, so a generic lambda asks for them; an
  /// AnyNetwork has one type of layer, whose views are by name, views["weight"]:
  /// @code{.cpp}
  /// net.for_each_layer([](Index i, const auto& layer, auto& views) {
  ///   std::printf("%d: %d -> %d\n", int(i), int(layer.inputs()), int(layer.outputs()));
  ///   if constexpr (requires { views.weight; }) views.weight *= 0.5f;
  /// });
  /// @endcode
  template <class F>
  requires(part == detail::Part::parameters) void for_each_layer(F&& f) { visit_layers(*this, f); }
  /// Calls f(i, layer, views) for each layer, with views to read.
  template <class F>
  requires(part == detail::Part::parameters) void for_each_layer(F&& f) const { visit_layers(*this, f); }

  /// A tensor of any layer by its name, as a view to read and write: "0.weight" is W(1). ValueError names those that exist. Allocates.
  auto tensor(std::string_view name) { return detail::NamedTensors<Scalar>(data(), tensors())[name]; }
  /// A tensor of any layer by its name, as a view to read.
  auto tensor(std::string_view name) const { return detail::NamedTensors<const Scalar>(data(), tensors())[name]; }

  /// Calls f(full name, tensor, begin) for each tensor of each layer, in the vector's order: "0.weight", its shape, and the index of its
  /// first number. Allocates.
  template <class F>
  void for_each_tensor(const F& f) const {
    Index begin = 0;
    for (const TensorShape& tensor : tensors()) {
      f(std::string_view(tensor.name), tensor, begin);
      begin += tensor.size();
    }
  }

  /// The layers whose numbers the vector holds.
  const Sequence& sequence() const { return sequence_; }
  const typename Sequence::LayerList& layers() const { return sequence_.layers(); }  ///< the layers, as NetworkBase::layers

  /// The index at which the slice of layer i begins; for i = the number of layers, the length of the whole vector. Throws ValueError for a
  /// larger i.
  Index offset(std::size_t i) const {
    if (i > detail::size_of(layers()))
      detail::raise<ValueError>("layer ", i, ": the network has ", std::size_t{detail::size_of(layers())}, " layers, counted from 0");
    return part == detail::Part::parameters ? sequence_.parameter_offset(i) : sequence_.buffer_offset(i);
  }
  /// A pointer to the numbers of layer i, to read and write.
  Scalar* slice(std::size_t i) { return data() + offset(i); }
  /// A pointer to the numbers of layer i, to read.
  const Scalar* slice(std::size_t i) const { return data() + offset(i); }

 private:
  template <std::size_t I, class Self>
  static auto views(Self& self) {
    const auto& layer = detail::checked_element<I>(self.layers());
    if constexpr (part == detail::Part::parameters) {
      return layer.parameters(self.slice(I));
    } else {
      constexpr bool has_buffers = detail::HasBuffers<std::remove_cvref_t<decltype(layer)>>;
      static_assert(has_buffers, "chainrule: buffers<i>(): this layer has none; only layers such as BatchNorm and Normalize do");
      if constexpr (has_buffers) return layer.buffers(self.slice(I));
    }
  }

  template <class Self, class F>
  static void visit_layers(Self& self, F& f) {
    detail::for_each_index(self.layers(), [&](auto i) {
      const auto& layer = detail::element(self.layers(), i);
      auto of_layer = layer.parameters(self.slice(i));
      f(static_cast<Index>(i), layer, of_layer);
    });
  }

  // tensors of all layers, named "0.weight", "0.bias", "1.weight", ...
  std::vector<TensorShape> tensors() const {
    std::vector<TensorShape> all;
    std::size_t i = 0;
    const auto append_all = [&](const auto& of_layer) {
      for (const TensorShape& tensor : of_layer) all.push_back({TensorName(i, tensor.name), tensor.rows, tensor.cols, tensor.decays});
    };
    detail::for_each_layer(layers(), [&](const auto& layer) {
      if constexpr (part == detail::Part::parameters)
        append_all(layer.tensors());
      else
        append_all(detail::buffer_tensors_of(layer));
      ++i;
    });
    return all;
  }

  // Numbers on the heap are gone after a move; those inside the object are copied.
  void check_holds_numbers() const {
    if constexpr (Values::is_inside_object) return;
    if (values_.size() != size()) numbers_are_gone();
  }
  [[noreturn, gnu::noinline, gnu::cold]] static void numbers_are_gone() {
    detail::raise<StateError>(
        "the numbers of this network or of these gradients were moved to another object; use that one, or assign to "
        "this one first");
  }

  // Buffers share the object with theta: where both together are too long for it, the buffers are on the heap.
  static constexpr bool buffers_fit_beside_theta() {
    constexpr Index most = detail::inline_bytes / Index{sizeof(Scalar)}, theta = Sequence::parameters_at_compile_time;
    return theta > most || detail::extent_sum(theta, size_at_compile_time) <= most;
  }
  static constexpr Index stored_size = part == detail::Part::parameters || buffers_fit_beside_theta() ? size_at_compile_time : Dynamic;

  using Values = detail::Storage<Scalar, stored_size>;

  [[no_unique_address]] Sequence sequence_;
  Values values_;
};

}  // namespace chainrule
