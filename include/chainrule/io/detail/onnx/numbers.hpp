#pragma once
// Reads the numbers of a tensor in an ONNX model, which are stored as bytes or as a list of their type. How many there are is checked
// first, so no memory is allocated for numbers that are not there.

#include <chainrule/bytes/binary_array.hpp>
#include <chainrule/bytes/decimal.hpp>
#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/io/detail/onnx/protobuf.hpp>
#include <chainrule/io/safetensors_types.hpp>

namespace chainrule::detail {

/// A tensor of the model, or its transpose.
struct OnnxConstant {
  const pb::TensorProto* tensor = nullptr;  ///< nullptr: there is none
  bool transposed = false;                  ///< whether it stands for the transpose
};

/// The shortest decimal number that rounds to this float: 0.1 for 0.1f, which is 0.100000001490116. Hyperparameters are read so.
inline double decimal_of(float number) {
  double meant = 0;
  return parse_number(text_of(number), meant) == ParseResult::number ? meant : double{number};
}

/// Calls f(size, number), where number(i) returns number i of those that are stored. `place` is for errors.
template <class F>
void visit_onnx_numbers(const pb::TensorProto& tensor, const std::string& place, const F& f) {
  const std::string& bytes = tensor.raw_data();
  const auto stored = [&](auto number, const auto& list, auto from_bytes) {
    using Number = decltype(number);
    if (!tensor.has_raw_data())
      return f(static_cast<std::size_t>(list.size()), [&](std::size_t i) { return from_bytes(list.Get(static_cast<int>(i))); });
    if (bytes.size() % sizeof(Number) != 0)
      raise<ValueError>(place, ": expected numbers of ", sizeof(Number), " bytes, but found ", bytes.size(), " bytes");
    f(bytes.size() / sizeof(Number),
      [&](std::size_t i) { return from_bytes(number_at<Number>(bytes.data() + i * sizeof(Number), ByteOrder::little)); });
  };
  const auto same = [](auto number) { return number; };
  switch (tensor.data_type()) {
    case pb::TensorProto::FLOAT:
      return stored(float{}, tensor.float_data(), same);
    case pb::TensorProto::DOUBLE:
      return stored(double{}, tensor.double_data(), same);
    case pb::TensorProto::INT64:
      return stored(std::int64_t{}, tensor.int64_data(), same);
    case pb::TensorProto::INT32:
      return stored(std::int32_t{}, tensor.int32_data(), same);
    case pb::TensorProto::FLOAT16:
      return stored(std::uint16_t{}, tensor.int32_data(), [](auto bits) { return float_of_half(static_cast<std::uint16_t>(bits)); });
    case pb::TensorProto::BFLOAT16:
      return stored(std::uint16_t{}, tensor.int32_data(), [](auto bits) { return float_of_bfloat16(static_cast<std::uint16_t>(bits)); });
    default:
      raise<ValueError>(place, ": expected numbers of float, double, float16, bfloat16, int32 or int64, but found type ",
                        tensor.data_type(), " of ONNX");
  }
}

/// "64 x 32", or "a single number"
inline std::string onnx_shape_text(const pb::TensorProto& tensor) {
  std::string text;
  for (int i = 0; i < std::min(tensor.dims_size(), 8); ++i) text += text_of(i == 0 ? "" : " x ", tensor.dims(i));
  return tensor.dims_size() == 0 ? "a single number" : text;
}

/// How many numbers the tensor has. Throws ValueError unless that many are stored in the model itself.
inline std::size_t onnx_size(const pb::TensorProto& tensor, const std::string& place) {
  if (tensor.data_location() == pb::TensorProto::EXTERNAL)
    raise<ValueError>(place, ": the numbers are in another file (external data); save the model with its numbers inside");
  std::size_t found = 0;
  visit_onnx_numbers(tensor, place, [&](std::size_t size, const auto&) { found = size; });
  std::size_t expected = 1;
  for (const std::int64_t extent : tensor.dims()) {
    const bool fits = extent >= 0 && (extent == 0 || expected <= found / static_cast<std::size_t>(extent));
    if (!fits) raise<ValueError>(place, ": expected ", onnx_shape_text(tensor), " numbers, but found ", found);
    expected *= static_cast<std::size_t>(extent);
  }
  if (expected != found) raise<ValueError>(place, ": expected ", onnx_shape_text(tensor), " numbers, but found ", found);
  return found;
}

/// All numbers of the tensor, row-major. Throws ValueError for a number that Number cannot hold.
template <class Number>
std::vector<Number> onnx_numbers(const pb::TensorProto& tensor, const std::string& place) {
  std::vector<Number> numbers(onnx_size(tensor, place));
  visit_onnx_numbers(tensor, place, [&](std::size_t size, const auto& number) {
    for (std::size_t i = 0; i < size; ++i) {
      const auto stored = number(i);
      using Stored = std::remove_const_t<decltype(stored)>;
      if constexpr (std::is_floating_point_v<Stored> && sizeof(Stored) > sizeof(Number))
        if (std::isfinite(stored) && std::abs(stored) > Stored{std::numeric_limits<Number>::max()})
          raise<ValueError>(place, ": expected numbers of at most ", std::numeric_limits<Number>::max(), ", but found ", stored);
      if constexpr (std::is_integral_v<Number> && !std::is_integral_v<Stored>)
        raise<ValueError>(place, ": expected integers, but found other numbers");
      else
        numbers[i] = static_cast<Number>(stored);
    }
  });
  return numbers;
}

}  // namespace chainrule::detail
