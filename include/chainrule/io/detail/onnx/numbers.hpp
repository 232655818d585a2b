#pragma once
// Reads the numbers of a tensor in an ONNX model, which are stored as bytes or as a list of their type. How many there are is checked
// first, so no memory is allocated for numbers that are not there.

#include <chainrule/bytes/binary_array.hpp>
#include <chainrule/bytes/decimal.hpp>
#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/io/detail/onnx/protobuf.hpp>
#include <chainrule/io/safetensors_types.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

namespace chainrule::detail {

/// Numbers that nodes compute from constants, row-major.
struct OnnxNumbers {
  std::int64_t type = pb::TensorProto::FLOAT;  ///< the type of ONNX that the nodes give them
  std::vector<std::int64_t> extents = {};
  std::vector<double> reals = {};           ///< the numbers of any other type than int64, which a double holds exactly
  std::vector<std::int64_t> integers = {};  ///< the numbers of int64

  std::size_t size() const { return type == pb::TensorProto::INT64 ? integers.size() : reals.size(); }
};

/// A constant of the model: a tensor in the file, or numbers that nodes compute from such tensors. A default constant is none.
struct OnnxConstant {
  const pb::TensorProto* tensor = nullptr;
  std::shared_ptr<const OnnxNumbers> computed = nullptr;

  explicit operator bool() const { return tensor != nullptr || computed != nullptr; }
  std::int64_t type() const { return computed != nullptr ? computed->type : tensor->data_type(); }
  std::vector<std::int64_t> extents() const {
    return computed != nullptr ? computed->extents : std::vector<std::int64_t>(tensor->dims().begin(), tensor->dims().end());
  }
};

/// Whether a cast to this type of ONNX only rounds numbers. True for the floating point types; a cast to an integer truncates.
inline bool is_onnx_real(std::int64_t type) {
  return type == pb::TensorProto::FLOAT || type == pb::TensorProto::DOUBLE || type == pb::TensorProto::FLOAT16 ||
         type == pb::TensorProto::BFLOAT16;
}

/// The number as ONNX casts it to this type; none where the type is not known here or cannot hold the number.
inline std::optional<double> onnx_cast(double number, std::int64_t type) {
  const auto rounded = [&](int digits, int smallest_exponent, double largest) {
    if (number == 0 || !is_finite(number)) return number;
    const int exponent = (std::max)(std::ilogb(number) - (digits - 1), smallest_exponent);
    const double nearest = std::ldexp(std::nearbyint(std::ldexp(number, -exponent)), exponent);
    return std::abs(nearest) <= largest ? nearest : std::copysign(std::numeric_limits<double>::infinity(), number);
  };
  const auto whole = [&](double low, double above) -> std::optional<double> {
    const double truncated = std::trunc(number);
    return truncated >= low && truncated < above ? std::optional(truncated) : std::nullopt;
  };
  switch (type) {
    case pb::TensorProto::DOUBLE:
      return number;
    case pb::TensorProto::FLOAT:
      return rounded(24, -149, double{(std::numeric_limits<float>::max)()});
    case pb::TensorProto::FLOAT16:
      return rounded(11, -24, 65504);
    case pb::TensorProto::BFLOAT16:
      return rounded(8, -133, 0x1.fep127);
    case pb::TensorProto::BOOL:
      return number != 0 ? 1 : 0;
    case pb::TensorProto::INT8:
      return whole(-0x1p7, 0x1p7);
    case pb::TensorProto::UINT8:
      return whole(0, 0x1p8);
    case pb::TensorProto::INT16:
      return whole(-0x1p15, 0x1p15);
    case pb::TensorProto::UINT16:
      return whole(0, 0x1p16);
    case pb::TensorProto::INT32:
      return whole(-0x1p31, 0x1p31);
    case pb::TensorProto::UINT32:
      return whole(0, 0x1p32);
    case pb::TensorProto::INT64:
      return whole(-0x1p63, 0x1p63);
    case pb::TensorProto::UINT64:
      return whole(0, 0x1p64);
    default:
      return {};
  }
}

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
    case pb::TensorProto::INT8:
      return stored(std::int8_t{}, tensor.int32_data(), same);
    case pb::TensorProto::UINT8:
      return stored(std::uint8_t{}, tensor.int32_data(), same);
    case pb::TensorProto::BOOL:
      return stored(std::uint8_t{}, tensor.int32_data(), [](auto number) { return std::int32_t{number != 0}; });
    default:
      raise<ValueError>(place, ": expected numbers of float, double, float16, bfloat16, int8, uint8, int32, int64 or bool, but found type ",
                        tensor.data_type(), " of ONNX");
  }
}

/// "64 x 32", or "a single number"
template <class Extents>
std::string onnx_shape_text(const Extents& extents) {
  std::string text;
  for (int i = 0; i < (std::min)(static_cast<int>(extents.size()), 8); ++i) text += text_of(i == 0 ? "" : " x ", extents.begin()[i]);
  return extents.size() == 0 ? "a single number" : extents.size() > 8 ? text + " x ..." : text;
}

/// How many numbers the constant has. Throws ValueError unless that many are stored in the model itself.
inline std::size_t onnx_size(const OnnxConstant& constant, const std::string& place) {
  if (constant.computed != nullptr) return constant.computed->size();
  const pb::TensorProto& tensor = *constant.tensor;
  if (tensor.data_location() == pb::TensorProto::EXTERNAL)
    raise<ValueError>(place, ": the numbers are in another file (external data); save the model with its numbers inside");
  std::size_t found = 0;
  visit_onnx_numbers(tensor, place, [&](std::size_t size, const auto&) { found = size; });
  std::size_t expected = 1;
  for (const std::int64_t extent : tensor.dims()) {
    const bool fits = extent >= 0 && (extent == 0 || expected <= found / static_cast<std::size_t>(extent));
    if (!fits) raise<ValueError>(place, ": expected ", onnx_shape_text(tensor.dims()), " numbers, but found ", found);
    expected *= static_cast<std::size_t>(extent);
  }
  if (expected != found) raise<ValueError>(place, ": expected ", onnx_shape_text(tensor.dims()), " numbers, but found ", found);
  return found;
}

/// All numbers of the constant, row-major. Throws ValueError for a number that Number cannot hold.
template <class Number>
std::vector<Number> onnx_numbers(const OnnxConstant& constant, const std::string& place) {
  std::vector<Number> numbers(onnx_size(constant, place));
  const auto check = [&](double number) {
    if constexpr (std::is_integral_v<Number>) {
      if (std::trunc(number) != number || !onnx_cast(number, pb::TensorProto::INT64))
        raise<ValueError>(place, ": expected integers, but found ", number);
    } else if (is_finite(number) && std::abs(number) > double{(std::numeric_limits<Number>::max)()}) {
      raise<ValueError>(place, ": expected numbers of at most ", (std::numeric_limits<Number>::max)(), ", but found ", number);
    }
  };
  const auto copy = [&](std::size_t size, const auto& number) {
    for (std::size_t i = 0; i < size; ++i) {
      if constexpr (!std::is_integral_v<Number> || !std::is_integral_v<decltype(number(i))>) check(static_cast<double>(number(i)));
      numbers[i] = static_cast<Number>(number(i));
    }
  };
  if (constant.computed == nullptr)
    visit_onnx_numbers(*constant.tensor, place, copy);
  else if (constant.type() == pb::TensorProto::INT64)
    copy(numbers.size(), [&](std::size_t i) { return constant.computed->integers[i]; });
  else
    copy(numbers.size(), [&](std::size_t i) { return constant.computed->reals[i]; });
  return numbers;
}

}  // namespace chainrule::detail
