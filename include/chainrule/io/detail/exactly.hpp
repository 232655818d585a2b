#pragma once

#include <chainrule/core/detail/require_cpp20.hpp>
#include <concepts>

namespace chainrule::detail {

/// An object that an overload is chosen for by its exact type: it converts to const T& and to no base of T, because a class derived from a
/// type of the library may compute something else, and must not be written down as its base. An overload for one type takes a `const
/// LeakyReLU&`; one for a class template takes an `Exactly<BatchNorm<N>>`, and reads it with ->.
template <class T>
struct Exactly {
  const T& object;
  const T* operator->() const { return &object; }
  template <std::same_as<T> U>
  operator const U&() const {
    return object;
  }
};
template <class T>
Exactly(const T&) -> Exactly<T>;

}  // namespace chainrule::detail
