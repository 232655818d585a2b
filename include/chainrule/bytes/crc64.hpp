#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chainrule::detail {

/// Table k has, for each byte, the checksum of that byte with k zeros behind it: so eight bytes are looked up at once
/// (Kounavis and Berry 2005, "slicing-by-8"). No constant, which every file would take longer to compile than a checksum takes to make it.
inline std::array<std::array<std::uint64_t, 256>, 8> crc64_tables() {
  std::array<std::array<std::uint64_t, 256>, 8> tables{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::uint64_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0xc96c5795d7870f42u : 0);
    tables[0][byte] = rest;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t byte = 0; byte < 256; ++byte) tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xff];
  return tables;
}

/// The CRC-64 of the xz file format (polynomial of ECMA-182, bits reflected): every change within 64 bits in a row gives another.
inline std::uint64_t crc64(std::string_view bytes) {
  const auto tables = crc64_tables();
  std::uint64_t rest = ~std::uint64_t{0};
  const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(bytes[i])}; };
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    for (std::size_t k = 0; k < 8; ++k) rest ^= byte(i + k) << (8 * k);
    std::uint64_t next = 0;
    for (std::size_t k = 0; k < 8; ++k) next ^= tables[7 - k][(rest >> (8 * k)) & 0xff];
    rest = next;
  }
  for (; i < bytes.size(); ++i) rest = (rest >> 8) ^ tables[0][(rest ^ byte(i)) & 0xff];
  return ~rest;
}

}  // namespace chainrule::detail
