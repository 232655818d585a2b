#pragma once

#include <chainrule/core/detail/sequence.hpp>

namespace chainrule::detail {

/// The two kinds of numbers that a layer has: those that are trained, and those that are only kept.
enum class Part { parameters, buffers };

/// Principle 1 of the design: theta is one flat vector, and a layer's weight and bias are views on a slice of it. Optimizers
/// and checks see `flat()` alone; people see `layer<i>()`. dJ/dtheta has the same form, and so have the buffers. Starts as zeros.
template <class Scalar, class Sequence, Part part = Part::parameters>
class LayeredVector {
  static constexpr std::size_t count = Sequence::size;
  static constexpr Index size_at_compile_time =
      part == Part::parameters ? Sequence::parameters_at_compile_time : Sequence::buffers_at_compile_time;

 public:
  /// Zeros for all layers of the sequence.
  explicit LayeredVector(const Sequence& sequence) : sequence_{sequence}, values_{size()} {}

  Index size() const { return offset(count); }  ///< of all layers together

  /// All layers' slices, one after the other.
  VectorView<Scalar> flat() { return {values_.data(), size()}; }
  ConstVectorView<Scalar> flat() const { return {values_.data(), size()}; }

  /// Layer I's slice by name: `.weight`, `.bias`.
  template <std::size_t I>
  auto layer() {
    return views<I>(*this);
  }
  template <std::size_t I>
  auto layer() const {
    return views<I>(*this);
  }

  /// The layers it is of.
  const Sequence& sequence() const { return sequence_; }
  const typename Sequence::Tuple& layers() const { return sequence_.layers(); }  ///< the same as a tuple

  /// Where layer i's slice begins.
  Index offset(std::size_t i) const { return part == Part::parameters ? sequence_.parameter_offset(i) : sequence_.buffer_offset(i); }
  /// The numbers of layer i.
  Scalar* slice(std::size_t i) { return values_.data() + offset(i); }
  const Scalar* slice(std::size_t i) const { return values_.data() + offset(i); }

 private:
  template <std::size_t I, class Self>
  static auto views(Self& self) {
    static_assert(I < count, "chainrule: layer<i>() counts from 0, and the network has fewer layers than that");
    const auto& layer = self.sequence_.template get<I>();
    if constexpr (part == Part::parameters) {
      return layer.parameters(self.slice(I));
    } else {
      constexpr bool has_buffers = HasBuffers<std::remove_cvref_t<decltype(layer)>>;
      static_assert(has_buffers, "chainrule: buffers<i>(): this layer has none; only layers such as BatchNorm and Normalize do");
      if constexpr (has_buffers) return layer.buffers(self.slice(I));
    }
  }

  [[no_unique_address]] Sequence sequence_;
  Storage<Scalar, size_at_compile_time> values_;
};

}  // namespace chainrule::detail
