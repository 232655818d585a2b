#pragma once
// Reads files compressed by gzip (RFC 1952). Needs zlib (link with -lz), so chainrule.hpp does not include this header.
//
// @code{.cpp}
// auto train = read_idx_gzip<float>("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");
// auto table = parse_csv<Dataset<float>>(gunzip_file("table.csv.gz"), {.target = "y"}, "table.csv.gz");
// @endcode

#include <zlib.h>

#include <algorithm>
#include <chainrule/data/idx.hpp>
#include <cstdint>

namespace chainrule {

/// Limits for unpacking a gzip file.
struct GunzipOptions {
  std::uint64_t max_bytes = std::uint64_t{1} << 34;  ///< largest unpacked size allowed; gzip can expand a file a thousandfold
};

namespace detail {

/// Owns zlib's decompression state. Errors say what is wrong with the file before quoting zlib, whose own texts are terse.
class Inflater {
 public:
  explicit Inflater(const std::string& file) : file_{file} {
    constexpr int window_bits = 15;  // the largest window
    constexpr int gzip_format = 16;  // accept gzip only, not zlib's own format
    if (inflateInit2(&stream_, window_bits + gzip_format) != Z_OK)
      raise<ValueError>(file_, ": zlib cannot start: not enough memory, or an incompatible version of zlib");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Unpacks the gzip member at the start of `rest`, appends the result to `bytes`, and removes the member from `rest`. Throws
  /// ValueError where it is cut short or damaged, and where `bytes` becomes larger than max_bytes.
  void unpack_member(std::string_view& rest, std::string& bytes, std::uint64_t max_bytes) {
    inflateReset(&stream_);
    for (int code = Z_OK; code != Z_STREAM_END;) {
      const std::size_t given = std::min(rest.size(), std::size_t{1} << 30);  // zlib counts bytes in unsigned int
      const std::size_t size = bytes.size();
      constexpr std::size_t chunk = std::size_t{1} << 18;
      bytes.resize(size + chunk);
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));  // zlib only reads its input
      stream_.avail_in = static_cast<uInt>(given);
      stream_.next_out = reinterpret_cast<Bytef*>(bytes.data() + size);
      stream_.avail_out = static_cast<uInt>(chunk);
      code = inflate(&stream_, Z_NO_FLUSH);
      bytes.resize(size + chunk - stream_.avail_out);
      rest.remove_prefix(given - stream_.avail_in);
      if (bytes.size() > max_bytes)
        raise<ValueError>(file_, " unpacks to more than ", max_bytes, " bytes, which is GunzipOptions::max_bytes");
      const bool wants_more = code == Z_BUF_ERROR || (code == Z_OK && stream_.avail_out > 0);
      if (wants_more && rest.empty())
        raise<ValueError>(file_, " is cut short: the compressed data ends after ", bytes.size(), " unpacked bytes");
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        raise<ValueError>(file_, " is damaged: after ", bytes.size(), " unpacked bytes zlib says \"",
                          stream_.msg == nullptr ? "" : stream_.msg, "\"");
    }
  }

 private:
  const std::string& file_;
  z_stream stream_ = {};
};

}  // namespace detail

/// Unpacks the bytes of a gzip file. The members of a file with several are concatenated; zero bytes after the last are padding. `name`
/// stands for the file in error messages. Throws ValueError where the bytes are not a gzip file, are cut short or do not match their
/// checksum, and where more than options.max_bytes would be unpacked.
inline std::string gunzip(std::string_view bytes, const GunzipOptions& options = {}, const std::string& name = "the input") {
  constexpr std::string_view magic = "\x1f\x8b";
  if (bytes.empty()) detail::raise<ValueError>(name, " is empty");
  if (!bytes.starts_with(magic))
    detail::raise<ValueError>(name, " is not compressed by gzip: expected to begin with 0x1f8b, but found ",
                              detail::as_hexadecimal(bytes.substr(0, 2)));
  std::string unpacked;
  detail::Inflater inflater(name);
  while (bytes.find_first_not_of('\0') != std::string_view::npos) {
    if (!bytes.starts_with(magic))
      detail::raise<ValueError>(name, " is too long: the last ", bytes.size(), " bytes are not compressed by gzip");
    inflater.unpack_member(bytes, unpacked, options.max_bytes);
  }
  return unpacked;
}

/// Unpacks a gzip file, as gunzip does.
inline std::string gunzip_file(const std::string& path, const GunzipOptions& options = {}) {
  return gunzip(detail::read_file("gunzip_file", path), options, path);
}

/// Reads images and their labels from two IDX files compressed by gzip, as read_idx does for files that are not compressed.
template <class Scalar>
Dataset<Scalar> read_idx_gzip(const std::string& images, const std::string& labels, const IdxOptions& options = {}) {
  return detail::labelled_images(parse_idx_images<Scalar>(gunzip_file(images), options, images),
                                 parse_idx_labels(gunzip_file(labels), labels), images, labels);
}

}  // namespace chainrule
