#pragma once
// Files compressed by gzip (RFC 1952). Needs zlib (link with -lz), which is why chainrule.hpp does not include it.
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

/// How far to trust a compressed file.
struct GunzipOptions {
  std::uint64_t max_bytes = std::uint64_t{1} << 34;  ///< what may come out; a small file can hold a thousand times its size
};

namespace detail {

/// What zlib unpacks with. Its words for an error are few, so ours come first.
class Inflater {
 public:
  explicit Inflater(const std::string& file) : file_{file} {
    constexpr int window_bits = 15;  // the largest
    constexpr int gzip_alone = 16;   // not zlib's own format
    if (inflateInit2(&stream_, window_bits + gzip_alone) != Z_OK)
      raise<ValueError>(file_, ": zlib cannot start: no memory, or another version");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Appends what the member that `rest` begins with unpacks to, and steps over it. Throws ValueError.
  void unpack_member(std::string_view& rest, std::string& bytes, std::uint64_t max_bytes) {
    inflateReset(&stream_);
    for (int code = Z_OK; code != Z_STREAM_END;) {
      const std::size_t given = std::min(rest.size(), std::size_t{1} << 30);  // zlib counts in unsigned int
      const std::size_t size = bytes.size();
      constexpr std::size_t room = std::size_t{1} << 18;
      bytes.resize(size + room);
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));  // zlib only reads it, whatever its types say
      stream_.avail_in = static_cast<uInt>(given);
      stream_.next_out = reinterpret_cast<Bytef*>(bytes.data() + size);
      stream_.avail_out = static_cast<uInt>(room);
      code = inflate(&stream_, Z_NO_FLUSH);
      bytes.resize(size + room - stream_.avail_out);
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

/// What the bytes of a gzip file unpack to, all members of it one after the other; zeros after the last are padding. Errors call it
/// `name`. Throws ValueError for bytes that are no such file, are cut short or do not fit their checksum.
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
      detail::raise<ValueError>(name, " goes on behind its end: the last ", bytes.size(), " bytes are not compressed by gzip");
    inflater.unpack_member(bytes, unpacked, options.max_bytes);
  }
  return unpacked;
}

/// The same from a file.
inline std::string gunzip_file(const std::string& path, const GunzipOptions& options = {}) {
  return gunzip(detail::read_file("gunzip_file", path), options, path);
}

/// read_idx of compressed files.
template <class Scalar>
Dataset<Scalar> read_idx_gzip(const std::string& images, const std::string& labels, const IdxOptions& options = {}) {
  return detail::labelled_images(parse_idx_images<Scalar>(gunzip_file(images), options, images),
                                 parse_idx_labels(gunzip_file(labels), labels), images, labels);
}

}  // namespace chainrule
