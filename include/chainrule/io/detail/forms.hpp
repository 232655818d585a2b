#pragma once
// Exporters write an activation, a layer or a loss by an overload on its type, its form. This header finds the overload, for types of the
// program and for descriptions, and checks that every known type has one.
//
// A Form describes one exporter's forms of one family:
//     using Result                                what a form returns
//     static Result write(Exactly<T> of, args...) calls the overload for T; cannot be called where there is none
//     static bool visit(of, f)                    visit_activation, visit_layer or visit_loss
//     [[noreturn]] static void refuse(name)       throws ValueError for a type without a form

#include <chainrule/any/detail/visit_known.hpp>
#include <chainrule/io/detail/exactly.hpp>
#include <optional>
#include <string_view>

namespace chainrule::detail {

/// Checks at compile time that a type has a form that takes these arguments.
template <class Form, class T, class... Args>
struct FormOf {
  static constexpr bool is_there = requires(const T& of, Args&... args) { Form::write(Exactly<T>{of}, args...); };
  static_assert(
      is_there,
      "chainrule: this type of any/known.hpp has no form in an exporter; add an overload of onnx_form or source_form on it, in the "
      "header that defines Form");
};
/// Whether each type of a list has a form that takes these arguments; it does not compile otherwise.
template <class Form, class... Args, class... T>
constexpr bool have_forms(Types<T...>) {
  return (FormOf<Form, T, Args...>::is_there && ...);
}

/// The end of a message about a layer of this name that an exporter has no form of: what to do instead, or nothing.
inline std::string_view advice_without_form(std::string_view name) {
  const bool rounds = [&]<class... L>(Types<L...>) { return ((name == L::name) || ...); }(FakeQuantizeLayers{});
  return rounds ? "; quantize the network, and export the result" : "";
}

/// Writes the form of an object of a type of the program. Throws ValueError for a type that has none.
template <class Form, class T, class... Args>
typename Form::Result write_form(const T& of, Args&... args) {
  if constexpr (requires { Form::write(Exactly<T>{of}, args...); })
    return Form::write(Exactly<T>{of}, args...);
  else
    Form::refuse(of.name);
}
/// Writes the form of the object that is described. Throws ValueError for one that is unknown or has none.
template <class Form, class... Args>
typename Form::Result write_form_of(const Description& of, Args&... args) {
  std::optional<typename Form::Result> written;
  if (!Form::visit(of, [&](const auto& known) { written = write_form<Form>(known, args...); })) Form::refuse(of.kind);
  return *std::move(written);
}

}  // namespace chainrule::detail
