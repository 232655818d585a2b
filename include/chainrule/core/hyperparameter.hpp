#pragma once

#include <string_view>
#include <tuple>

namespace chainrule {

/// A number that makes an activation, a loss or a layer what it is, beside its extents and its parameters: LeakyReLU's slope. A type
/// that has some lists them in the order in which its constructor takes them (a layer's extents come before):
/// @code{.cpp}
/// struct WithSlope {
///   double slope = 0.1;
///   auto hyperparameters() const { return std::tuple{Hyperparameter{"slope", slope}}; }
/// };
/// @endcode
/// so that a file can say them and a reader can make the type again. A type without any needs no such function.
template <class T>
struct Hyperparameter {
  using Type = T;         ///< double, or an integer
  std::string_view name;  ///< "slope"
  T value;                ///< as the constructor takes it
};
/// Deduces the template arguments from the constructor's arguments.
template <class T>
Hyperparameter(std::string_view, T) -> Hyperparameter<T>;

}  // namespace chainrule
