#pragma once

#include <chainrule/initializers/xavier.hpp>
#include <string_view>

namespace chainrule_test {

/// The activation f(z) = z^2, whose derivative is computed from z, so that a layer must keep z. Its slope has no largest value.
struct Square {
  static constexpr std::string_view name = "Square";
  chainrule::XavierUniform default_initializer() const { return {}; }
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return z * z;
  }
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    return 2 * z;
  }
};

}  // namespace chainrule_test
