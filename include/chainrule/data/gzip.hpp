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
  /// The largest unpacked size allowed, because gzip can expand a file a thousandfold. 0: 32 times the size of the file, at least 64 MiB.
  std::uint64_t max_bytes = 0;
};

namespace detail {

/// Unpacks a gzip file piece by piece. The members of a file with several are concatenated; zero bytes after the last are padding. Throws
/// ValueError where the file is not compressed by gzip, is cut short or damaged. Errors say what is wrong with the file before quoting
/// zlib, whose own texts are terse.
class GzipReader {
 public:
  /// `bytes` is the whole file; `file` is its name for error messages. Both must outlive the reader.
  GzipReader(std::string_view bytes, const std::string& file) : rest_{bytes}, file_{file} {
    if (bytes.empty()) raise<ValueError>(file_, " is empty");
    if (!bytes.starts_with(gzip_magic))
      raise<ValueError>(file_, " is not compressed by gzip: expected to begin with 0x1f8b, but found ", as_hexadecimal(bytes.substr(0, 2)));
    constexpr int window_bits = 15;  // the largest window
    constexpr int gzip_format = 16;  // accept gzip only, not zlib's own format
    if (inflateInit2(&stream_, window_bits + gzip_format) != Z_OK)
      raise<ValueError>(file_, ": zlib cannot start: not enough memory, or an incompatible version of zlib");
  }
  ~GzipReader() { inflateEnd(&stream_); }
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// Unpacks the next `count` bytes to `to`, and returns their number, which is smaller at the end of the file only.
  std::size_t read(char* to, std::size_t count) {
    std::size_t size = 0;
    while (size < count && (in_member_ || begin_member())) {
      const std::size_t given = (std::min)(rest_.size(), max_piece);
      const std::size_t wanted = (std::min)(count - size, max_piece);
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest_.data()));  // zlib only reads its input
      stream_.avail_in = static_cast<uInt>(given);
      stream_.next_out = reinterpret_cast<Bytef*>(to + size);
      stream_.avail_out = static_cast<uInt>(wanted);
      const int code = inflate(&stream_, Z_NO_FLUSH);
      rest_.remove_prefix(given - stream_.avail_in);
      size += wanted - stream_.avail_out;
      unpacked_ += wanted - stream_.avail_out;
      in_member_ = code != Z_STREAM_END;
      const bool wants_more = code == Z_BUF_ERROR || (code == Z_OK && stream_.avail_out > 0);
      if (wants_more && rest_.empty())
        raise<ValueError>(file_, " is cut short: the compressed data ends after ", unpacked_, " unpacked bytes");
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        raise<ValueError>(file_, " is damaged: after ", unpacked_, " unpacked bytes zlib says \"",
                          stream_.msg == nullptr ? "" : stream_.msg, "\"");
    }
    return size;
  }

 private:
  /// Moves to the next member, and returns false where there is none.
  bool begin_member() {
    if (rest_.find_first_not_of('\0') == std::string_view::npos) return false;
    if (!rest_.starts_with(gzip_magic))
      raise<ValueError>(file_, " is too long: the last ", rest_.size(), " bytes are not compressed by gzip");
    inflateReset(&stream_);
    return true;
  }

  static constexpr std::size_t max_piece = std::size_t{1} << 30;  // zlib counts bytes in unsigned int

  std::string_view rest_;
  const std::string& file_;
  std::uint64_t unpacked_ = 0;
  bool in_member_ = false;
  z_stream stream_ = {};
};

/// Returns the largest size to which a file of `packed` bytes may be unpacked.
inline std::uint64_t max_unpacked(const GunzipOptions& options, std::size_t packed) {
  return options.max_bytes != 0 ? options.max_bytes : (std::max)(32 * std::uint64_t{packed}, std::uint64_t{1} << 26);
}

[[noreturn]] inline void refuse_large(const std::string& file, std::uint64_t max_bytes) {
  raise<ValueError>(file, " unpacks to more than ", max_bytes, " bytes; set GunzipOptions::max_bytes if it may be that large");
}

/// Unpacks an IDX file: its header, and as many bytes as the header asks for.
inline std::string gunzip_idx(const std::string& path, const GunzipOptions& options) {
  const std::string packed = read_file("read_idx_gzip", path);
  GzipReader reader(packed, path);
  std::string bytes;
  const auto unpack_to = [&](std::size_t size) {
    const std::size_t begin = bytes.size();
    bytes.resize(size);
    bytes.resize(begin + reader.read(bytes.data() + begin, size - begin));
  };
  unpack_to(4);
  unpack_to((std::max)(idx_header_size(bytes), bytes.size()));
  const std::uint64_t size = bytes.size() + parse_idx_header(bytes, path).expected_bytes();
  if (size < bytes.size() || size > max_unpacked(options, packed.size())) refuse_large(path, max_unpacked(options, packed.size()));
  unpack_to(static_cast<std::size_t>(size) + 1);
  if (bytes.size() > size) raise<ValueError>(path, " is too long: expected ", size, " unpacked bytes, but found more");
  return bytes;
}

}  // namespace detail

/// Unpacks the bytes of a gzip file. The members of a file with several are concatenated; zero bytes after the last are padding. `name`
/// stands for the file in error messages. Throws ValueError where the bytes are not a gzip file, are cut short or do not match their
/// checksum, and where more than options.max_bytes would be unpacked. Takes memory for the unpacked bytes; at most three times as much
/// where the file has several members.
inline std::string gunzip(std::string_view bytes, const GunzipOptions& options = {}, const std::string& name = "the input") {
  detail::GzipReader reader(bytes, name);
  const std::uint64_t max_bytes = detail::max_unpacked(options, bytes.size());
  const std::size_t size_of_last =
      bytes.size() < 4 ? 0 : detail::number_at<std::uint32_t>(bytes.data() + bytes.size() - 4, detail::ByteOrder::little);
  std::string unpacked;
  for (std::size_t size = 0, wanted = 0; size == wanted;) {
    wanted = size == 0 ? static_cast<std::size_t>(std::min<std::uint64_t>(size_of_last, max_bytes)) + 1
                       : size + (std::max)(size / 2, std::size_t{1} << 18);
    unpacked.reserve(wanted);
    unpacked.resize(wanted);
    size += reader.read(unpacked.data() + size, wanted - size);
    unpacked.resize(size);
    if (size > max_bytes) detail::refuse_large(name, max_bytes);
  }
  return unpacked;
}

/// Unpacks a gzip file, as gunzip does.
inline std::string gunzip_file(const std::string& path, const GunzipOptions& options = {}) {
  return gunzip(detail::read_file("gunzip_file", path), options, path);
}

/// Reads images and their labels from two IDX files compressed by gzip, as read_idx does for files that are not compressed. Unpacks as many
/// bytes as the header of each file asks for; throws ValueError where they are more than gunzip.max_bytes, or where more or fewer follow.
template <class Scalar>
Dataset<Scalar> read_idx_gzip(const std::string& images, const std::string& labels, const IdxOptions& options = {},
                              const GunzipOptions& gunzip = {}) {
  return detail::labelled_images(parse_idx_images<Scalar>(detail::gunzip_idx(images, gunzip), options, images),
                                 parse_idx_labels(detail::gunzip_idx(labels, gunzip), labels), images, labels);
}

}  // namespace chainrule
