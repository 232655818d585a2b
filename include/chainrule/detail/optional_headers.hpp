#pragma once
// Functions of headers that the umbrella does not include, because they need more than Eigen. Each here is chosen only where its header is
// not included, or where the arguments fit none of its functions, and then says what is missing instead of compiling.

#include <chainrule/core/error.hpp>
#include <type_traits>

namespace chainrule {

template <class Scalar>
class AnyNetwork;

namespace detail {

/// Stands for the result of a function of io/model_file.hpp, and does not compile.
template <class Result, class Given>
Result in_model_file() {
  static_assert(!std::is_same_v<Given, Given>,
                "chainrule: save(net, path), load(net, path) and load_network<Scalar>(path) are in <chainrule/io/model_file.hpp>, which "
                "chainrule.hpp does not include, because it needs nlohmann/json; link with chainrule::safetensors");
  return no_result<Result>();
}

/// Stands for the result of a function of io/onnx.hpp, and does not compile.
template <class Result, class Given>
Result in_onnx() {
  static_assert(!std::is_same_v<Given, Given>,
                "chainrule: save_onnx(net, path) and load_onnx<Scalar>(path) are in <chainrule/io/onnx.hpp>, which chainrule.hpp does not "
                "include, because it needs ONNX's protobuf messages; link with chainrule::onnx");
  return no_result<Result>();
}

template <class T>
concept HasScalarType = requires {
  typename T::ScalarType;
};

}  // namespace detail

/// Does not compile, and says which header is missing.
template <detail::HasScalarType Net>
void save(const Net&, ...) {
  detail::in_model_file<void, Net>();
}
/// Does not compile, and says which header is missing.
template <detail::HasScalarType Net>
void load(Net&, ...) {
  detail::in_model_file<void, Net>();
}
/// Does not compile, and says which header is missing.
template <class Scalar, class... Own>
AnyNetwork<Scalar> load_network(...) {
  return detail::in_model_file<AnyNetwork<Scalar>, Scalar>();
}
/// Does not compile, and says which header is missing.
template <detail::HasScalarType Net>
void save_onnx(const Net&, ...) {
  detail::in_onnx<void, Net>();
}
/// Does not compile, and says which header is missing.
template <class Scalar, class... Own>
AnyNetwork<Scalar> load_onnx(...) {
  return detail::in_onnx<AnyNetwork<Scalar>, Scalar>();
}

}  // namespace chainrule
