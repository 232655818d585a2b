#pragma once
// An activation written with f'(z), so that z must be kept: f(z) = z^2. Its slope has no largest value.

#include <chainrule/initializers/xavier.hpp>
#include <string_view>

namespace chainrule_test {

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
