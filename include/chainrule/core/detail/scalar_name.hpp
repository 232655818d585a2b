#pragma once

#include <chainrule/core/detail/require_cpp20.hpp>
#include <string_view>
#include <type_traits>

namespace chainrule::detail {

/// "float", "double" or "long double", for messages and files.
template <class Scalar>
constexpr std::string_view scalar_name() {
  if constexpr (std::is_same_v<Scalar, float>) return "float";
  if constexpr (std::is_same_v<Scalar, double>) return "double";
  return "long double";
}

}  // namespace chainrule::detail
