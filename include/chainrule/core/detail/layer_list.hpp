#pragma once
// Loops over a list of layers, or of what each layer has (its cache, its delta). The list is a std::tuple where the compiler knows each
// layer's type, and a std::vector where it does not (AnyLayers, whose elements are all of one type). An index is then a Constant<i> or a
// std::size_t; code that takes its indices from for_each_index works with both.

#include <chainrule/core/detail/inline_for_speed.hpp>
#include <chainrule/core/error.hpp>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace chainrule::detail {

/// An index into a tuple, which the compiler must know.
template <std::size_t I>
using Constant = std::integral_constant<std::size_t, I>;

/// How many elements the list has.
template <class... T>
constexpr Constant<sizeof...(T)> size_of(const std::tuple<T...>&) {
  return {};
}
template <class T>
std::size_t size_of(const std::vector<T>& list) {
  return list.size();
}

/// The index before i. (For i = 0 it is 0 in a tuple, so that a branch that is never taken compiles.)
template <std::size_t I>
constexpr Constant<(I > 0 ? I - 1 : 0)> before(Constant<I>) {
  return {};
}
constexpr std::size_t before(std::size_t i) { return i - 1; }

/// Element i of the list. Precondition: i < size_of(list).
template <class... T, std::size_t I>
constexpr auto& element(std::tuple<T...>& list, Constant<I>) {
  return std::get<I>(list);
}
template <class... T, std::size_t I>
constexpr const auto& element(const std::tuple<T...>& list, Constant<I>) {
  return std::get<I>(list);
}
template <class T>
T& element(std::vector<T>& list, std::size_t i) {
  return list[i];
}
template <class T>
const T& element(const std::vector<T>& list, std::size_t i) {
  return list[i];
}

/// Element I of the list. Does not compile where a tuple has fewer; throws ValueError where a vector has fewer.
template <std::size_t I, class List>
auto& checked_element(List& list) {
  if constexpr (requires { std::tuple_size<std::remove_const_t<List>>::value; })
    static_assert(I < std::tuple_size_v<std::remove_const_t<List>>,
                  "chainrule: layer<i>() counts from 0, and the network has fewer layers than that");
  else if (I >= list.size())
    raise<ValueError>("layer<", I, ">: the network has ", list.size(), " layers, counted from 0");
  return element(list, Constant<I>{});
}

/// The last element of a list that is not empty.
template <class... T>
constexpr auto& last_of(std::tuple<T...>& list) {
  return std::get<sizeof...(T) - 1>(list);
}
template <class... T>
constexpr const auto& last_of(const std::tuple<T...>& list) {
  return std::get<sizeof...(T) - 1>(list);
}
template <class T>
T& last_of(std::vector<T>& list) {
  return list.back();
}
template <class T>
const T& last_of(const std::vector<T>& list) {
  return list.back();
}

/// Calls f(i) for each index of the list, from the first to the last.
template <class... T, class F>
CHAINRULE_INLINE_FOR_SPEED constexpr void for_each_index(const std::tuple<T...>&, F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) CHAINRULE_INLINE_FOR_SPEED { (f(Constant<I>{}), ...); }
  (std::index_sequence_for<T...>{});
}
template <class T, class F>
void for_each_index(const std::vector<T>& list, F&& f) {
  for (std::size_t i = 0; i < list.size(); ++i) f(i);
}

/// Calls f(i) for each index of the list, from the last to the first.
template <class... T, class F>
CHAINRULE_INLINE_FOR_SPEED constexpr void for_each_index_backwards(const std::tuple<T...>&, F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) CHAINRULE_INLINE_FOR_SPEED { (f(Constant<sizeof...(T) - 1 - I>{}), ...); }
  (std::index_sequence_for<T...>{});
}
template <class T, class F>
void for_each_index_backwards(const std::vector<T>& list, F&& f) {
  for (std::size_t i = list.size(); i-- > 0;) f(i);
}

/// f(i) for each index of the list, in a list of the same kind.
template <class... T, class F>
auto map_indices(const std::tuple<T...>&, const F& f) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) { return std::tuple<decltype(f(Constant<I>{}))...>(f(Constant<I>{})...); }
  (std::index_sequence_for<T...>{});
}
template <class T, class F>
auto map_indices(const std::vector<T>& list, const F& f) {
  std::vector<decltype(f(std::size_t{}))> mapped;
  mapped.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) mapped.push_back(f(i));
  return mapped;
}

/// Makes the columns of each storage in the list contiguous, as functions of jets expect them.
template <class Storages>
void make_contiguous(Storages& storages) {
  for_each_index(storages, [&](auto i) { element(storages, i).make_contiguous(); });
}

/// Calls f(layer) for each layer, from the first to the last.
template <class Layers, class F>
void for_each_layer(const Layers& layers, const F& f) {
  for_each_index(layers, [&](auto i) { f(element(layers, i)); });
}

}  // namespace chainrule::detail
