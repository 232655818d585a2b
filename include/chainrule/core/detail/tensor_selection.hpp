#pragma once

#include <chainrule/core/error.hpp>
#include <string>
#include <string_view>

namespace chainrule::detail {

/// Whether `name` selects the tensor with this full name, such as "2.0.weight": the tensor itself; a layer that it is in, "2" or "2.0"; or
/// its own name without layers, "weight", which selects the tensors of all layers that have this name.
inline bool selects(std::string_view name, std::string_view tensor) {
  if (name.empty() || name.size() > tensor.size()) return false;
  if (name.size() == tensor.size()) return name == tensor;
  const bool begins = tensor.starts_with(name) && tensor[name.size()] == '.';
  return begins || tensor.substr(tensor.rfind('.') + 1) == name;
}

/// Throws ValueError for a name that selects no tensor. `tensors`: a container of their full names.
template <class Names>
[[noreturn, gnu::noinline, gnu::cold]] void selects_nothing(const char* who, std::string_view name, const Names& tensors) {
  std::string list;
  for (const auto& tensor : tensors) append(list += list.empty() ? "" : ", ", std::string_view(tensor));
  raise<ValueError>(who, ": there is no layer or tensor \"", name, "\" with parameters; the tensors are ", list,
                    ", a layer is the number before the dot, and \"bias\" is that of every layer");
}

}  // namespace chainrule::detail
