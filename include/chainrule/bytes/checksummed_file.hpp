#pragma once
// Files of which every byte counts: what it is, as text; the byte order; the version of the format; the length of the file; the
// contents; a checksum of all that.

#include <chainrule/bytes/crc64.hpp>
#include <chainrule/core/error.hpp>
#include <cstring>
#include <string>

namespace chainrule::detail {

/// A format: what its files begin with, and which version of it this library writes and reads.
struct SealedFormat {
  std::string_view magic;
  std::uint32_t version;
  constexpr std::size_t header() const { return magic.size() + 4 + 4 + 8; }
};

inline constexpr std::uint32_t native_order_mark = 0x01020304;
inline constexpr std::size_t checksum_bytes = 8;

template <class Number>
Number sealed_number(std::string_view bytes, std::size_t place) {
  Number number;
  std::memcpy(&number, bytes.data() + place, sizeof number);
  return number;
}

/// Takes what a file begins with in place of what the bytes are; the contents are to be added, then `seal` makes it a file.
inline void begin_sealed(std::string& bytes, const SealedFormat& format) {
  bytes.assign(format.magic);
  for (const std::uint32_t number : {native_order_mark, format.version, std::uint32_t{0}, std::uint32_t{0}})
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

inline void seal(std::string& bytes, const SealedFormat& format) {
  const std::uint64_t length = bytes.size() + checksum_bytes;
  std::memcpy(bytes.data() + format.header() - sizeof length, &length, sizeof length);
  const std::uint64_t checksum = crc64(bytes);
  bytes.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
}

/// The contents of a file that is whole; `file` is its name for errors. Throws ValueError for any other.
inline std::string_view unsealed(std::string_view bytes, const std::string& file, const SealedFormat& format) {
  const std::size_t least = format.header() + checksum_bytes;
  if (!bytes.starts_with(format.magic) && !format.magic.starts_with(bytes))
    raise<ValueError>(file, ": expected to begin with \"", format.magic, "\", but found something else");
  if (bytes.size() < least) raise<ValueError>(file, " is cut short: expected at least ", least, " bytes, but found ", bytes.size());
  const std::size_t after_magic = format.magic.size();
  if (const auto mark = sealed_number<std::uint32_t>(bytes, after_magic); mark != native_order_mark)
    raise<ValueError>(file, mark == 0x04030201 ? ": expected numbers in this machine's byte order, but found the other one"
                                               : " is damaged: expected a mark of the byte order, but found something else");
  if (const auto version = sealed_number<std::uint32_t>(bytes, after_magic + 4); version != format.version)
    raise<ValueError>(file, ": expected version ", format.version, " of the format, but found ", version,
                      version > format.version ? "; a newer chainrule has written it, or it is damaged" : "");
  if (const auto length = sealed_number<std::uint64_t>(bytes, after_magic + 8); length != bytes.size())
    raise<ValueError>(file, bytes.size() < length ? " is cut short" : " goes on behind its end", ": expected ", length,
                      " bytes, but found ", bytes.size());
  const std::string_view sealed_part = bytes.substr(0, bytes.size() - checksum_bytes);
  const auto expected = sealed_number<std::uint64_t>(bytes, sealed_part.size());
  if (const std::uint64_t found = crc64(sealed_part); found != expected)
    raise<ValueError>(file, " is damaged: expected the checksum ", expected, ", but found ", found);
  return sealed_part.substr(format.header());
}

}  // namespace chainrule::detail
