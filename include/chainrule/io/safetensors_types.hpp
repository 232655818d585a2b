#pragma once
// The types of numbers in a safetensors file, and how to read them: they are little-endian and row-major.

#include <algorithm>
#include <array>
#include <bit>
#include <chainrule/bytes/binary_array.hpp>
#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace chainrule {

/// The types of numbers that a safetensors file can hold, under the names of the format.
enum class SafetensorsType { F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL };

/// How the numbers of a tensor lie in memory. Files are row_major, matrices of Eigen are column_major.
enum class TensorOrder {
  row_major,     ///< the last index changes fastest
  column_major,  ///< the first index changes fastest; for tensors of at most two extents
};

/// The meaning of a weight's two extents in a file.
enum class WeightLayout {
  /// Decided by the tensor's name: "weight" is outputs x inputs, as in PyTorch, and "kernel" inputs x outputs, as in Keras and Flax. For
  /// other names, decided by "format" in the file's metadata: "pt" (PyTorch), "tf", "flax" or "keras".
  by_name,
  outputs_by_inputs,  ///< as in PyTorch
  inputs_by_outputs,  ///< as in Keras and Flax
};

/// A tensor in a file. Its bytes belong to the SafetensorsFile that it was taken from.
struct SafetensorsTensor {
  std::string name;                             ///< "layers.0.weight"
  SafetensorsType type = SafetensorsType::F32;  ///< the type of its numbers
  std::vector<std::uint64_t> shape = {};        ///< empty for a single number
  std::string_view bytes = {};                  ///< the numbers as the file has them: little-endian, row-major

  /// How many numbers the tensor has.
  std::uint64_t size() const {
    std::uint64_t size = 1;
    for (const std::uint64_t extent : shape) size *= extent;
    return size;
  }
};

namespace detail {

struct SafetensorsTypeInfo {
  std::string_view name;
  std::size_t bytes;
};

/// Name and size of each type, in the order of the enumeration.
inline constexpr std::array<SafetensorsTypeInfo, 13> safetensors_types = {{{"F64", 8},
                                                                           {"F32", 4},
                                                                           {"F16", 2},
                                                                           {"BF16", 2},
                                                                           {"I64", 8},
                                                                           {"I32", 4},
                                                                           {"I16", 2},
                                                                           {"I8", 1},
                                                                           {"U64", 8},
                                                                           {"U32", 4},
                                                                           {"U16", 2},
                                                                           {"U8", 1},
                                                                           {"BOOL", 1}}};

constexpr SafetensorsTypeInfo info_of(SafetensorsType type) { return safetensors_types[static_cast<std::size_t>(type)]; }

/// "2 x 3", or "a single number". Of more than eight extents it shows eight.
inline std::string shape_text(const std::vector<std::uint64_t>& shape) {
  constexpr std::size_t max_shown = 8;
  std::string text;
  for (std::size_t i = 0; i < (std::min)(shape.size(), max_shown); ++i) text += (text.empty() ? "" : " x ") + std::to_string(shape[i]);
  if (shape.size() > max_shown) text += text_of(" x ... (", shape.size(), " extents)");
  return text.empty() ? "a single number" : text;
}

/// Sets `bytes` to the size of a tensor in bytes. Returns false where that does not fit into 64 bits; an empty tensor must fit too when its
/// extents of 0 are left out of the product.
inline bool safetensors_bytes(SafetensorsType type, const std::vector<std::uint64_t>& shape, std::uint64_t& bytes) {
  bytes = info_of(type).bytes;
  bool is_empty = false;
  for (const std::uint64_t extent : shape) {
    is_empty = is_empty || extent == 0;
    if (extent == 0) continue;
    if (bytes > (std::numeric_limits<std::uint64_t>::max)() / extent) return false;
    bytes *= extent;
  }
  if (is_empty) bytes = 0;
  return true;
}

/// Converts half precision (IEEE 754 binary16), which has a sign, 5 bits of exponent with bias 15 and 10 bits of fraction. Always exact.
inline float float_of_half(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half} >> 15 << 31;
  const std::uint32_t exponent = half >> 10 & 0x1f;
  const std::uint32_t fraction = half & 0x3ff;
  if (exponent == 0) {  // subnormal numbers, below 2^-14: multiples of 2^-24
    const float size = static_cast<float>(fraction) * 0x1p-24f;
    return sign == 0 ? size : -size;
  }
  const std::uint32_t new_exponent = exponent == 0x1f ? 0xff : exponent + (127 - 15);
  return detail::bit_cast<float>(sign | new_exponent << 23 | fraction << 13);
}

/// Converts bfloat16, which is the upper half of a float.
inline float float_of_bfloat16(std::uint16_t upper) { return detail::bit_cast<float>(std::uint32_t{upper} << 16); }

/// Calls f(read), where read(pointer) returns the number of this type that begins there, as float, double or an integer.
template <class F>
void visit_safetensors(SafetensorsType type, const F& f) {
  const auto as = [&](auto zero) { f([](const char* bytes) { return number_at<decltype(zero)>(bytes, ByteOrder::little); }); };
  switch (type) {
    case SafetensorsType::F64:
      return as(double{});
    case SafetensorsType::F32:
      return as(float{});
    case SafetensorsType::F16:
      return f([](const char* bytes) { return float_of_half(number_at<std::uint16_t>(bytes, ByteOrder::little)); });
    case SafetensorsType::BF16:
      return f([](const char* bytes) { return float_of_bfloat16(number_at<std::uint16_t>(bytes, ByteOrder::little)); });
    case SafetensorsType::BOOL:
      return f([](const char* bytes) { return static_cast<std::uint8_t>(*bytes == 0 ? 0 : 1); });
    case SafetensorsType::I64:
      return as(std::int64_t{});
    case SafetensorsType::I32:
      return as(std::int32_t{});
    case SafetensorsType::I16:
      return as(std::int16_t{});
    case SafetensorsType::I8:
      return as(std::int8_t{});
    case SafetensorsType::U64:
      return as(std::uint64_t{});
    case SafetensorsType::U32:
      return as(std::uint32_t{});
    case SafetensorsType::U16:
      return as(std::uint16_t{});
    case SafetensorsType::U8:
      return as(std::uint8_t{});
  }
}

struct RowsAndColumns {
  std::size_t rows;
  std::size_t columns;
};

/// Returns the rows and columns of a tensor's shape, taken as a matrix, to convert it between row-major and column-major order: n numbers
/// in one extent are 1 x n, a single number is 1 x 1. Throws ShapeError for more than two extents; errors begin with `place`.
inline RowsAndColumns rows_and_columns(const std::vector<std::uint64_t>& shape, const std::string& place) {
  if (shape.size() > 2)
    raise<ShapeError>(place, ": only a tensor of at most two extents lies in columns, but this one is ", shape_text(shape));
  const auto extent = [&](std::size_t i) { return static_cast<std::size_t>(shape[i]); };
  if (shape.size() == 2) return {extent(0), extent(1)};
  return {1, shape.empty() ? 1 : extent(0)};
}

/// Calls f(i_row_major, i_column_major), with the index of the same entry in both orders, for each entry of a matrix. It goes through 16
/// rows at a time, so that reading and writing use whole cache lines.
template <class F>
void for_each_entry(RowsAndColumns matrix, const F& f) {
  constexpr std::size_t band = 16;
  for (std::size_t first = 0; first < matrix.rows; first += band) {
    const std::size_t end = (std::min)(first + band, matrix.rows);
    for (std::size_t j = 0; j < matrix.columns; ++j)
      for (std::size_t i = first; i < end; ++i) f(i * matrix.columns + j, j * matrix.rows + i);
  }
}

/// Copies a tensor's numbers to `to`. NaN and infinity stay what they are. Throws ValueError, before it has copied any, for a number that
/// is too large for Scalar. Errors begin with `place`.
template <class Scalar>
void copy_safetensors(const SafetensorsTensor& tensor, Scalar* to, TensorOrder order, const std::string& place) {
  const std::size_t bytes_of_one = info_of(tensor.type).bytes;
  const std::size_t size = tensor.bytes.size() / bytes_of_one;
  const bool in_columns = order == TensorOrder::column_major;
  const RowsAndColumns matrix = in_columns ? rows_and_columns(tensor.shape, place) : RowsAndColumns{1, size};
  if (size == 0) return;  // where one extent is 0, another may be too large for a loop
  visit_safetensors(tensor.type, [&](auto number_from) {
    using Number = decltype(number_from(static_cast<const char*>(nullptr)));
    const char* from = tensor.bytes.data();
    if constexpr (std::is_floating_point_v<Number> && sizeof(Number) > sizeof(Scalar))
      for (std::size_t i = 0; i < size; ++i)
        if (const Number number = number_from(from + i * bytes_of_one);
            std::isfinite(number) && std::abs(number) > static_cast<Number>((std::numeric_limits<Scalar>::max)()))
          raise<ValueError>(place, ": expected numbers of at most ", (std::numeric_limits<Scalar>::max)(), ", but number ", i, " is ",
                            number);
    if (std::is_same_v<Number, Scalar> && sizeof(Scalar) == bytes_of_one && native_order == ByteOrder::little && matrix.rows == 1) {
      std::memcpy(static_cast<void*>(to), from, tensor.bytes.size());
      return;
    }
    for_each_entry(matrix, [&](std::size_t in_file, std::size_t in_memory) {
      to[in_memory] = static_cast<Scalar>(number_from(from + in_file * bytes_of_one));
    });
  });
}

}  // namespace detail
}  // namespace chainrule
