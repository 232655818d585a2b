#pragma once

#include <array>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/error.hpp>

namespace chainrule::detail {

/// Principle 1 of the design: theta is one flat vector, and a layer's weight and bias are views on a slice of it. Optimizers
/// and checks see `flat()` alone; people see `layer<i>()`. dJ/dtheta has the same form. Starts as zeros.
template <class Scalar, Layer... Layers>
class LayeredVector {
  static constexpr std::size_t count = sizeof...(Layers);

  static constexpr Index size_at_compile_time() {
    Index size = 0;
    ((size = extent_sum(size, Layers::parameters_at_compile_time)), ...);
    return size;
  }

 public:
  explicit LayeredVector(const std::tuple<Layers...>& layers) : layers_{layers} {
    std::apply(
        [this](const Layers&... layer) {
          std::size_t i = 0;
          ((offsets_[i + 1] = offsets_[i] + parameter_count(layer), ++i), ...);
        },
        layers_);
    if constexpr (decltype(values_)::SizeAtCompileTime == Dynamic) values_.resize(offsets_[count]);
    values_.setZero();
  }

  Index size() const { return offsets_[count]; }

  /// All layers' slices, one after the other.
  VectorView<Scalar> flat() { return {values_.data(), size()}; }
  ConstVectorView<Scalar> flat() const { return {values_.data(), size()}; }

  /// Layer I's slice by name: `.weight`, `.bias`.
  template <std::size_t I>
  auto layer() {
    check_index<I>();
    return std::get<I>(layers_).parameters(slice(I));
  }
  template <std::size_t I>
  auto layer() const {
    check_index<I>();
    return std::get<I>(layers_).parameters(slice(I));
  }

  const std::tuple<Layers...>& layers() const { return layers_; }

  /// Where layer i's slice begins.
  Index offset(std::size_t i) const { return offsets_[i]; }
  Scalar* slice(std::size_t i) { return values_.data() + offsets_[i]; }
  const Scalar* slice(std::size_t i) const { return values_.data() + offsets_[i]; }

 private:
  template <std::size_t I>
  static constexpr void check_index() {
    static_assert(I < count, "chainrule: layer<i>() counts from 0, and the network has fewer layers than that");
  }

  std::tuple<Layers...> layers_;
  std::array<Index, count + 1> offsets_{};
  Storage<Scalar, size_at_compile_time()> values_;
};

}  // namespace chainrule::detail
