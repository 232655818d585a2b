#pragma once
// Arrays of numbers as binary files hold them: of some type, in either byte order, whatever the order of this machine is.

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

/// The number whose bytes begin at `bytes`.
template <class Number>
Number number_at(const char* bytes, ByteOrder order) {
  std::array<char, sizeof(Number)> own;
  std::copy_n(bytes, own.size(), own.begin());
  if (order != native_order) std::reverse(own.begin(), own.end());
  return detail::bit_cast<Number>(own);
}

/// The bytes of a number, the least significant first.
template <class Number>
void append_bytes(std::string& bytes, Number number) {
  auto own = detail::bit_cast<std::array<char, sizeof(Number)>>(number);
  if (native_order != ByteOrder::little) std::reverse(own.begin(), own.end());
  bytes.append(own.data(), own.size());
}

/// "0x00000803"
inline std::string as_hexadecimal(std::string_view bytes) {
  std::string text = "0x";
  for (const char c : bytes) {
    const unsigned byte = static_cast<unsigned char>(c);
    for (const unsigned digit : {byte / 16, byte % 16}) text += "0123456789abcdef"[digit];
  }
  return text;
}

/// A type of numbers in a file: kind 'u' (unsigned), 'i' (signed) or 'f' (floating point), and its bytes: 1, 2, 4, 8; 'f' 4 or 8.
struct NumberType {
  char kind = 'u';
  std::size_t bytes = 1;

  /// Calls f with a number of that type.
  template <class F>
  auto visit(const F& f) const {
    if (kind == 'f') return bytes == 4 ? f(float{}) : f(double{});
    if (kind == 'u')
      return bytes == 1 ? f(std::uint8_t{}) : bytes == 2 ? f(std::uint16_t{}) : bytes == 4 ? f(std::uint32_t{}) : f(std::uint64_t{});
    return bytes == 1 ? f(std::int8_t{}) : bytes == 2 ? f(std::int16_t{}) : bytes == 4 ? f(std::int32_t{}) : f(std::int64_t{});
  }
};

/// An array in the bytes of a file. Its first extent counts the samples; the others together are the numbers of one sample.
struct BinaryArray {
  std::string file;  ///< its name, for errors
  NumberType type = {};
  ByteOrder order = ByteOrder::big;
  std::vector<std::uint64_t> extents = {};
  bool samples_are_apart = false;  ///< whether the first extent runs fastest, as Fortran has it, and not the last
  std::string_view bytes = {};
  Index numbers_of_sample = 0;  ///< set by check

  /// 60000 x 28 x 28
  std::string shape() const {
    std::string text;
    for (const std::uint64_t extent : extents) text += (text.empty() ? "" : " x ") + std::to_string(extent);
    return text;
  }

  Index samples() const { return static_cast<Index>(extents[0]); }
  Index rows() const { return numbers_of_sample; }

  /// Throws ValueError unless the bytes are as many as the extents say. Then what is allocated for them is no larger than the file
  /// times a small number, whatever a broken header says.
  void check() {
    std::uint64_t expected = type.bytes;
    for (const std::uint64_t extent : extents) {
      if (extent == 0) raise<ValueError>(file, " is empty: it holds ", shape(), " numbers");
      if (expected > std::numeric_limits<std::uint64_t>::max() / extent)
        raise<ValueError>(file, ": the header says that there are ", shape(), " numbers, more than any file can hold");
      expected *= extent;
    }
    if (bytes.size() != expected)
      raise<ValueError>(file, bytes.size() < expected ? " is cut short" : " goes on behind its end", ": expected ", expected,
                        " bytes after the header, for ", shape(), " numbers of ", type.bytes, ", but found ", bytes.size());
    numbers_of_sample = static_cast<Index>(expected / type.bytes / extents[0]);
  }

  /// Where number i of sample j begins.
  const char* at(Index i, Index j) const {
    return bytes.data() + static_cast<std::size_t>(samples_are_apart ? i * samples() + j : j * numbers_of_sample + i) * type.bytes;
  }
};

/// One column for each sample. Throws ValueError for a number that Scalar cannot hold; NaN and infinity stay what they are.
template <class Scalar>
Matrix<Scalar> to_matrix(const BinaryArray& array) {
  Matrix<Scalar> m(array.rows(), array.samples());
  array.type.visit([&](auto zero) {
    using Number = decltype(zero);
    for (Index j = 0; j < m.cols(); ++j)
      for (Index i = 0; i < m.rows(); ++i) {
        const Number number = number_at<Number>(array.at(i, j), array.order);
        if constexpr (std::is_floating_point_v<Number> && sizeof(Number) > sizeof(Scalar))
          if (std::isfinite(number) && std::abs(number) > Number{std::numeric_limits<Scalar>::max()})
            raise<ValueError>(array.file, ": expected numbers of at most ", std::numeric_limits<Scalar>::max(), ", but number ", i,
                              " of sample ", j, " is ", number);
        m(i, j) = static_cast<Scalar>(number);
      }
  });
  return m;
}

/// A label for each sample. Throws ValueError unless there is one whole number, that an int can hold, for each.
inline std::vector<int> to_labels(const BinaryArray& array) {
  if (array.rows() != 1) raise<ValueError>(array.file, ": expected labels, one for each sample, but found ", array.shape(), " numbers");
  std::vector<int> labels(static_cast<std::size_t>(array.samples()));
  array.type.visit([&](auto zero) {
    using Number = decltype(zero);
    for (Index j = 0; j < array.samples(); ++j) {
      const Number number = number_at<Number>(array.at(0, j), array.order);
      bool is_label = false;
      if constexpr (std::is_floating_point_v<Number>)
        is_label = double{number} >= std::numeric_limits<int>::min() && double{number} <= std::numeric_limits<int>::max() &&
                   number == std::floor(number);
      else
        is_label = std::in_range<int>(number);
      if (!is_label) raise<ValueError>(array.file, ": expected a label, a whole number, but that of sample ", j, " is ", number);
      labels[static_cast<std::size_t>(j)] = static_cast<int>(number);
    }
  });
  return labels;
}

}  // namespace chainrule::detail
