#pragma once
// A binary file format that detects any damage. Layout:
//
//     magic               a text that names the format
//     byte order mark     4 bytes: 0x01020304 as the machine that wrote the file stores it
//     version             4 bytes
//     length              8 bytes: size of the whole file, checksum included
//     contents
//     checksum            8 bytes: CRC-64 of everything before it

#include <chainrule/bytes/crc64.hpp>
#include <chainrule/bytes/file_kind.hpp>
#include <chainrule/core/error.hpp>
#include <cstring>
#include <string>

namespace chainrule::detail {

/// A checksummed file format: its magic text, and the version that this library writes and reads.
struct ChecksummedFormat {
  std::string_view magic;
  std::uint32_t version;
  constexpr std::size_t header_size() const { return magic.size() + 4 + 4 + 8; }
};

inline constexpr std::uint32_t native_order_mark = 0x01020304;
inline constexpr std::size_t checksum_size = 8;

/// Reads a number at `offset` in the byte order of this machine.
template <class Number>
Number native_number_at(std::string_view bytes, std::size_t offset) {
  Number number;
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

/// Replaces `bytes` with the file's header. Append the contents next, then call finish_checksummed_file.
inline void begin_checksummed_file(std::string& bytes, const ChecksummedFormat& format) {
  bytes.assign(format.magic);
  const std::uint32_t length_not_known_yet = 0;
  for (const std::uint32_t number : {native_order_mark, format.version, length_not_known_yet, length_not_known_yet})
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

/// Writes the length into the header and appends the checksum. `bytes` must hold the header and the contents.
inline void finish_checksummed_file(std::string& bytes, const ChecksummedFormat& format) {
  const std::uint64_t length = bytes.size() + checksum_size;
  std::memcpy(bytes.data() + format.header_size() - sizeof length, &length, sizeof length);
  const std::uint64_t checksum = crc64(bytes);
  bytes.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
}

/// Returns the contents of a checksummed file as a view on `bytes`. `file` is its name for error messages. Throws ValueError where
/// the file is of another format, version or byte order, or is damaged.
inline std::string_view checked_contents(std::string_view bytes, const std::string& file, const ChecksummedFormat& format) {
  const std::size_t min_size = format.header_size() + checksum_size;
  if (!bytes.starts_with(format.magic) && !format.magic.starts_with(bytes)) {
    const std::string_view kind = known_kind(bytes);
    raise<ValueError>(file, ": expected to begin with \"", format.magic, "\", but ", kind.empty() ? "found something else" : "it is ",
                      kind);
  }
  if (bytes.size() < min_size) raise<ValueError>(file, " is cut short: expected at least ", min_size, " bytes, but found ", bytes.size());
  const std::size_t after_magic = format.magic.size();
  if (const auto mark = native_number_at<std::uint32_t>(bytes, after_magic); mark != native_order_mark)
    raise<ValueError>(file, mark == 0x04030201 ? ": expected numbers in this machine's byte order, but found the opposite order"
                                               : " is damaged: expected a byte order mark, but found something else");
  if (const auto version = native_number_at<std::uint32_t>(bytes, after_magic + 4); version != format.version)
    raise<ValueError>(file, ": expected version ", format.version, " of the format, but found ", version,
                      version > format.version ? "; a newer chainrule has written it, or it is damaged" : "");
  if (const auto length = native_number_at<std::uint64_t>(bytes, after_magic + 8); length != bytes.size())
    raise<ValueError>(file, bytes.size() < length ? " is cut short" : " is too long", ": expected ", length, " bytes, but found ",
                      bytes.size());
  const std::string_view checksummed = bytes.substr(0, bytes.size() - checksum_size);
  const auto expected = native_number_at<std::uint64_t>(bytes, checksummed.size());
  if (const std::uint64_t found = crc64(checksummed); found != expected)
    raise<ValueError>(file, " is damaged: expected the checksum ", expected, ", but found ", found);
  return checksummed.substr(format.header_size());
}

}  // namespace chainrule::detail
