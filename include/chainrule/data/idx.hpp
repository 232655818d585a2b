#pragma once
// IDX files, in which MNIST and its relatives come (Y. LeCun, C. Cortes, C. Burges: the MNIST database of handwritten digits):
// two bytes of 0, the type of numbers, how many extents there are, the extents, and the numbers, the last extent running fastest;
// the most significant byte comes first.

#include <chainrule/bytes/binary_array.hpp>
#include <chainrule/bytes/file.hpp>
#include <chainrule/data/dataset.hpp>

namespace chainrule {

/// How to read images and labels.
struct IdxOptions {
  bool unit_range = true;  ///< unsigned bytes, grey levels from 0 to 255, become 0 to 1; numbers of other types stay as they are
};

namespace detail {

inline BinaryArray parse_idx(std::string_view bytes, const std::string& file) {
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
        " is no IDX file: expected to begin with 0x0000, a type from 0x08 to 0x0e and the number of extents (0x00000803 for images, "
        "0x00000801 for labels), but found ",
        as_hexadecimal(bytes.substr(0, 4)));
  const std::size_t count = static_cast<unsigned char>(bytes[3]);
  if (bytes.size() < 4 + 4 * count)
    raise<ValueError>(file, " is cut short: expected a header of ", 4 + 4 * count, " bytes, but found ", bytes.size());
  for (std::size_t i = 0; i < count; ++i) array.extents.push_back(number_at<std::uint32_t>(bytes.data() + 4 + 4 * i, ByteOrder::big));
  array.bytes = bytes.substr(4 + 4 * count);
  array.check_size();
  return array;
}

template <class Scalar>
Dataset<Scalar> labelled_images(Matrix<Scalar> images, std::vector<int> labels, const std::string& images_file,
                                const std::string& labels_file) {
  if (static_cast<Index>(labels.size()) != images.cols())
    raise<ValueError>(labels_file, ": expected ", images.cols(), " labels, one for each image of ", images_file, ", but found ",
                      labels.size());
  return {std::move(images), std::move(labels)};
}

}  // namespace detail

/// Images from the bytes of an IDX file; errors call it `name`. A column is an image, row by row of pixels (rows * cols x samples).
/// Throws ValueError for bytes that are no IDX file, or not a whole one.
template <class Scalar>
Matrix<Scalar> parse_idx_images(std::string_view bytes, const IdxOptions& options = {}, const std::string& name = "the input") {
  const detail::BinaryArray array = detail::parse_idx(bytes, name);
  if (array.extents.size() < 2)
    detail::raise<ValueError>(name, ": expected images, with two extents or more, but found ", array.shape(), " single numbers");
  Matrix<Scalar> images = detail::to_matrix<Scalar>(array);
  if (options.unit_range && array.type.kind == 'u')
    for (Scalar& pixel : images.reshaped()) pixel /= 255;
  return images;
}

/// Labels from the bytes of an IDX file.
inline std::vector<int> parse_idx_labels(std::string_view bytes, const std::string& name = "the input") {
  return detail::to_labels(detail::parse_idx(bytes, name));
}

/// The same from files.
template <class Scalar>
Matrix<Scalar> read_idx_images(const std::string& path, const IdxOptions& options = {}) {
  return parse_idx_images<Scalar>(detail::read_file("read_idx_images", path), options, path);
}
/// The labels alone.
inline std::vector<int> read_idx_labels(const std::string& path) {
  return parse_idx_labels(detail::read_file("read_idx_labels", path), path);
}

/// Images and their labels. Throws ValueError also where these are not as many as the images.
template <class Scalar>
Dataset<Scalar> read_idx(const std::string& images, const std::string& labels, const IdxOptions& options = {}) {
  return detail::labelled_images(read_idx_images<Scalar>(images, options), read_idx_labels(labels), images, labels);
}

}  // namespace chainrule
