#pragma once
// Reads and writes NumPy's .npy files (NEP 1): "\x93NUMPY", the version, the length of the header, the header, the numbers.
//
// A row of a NumPy array is a sample (samples x features, row-major); a column of a matrix here is a sample (features x samples,
// column-major). Both therefore hold the same numbers in the same order in memory.

#include <chainrule/bytes/file.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/targets.hpp>
#include <chainrule/core/types.hpp>
#include <chainrule/data/data_part.hpp>
#include <chainrule/data/detail/array_part.hpp>
#include <chainrule/data/detail/npy_header.hpp>
#include <concepts>

namespace chainrule {

namespace detail {

inline constexpr std::string_view npy_magic = "\x93NUMPY";

/// Reads the header of a .npy file, and returns a view of the bytes after it, of any size. `file` is the name for error messages.
inline BinaryArray parse_npy_header(std::string_view bytes, const std::string& file) {
  refuse_gzip(file, bytes);
  if (bytes.empty()) raise<ValueError>(file, " is empty");
  if (bytes.starts_with("PK")) raise<ValueError>(file, " is an archive of arrays (.npz); unzip it, and read the .npy files in it");
  if (!bytes.starts_with(npy_magic))
    raise<ValueError>(file, " is not a .npy file: expected to begin with 0x934e554d5059, but found ", as_hexadecimal(bytes.substr(0, 6)));
  const unsigned version = bytes.size() < 8 ? 1 : static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3) raise<ValueError>(file, ": expected version 1, 2 or 3 of the format, but found ", version);
  const std::size_t start = version == 1 ? 10 : 12;
  const auto cut_short = [&](const auto& expected) {
    raise<ValueError>(file, " is cut short: expected a header of ", expected, " bytes, but found ", bytes.size());
  };
  if (bytes.size() < start) cut_short("at least 10");
  const std::size_t length = version == 1 ? number_at<std::uint16_t>(bytes.data() + 8, ByteOrder::little)
                                          : number_at<std::uint32_t>(bytes.data() + 8, ByteOrder::little);
  if (bytes.size() - start < length) cut_short(std::uint64_t{length} + start);

  BinaryArray array{.file = file};
  NpyHeader(bytes.substr(start, length), array);
  if (array.extents.empty() || array.extents.size() > 2)
    raise<ValueError>(file, ": expected an array of one or two extents, samples or samples x features, but found ", array.extents.size(),
                      ", ", array.extents.empty() ? "a single number" : array.shape(),
                      "; in Python, a.reshape(len(a), -1) makes two of them");
  array.bytes = bytes.substr(start + length);
  return array;
}

/// Reads the header of a .npy file, and returns a view of its numbers. `file` is the name for error messages.
inline BinaryArray parse_npy(std::string_view bytes, const std::string& file) {
  BinaryArray array = parse_npy_header(bytes, file);
  array.check_size();
  return array;
}

/// Returns the start of a .npy file, up to the numbers, for a type such as "<f4" and a shape such as "(3, 2)". It is padded so that the
/// numbers begin at a multiple of 64 bytes.
inline std::string npy_header(std::string_view type, std::string_view shape) {
  std::string header = text_of("{'descr': '", type, "', 'fortran_order': False, 'shape': ", shape, ", }");
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes(npy_magic);
  bytes += std::string("\1\0", 2);
  append_bytes(bytes, static_cast<std::uint16_t>(header.size()));
  return bytes + header;
}

}  // namespace detail

/// Reads an array from the bytes of a .npy file. Its rows become columns: an array of samples x features gives a matrix of features x
/// samples, and one of a single extent gives 1 x samples. Reads integers of 1 to 8 bytes, booleans and floats of 4 or 8 bytes, in either
/// byte order and in C or Fortran order. `name` stands for the file in error messages. Throws ValueError where the bytes are anything else
/// or incomplete, and for a number too large for Scalar. Takes memory for the result alone, sizeof(Scalar) bytes for each number.
template <class Scalar>
Matrix<Scalar> parse_npy(std::string_view bytes, const std::string& name = "the input") {
  return detail::to_matrix<Scalar>(detail::parse_npy(bytes, name));
}

/// Does not compile for the type of a matrix instead of that of its numbers; the message says what to write instead.
template <detail::EigenDense M>
M parse_npy(std::string_view, const std::string& = "") {
  return detail::read_as_matrix<M>();
}

/// Reads class labels from the bytes of a .npy file: an array with one extent, or with one column, of whole numbers that fit into an int.
/// `name` stands for the file in error messages. Throws ValueError where the bytes are anything else.
inline std::vector<int> parse_npy_labels(std::string_view bytes, const std::string& name = "the input") {
  return detail::to_labels(detail::parse_npy(bytes, name));
}

/// Reads an array from a .npy file, as parse_npy does.
template <class Scalar>
Matrix<Scalar> read_npy(const std::string& path) {
  return parse_npy<Scalar>(detail::read_file("read_npy", path), path);
}
/// Does not compile for the type of a matrix instead of that of its numbers; the message says what to write instead.
template <detail::EigenDense M>
M read_npy(const std::string&) {
  return detail::read_as_matrix<M>();
}
/// Reads a part of the rows of an array from a .npy file, as columns, and no other rows.
template <class Scalar>
Matrix<Scalar> read_npy(const std::string& path, const DataPart& part) {
  return detail::read_array_part("read_npy", path, part, detail::parse_npy_header, detail::to_matrix<Scalar>);
}
/// Reads class labels from a .npy file, as parse_npy_labels does.
inline std::vector<int> read_npy_labels(const std::string& path) {
  return parse_npy_labels(detail::read_file("read_npy_labels", path), path);
}
/// Reads a part of the class labels from a .npy file, and no others.
inline std::vector<int> read_npy_labels(const std::string& path, const DataPart& part) {
  return detail::read_array_part("read_npy_labels", path, part, detail::parse_npy_header, detail::to_labels);
}

/// Returns the bytes of a .npy file with this matrix. Its columns become rows: features x samples gives an array of samples x features.
/// The number type is f4 for float and f8 for double; long double is rounded to f8. Throws ValueError for a number too large for f8.
template <detail::EigenDense M>
requires std::floating_point<typename M::Scalar> std::string to_npy(const M& m) {
  using Written = std::conditional_t<sizeof(typename M::Scalar) == 4, float, double>;
  const auto view = detail::const_view<typename M::Scalar>(m);
  std::string bytes = detail::npy_header(sizeof(Written) == 4 ? "<f4" : "<f8", detail::text_of("(", view.cols(), ", ", view.rows(), ")"));
  for (Index j = 0; j < view.cols(); ++j)
    for (Index i = 0; i < view.rows(); ++i) {
      const auto written = static_cast<Written>(view(i, j));
      if (detail::is_finite(view(i, j)) && !detail::is_finite(written))
        detail::raise<ValueError>("to_npy: entry (", i, ", ", j,
                                  ") is too large for f8, numbers of 8 bytes; divide the matrix by a constant");
      detail::append_bytes(bytes, written);
    }
  return bytes;
}
/// Returns the bytes of a .npy file with these class labels, as an array with one extent.
template <detail::LabelVector Y>
std::string to_npy(const Y& labels) {
  const auto view = detail::target_view<float>(labels);
  using Label = std::remove_cvref_t<decltype(view[0])>;
  const std::string type = detail::text_of(sizeof(Label) == 1 ? "|" : "<", std::is_signed_v<Label> ? "i" : "u", sizeof(Label));
  std::string bytes = detail::npy_header(type, detail::text_of("(", view.size(), ",)"));
  for (const Label label : view) detail::append_bytes(bytes, label);
  return bytes;
}

/// Writes to_npy(numbers) to a file: a matrix or a vector of class labels. An existing file is replaced only when the new one is complete.
/// Throws ValueError with the system's reason where the file cannot be written.
template <class Numbers>
void write_npy(const std::string& path, const Numbers& numbers) {
  detail::write_file("write_npy", path, to_npy(numbers));
}

}  // namespace chainrule
