#pragma once

#include <string_view>
#include <tuple>

namespace chainrule {

/// A number that makes an activation, a loss or a layer what it is, beside its extents and its parameters: LeakyReLU's slope. A type
/// that has some lists them in the order in which its constructor takes them (a layer's extents come before):
///     auto hyperparameters() const { return std::tuple{Hyperparameter{"slope", slope_}}; }
/// so that a file can say them and a reader can make the type again. A type without any needs no such function.
template <class T>
struct Hyperparameter {
  using Type = T;
  std::string_view name;
  T value;
};
template <class T>
Hyperparameter(std::string_view, T) -> Hyperparameter<T>;

}  // namespace chainrule
