#pragma once
// Arrays of numbers in binary files (IDX, .npy, safetensors): any number type, either byte order, independent of this machine's.

#include <algorithm>
#include <array>
#include <bit>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace chainrule::detail {

enum class ByteOrder { little, big };

inline constexpr ByteOrder native_order = std::endian::native == std::endian::little ? ByteOrder::little : ByteOrder::big;

/// Reads the number stored at `bytes` in the given byte order; `bytes` need not be aligned.
template <class Number>
Number number_at(const char* bytes, ByteOrder order) {
  std::array<char, sizeof(Number)> own;
  std::copy_n(bytes, own.size(), own.begin());
  if (order != native_order) std::reverse(own.begin(), own.end());
  return detail::bit_cast<Number>(own);
}

/// Appends the bytes of a number in little-endian order.
template <class Number>
void append_bytes(std::string& bytes, Number number) {
  auto own = detail::bit_cast<std::array<char, sizeof(Number)>>(number);
  if (native_order != ByteOrder::little) std::reverse(own.begin(), own.end());
  bytes.append(own.data(), own.size());
}

/// Writes bytes in hexadecimal for an error message: "0x00000803".
inline std::string as_hexadecimal(std::string_view bytes) {
  std::string text = "0x";
  for (const char c : bytes) {
    const unsigned byte = static_cast<unsigned char>(c);
    for (const unsigned digit : {byte / 16, byte % 16}) text += "0123456789abcdef"[digit];
  }
  return text;
}

/// The number type of a file.
struct NumberType {
  char kind = 'u';        ///< 'u' unsigned integer, 'i' signed integer, 'f' floating point
  std::size_t bytes = 1;  ///< size of one number: 1, 2, 4 or 8; 4 or 8 for 'f'

  /// Calls f with a zero of the C++ type that corresponds to this number type, and returns its result.
  template <class F>
  auto visit(const F& f) const {
    if (kind == 'f') return bytes == 4 ? f(float{}) : f(double{});
    if (kind == 'u')
      return bytes == 1 ? f(std::uint8_t{}) : bytes == 2 ? f(std::uint16_t{}) : bytes == 4 ? f(std::uint32_t{}) : f(std::uint64_t{});
    return bytes == 1 ? f(std::int8_t{}) : bytes == 2 ? f(std::int16_t{}) : bytes == 4 ? f(std::int32_t{}) : f(std::int64_t{});
  }
};

/// A view of an array stored in the bytes of a file. The first extent is the number of samples; the product of the other extents is
/// the number of values per sample.
struct BinaryArray {
  std::string file;  ///< the file's name, for error messages
  NumberType type = {};
  ByteOrder order = ByteOrder::big;
  std::vector<std::uint64_t> extents = {};
  bool fortran_order = false;   ///< true: the first extent varies fastest in memory; false: the last one does (C order)
  std::string_view bytes = {};  ///< the numbers, without the file's header
  Index values_per_sample = 0;  ///< set by check_size()
  Index first_sample = 0;       ///< number of the first sample in the file, where these are a part of it; for error messages

  /// Returns the extents as text for error messages: "60000 x 28 x 28". Of many extents the first 8 are shown.
  std::string shape() const {
    constexpr std::size_t max_shown = 8;
    std::string text;
    for (std::size_t i = 0; i < (std::min)(extents.size(), max_shown); ++i) text += (i == 0 ? "" : " x ") + std::to_string(extents[i]);
    return extents.size() > max_shown ? text + " x ..." : text;
  }

  Index samples() const { return static_cast<Index>(extents[0]); }

  /// Returns how many bytes numbers of these extents take. Throws ValueError where there are none, or more than any file can hold.
  std::uint64_t expected_bytes() const {
    std::uint64_t expected = type.bytes;
    for (const std::uint64_t extent : extents) {
      if (extent == 0) raise<ValueError>(file, " is empty: it holds ", shape(), " numbers");
      if (expected > (std::numeric_limits<std::uint64_t>::max)() / extent)
        raise<ValueError>(file, ": the header says that there are ", shape(), " numbers, more than any file can hold");
      expected *= extent;
    }
    return expected;
  }

  /// Throws ValueError unless the number of bytes matches the extents. After this check a matrix allocated for the array has one number for
  /// each in the file, so a corrupt header cannot cause a huge allocation.
  void check_size() { check_size(bytes.size()); }
  /// Throws ValueError unless `found`, the number of bytes after the header in the file, matches the extents.
  void check_size(std::uint64_t found) {
    const std::uint64_t expected = expected_bytes();
    if (found != expected)
      raise<ValueError>(file, found < expected ? " is cut short" : " is too long", ": expected ", expected, " bytes after the header, for ",
                        shape(), " numbers of ", type.bytes, type.bytes == 1 ? " byte" : " bytes", ", but found ", found);
    values_per_sample = static_cast<Index>(expected / type.bytes / extents[0]);
  }

  /// Returns the address of value i of sample j.
  const char* at(Index i, Index j) const {
    return bytes.data() + static_cast<std::size_t>(fortran_order ? i * samples() + j : j * values_per_sample + i) * type.bytes;
  }
};

/// Stands for the result of a reader that was given the type of a matrix instead of that of its numbers, and does not compile.
template <class M>
M read_as_matrix() {
  static_assert(!std::is_same_v<M, M>,
                "chainrule: a matrix is read by the type of its numbers: read_npy<float>(path) and read_idx_images<float>(path) give a "
                "Matrix<float>, which is an Eigen::MatrixXf");
  return no_result<M>();
}

/// Converts the array to a matrix, values per sample x samples. Throws ValueError for a finite number that is too large for Scalar; NaN
/// and infinity are kept.
template <class Scalar>
Matrix<Scalar> to_matrix(const BinaryArray& array) {
  Matrix<Scalar> m(array.values_per_sample, array.samples());
  array.type.visit([&](auto zero) {
    using Number = decltype(zero);
    for (Index j = 0; j < m.cols(); ++j)
      for (Index i = 0; i < m.rows(); ++i) {
        const Number number = number_at<Number>(array.at(i, j), array.order);
        if constexpr (std::is_floating_point_v<Number> && sizeof(Number) > sizeof(Scalar))
          if (std::isfinite(number) && std::abs(number) > static_cast<Number>((std::numeric_limits<Scalar>::max)()))
            raise<ValueError>(array.file, ": expected numbers of at most ", (std::numeric_limits<Scalar>::max)(), ", but number ", i,
                              " of sample ", array.first_sample + j, " is ", number);
        m(i, j) = static_cast<Scalar>(number);
      }
  });
  return m;
}

/// Converts the array to class labels. Throws ValueError unless each sample is a single whole number that fits into an int.
inline std::vector<int> to_labels(const BinaryArray& array) {
  if (array.values_per_sample != 1) raise<ValueError>(array.file, ": expected one label per sample, but found ", array.shape(), " numbers");
  std::vector<int> labels(static_cast<std::size_t>(array.samples()));
  array.type.visit([&](auto zero) {
    using Number = decltype(zero);
    for (Index j = 0; j < array.samples(); ++j) {
      const Number number = number_at<Number>(array.at(0, j), array.order);
      bool is_label = false;
      if constexpr (std::is_floating_point_v<Number>)
        is_label = static_cast<double>(number) >= (std::numeric_limits<int>::min)() &&
                   static_cast<double>(number) <= (std::numeric_limits<int>::max)() && number == std::floor(number);
      else
        is_label = std::in_range<int>(number);
      if (!is_label)
        raise<ValueError>(array.file, ": expected labels that are whole numbers, but the label of sample ", array.first_sample + j, " is ",
                          number);
      labels[static_cast<std::size_t>(j)] = static_cast<int>(number);
    }
  });
  return labels;
}

}  // namespace chainrule::detail
