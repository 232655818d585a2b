#pragma once
// Reads IDX files, the format of MNIST and similar data sets (Y. LeCun, C. Cortes, C. Burges: the MNIST database of handwritten digits):
// two zero bytes, one byte for the number type, one byte for the number of extents, the extents as 4-byte integers, and the numbers.
// The last extent varies fastest; everything is big-endian.

#include <chainrule/bytes/binary_array.hpp>
#include <chainrule/bytes/file.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/data/data_part.hpp>
#include <chainrule/data/dataset.hpp>
#include <chainrule/data/detail/array_part.hpp>

namespace chainrule {

/// How IDX images are read.
struct IdxOptions {
  bool unit_range = true;  ///< scale unsigned bytes, grey levels from 0 to 255, to [0, 1]; numbers of other types are never scaled
};

namespace detail {

/// Returns the size of the header of the IDX file that begins with these bytes, at least 4.
inline std::size_t idx_header_size(std::string_view bytes) {
  return 4 + 4 * std::size_t{bytes.size() < 4 ? std::uint8_t{0} : static_cast<std::uint8_t>(bytes[3])};
}

/// Reads the header of an IDX file, and returns a view of the bytes after it, of any size. `file` is the name for error messages.
inline BinaryArray parse_idx_header(std::string_view bytes, const std::string& file) {
  refuse_gzip(file, bytes);
  if (bytes.empty()) raise<ValueError>(file, " is empty");
  BinaryArray array{.file = file};
  const unsigned type = bytes.size() < 4 ? 0 : static_cast<unsigned char>(bytes[2]);
  switch (type) {
    case 0x08:
      array.type = {'u', 1};
      break;
    case 0x09:
      array.type = {'i', 1};
      break;
    case 0x0b:
      array.type = {'i', 2};
      break;
    case 0x0c:
      array.type = {'i', 4};
      break;
    case 0x0d:
      array.type = {'f', 4};
      break;
    case 0x0e:
      array.type = {'f', 8};
      break;
    default:
      break;
  }
  const bool is_known = type >= 0x08 && type <= 0x0e && type != 0x0a;
  if (!is_known || bytes[0] != 0 || bytes[1] != 0 || bytes[3] == 0)
    raise<ValueError>(
        file,
        " is not an IDX file: expected to begin with 0x0000, a type from 0x08 to 0x0e and the number of extents (0x00000803 for images, "
        "0x00000801 for labels), but found ",
        as_hexadecimal(bytes.substr(0, 4)));
  const std::size_t size = idx_header_size(bytes);
  if (bytes.size() < size) raise<ValueError>(file, " is cut short: expected a header of ", size, " bytes, but found ", bytes.size());
  for (std::size_t i = 4; i < size; i += 4) array.extents.push_back(number_at<std::uint32_t>(bytes.data() + i, ByteOrder::big));
  array.bytes = bytes.substr(size);
  return array;
}

/// Reads the header of an IDX file, and returns a view of its numbers. `file` is the name for error messages.
inline BinaryArray parse_idx(std::string_view bytes, const std::string& file) {
  BinaryArray array = parse_idx_header(bytes, file);
  array.check_size();
  return array;
}

/// Converts an array to images, a column each.
template <class Scalar>
Matrix<Scalar> idx_images(const BinaryArray& array, const IdxOptions& options) {
  if (array.extents.size() < 2)
    raise<ValueError>(array.file, ": expected images, with two extents or more, but found ", array.shape(), " single numbers");
  Matrix<Scalar> images = to_matrix<Scalar>(array);
  if (options.unit_range && array.type.kind == 'u')
    for (Scalar& pixel : images.reshaped()) pixel /= 255;
  return images;
}

/// Combines images and labels to a data set. Throws ValueError where their numbers differ.
template <class Scalar>
Dataset<Scalar> labelled_images(Matrix<Scalar> images, std::vector<int> labels, const std::string& images_file,
                                const std::string& labels_file) {
  if (static_cast<Index>(labels.size()) != images.cols())
    raise<ValueError>(labels_file, ": expected ", images.cols(), " labels, one for each image of ", images_file, ", but found ",
                      labels.size());
  return {std::move(images), std::move(labels)};
}

}  // namespace detail

/// Reads images from the bytes of an IDX file. A column of the result is an image, its pixels row by row: (rows * cols) x samples. `name`
/// stands for the file in error messages. Throws ValueError where the bytes are not a complete IDX file with two extents or more. Takes
/// memory for the result alone, sizeof(Scalar) bytes for each pixel.
template <class Scalar>
Matrix<Scalar> parse_idx_images(std::string_view bytes, const IdxOptions& options = {}, const std::string& name = "the input") {
  return detail::idx_images<Scalar>(detail::parse_idx(bytes, name), options);
}

/// Reads class labels from the bytes of an IDX file: one whole number per sample. `name` stands for the file in error messages. Throws
/// ValueError where the bytes are anything else. Takes memory for the result alone.
inline std::vector<int> parse_idx_labels(std::string_view bytes, const std::string& name = "the input") {
  return detail::to_labels(detail::parse_idx(bytes, name));
}

/// Reads images from an IDX file, as parse_idx_images does.
template <class Scalar>
Matrix<Scalar> read_idx_images(const std::string& path, const IdxOptions& options = {}) {
  return parse_idx_images<Scalar>(detail::read_file("read_idx_images", path), options, path);
}
/// Does not compile for the type of a matrix instead of that of its numbers; the message says what to write instead.
template <detail::EigenDense M>
M read_idx_images(const std::string&, const IdxOptions& = {}) {
  return detail::read_as_matrix<M>();
}
/// Reads a part of the images from an IDX file, and no others.
template <class Scalar>
Matrix<Scalar> read_idx_images(const std::string& path, const IdxOptions& options, const DataPart& part) {
  return detail::read_array_part("read_idx_images", path, part, detail::parse_idx_header,
                                 [&](const detail::BinaryArray& array) { return detail::idx_images<Scalar>(array, options); });
}
/// Reads class labels from an IDX file, as parse_idx_labels does.
inline std::vector<int> read_idx_labels(const std::string& path) {
  return parse_idx_labels(detail::read_file("read_idx_labels", path), path);
}
/// Reads a part of the class labels from an IDX file, and no others.
inline std::vector<int> read_idx_labels(const std::string& path, const DataPart& part) {
  return detail::read_array_part("read_idx_labels", path, part, detail::parse_idx_header, detail::to_labels);
}

/// Reads images and their labels from two IDX files. Throws ValueError where a file cannot be read as such, and where the number of
/// labels is not the number of images.
template <class Scalar>
Dataset<Scalar> read_idx(const std::string& images, const std::string& labels, const IdxOptions& options = {}) {
  return detail::labelled_images(read_idx_images<Scalar>(images, options), read_idx_labels(labels), images, labels);
}
/// Reads a part of the images and their labels from two IDX files, and no others: that of a rank is ranks.part().
template <class Scalar>
Dataset<Scalar> read_idx(const std::string& images, const std::string& labels, const IdxOptions& options, const DataPart& part) {
  return detail::labelled_images(read_idx_images<Scalar>(images, options, part), read_idx_labels(labels, part), images, labels);
}

}  // namespace chainrule
