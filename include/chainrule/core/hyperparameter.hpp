#pragma once

#include <chainrule/core/detail/require_cpp20.hpp>
#include <string_view>
#include <tuple>

namespace chainrule {

/// A named number that the constructor of an activation, a loss, a layer or an optimizer takes, apart from a layer's extents: LeakyReLU's
/// slope. A type
/// with hyperparameters lists them in the order of its constructor (in a layer's constructor, extents come before them):
/// @code{.cpp}
/// struct WithSlope {
///   double slope = 0.1;
///   auto hyperparameters() const { return std::tuple{Hyperparameter{"slope", slope}}; }
/// };
/// @endcode
/// A file stores this list, and a reader makes the object from it again; a checkpoint compares that of the optimizer. A type without
/// hyperparameters needs no such function.
template <class T>
struct Hyperparameter {
  using Type = T;         ///< double, bool, or an integer
  std::string_view name;  ///< "slope"
  T value;                ///< value that the constructor takes
};
/// Deduces the template arguments from the constructor's arguments.
template <class T>
Hyperparameter(std::string_view, T) -> Hyperparameter<T>;

}  // namespace chainrule
