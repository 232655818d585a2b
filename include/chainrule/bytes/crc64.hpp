#pragma once
// The checksum CRC-64/XZ.

#include <array>
#include <chainrule/core/detail/require_cpp20.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chainrule::detail {

/// Lookup tables for eight bytes per step: table k holds, for each byte value, the CRC of that byte followed by k zero bytes
/// (Kounavis and Berry 2005, "slicing-by-8"). Computed at run time, because 16 KiB of constexpr tables would cost more compile time in
/// each file that includes this than computing them costs per checksum.
inline std::array<std::array<std::uint64_t, 256>, 8> crc64_tables() {
  std::array<std::array<std::uint64_t, 256>, 8> tables{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xc96c5795d7870f42u : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t byte = 0; byte < 256; ++byte) tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xff];
  return tables;
}

/// Returns the CRC-64 of the xz file format (ECMA-182 polynomial, bits reflected). Any change confined to 64 consecutive bits changes it.
inline std::uint64_t crc64(std::string_view bytes) {
  const auto tables = crc64_tables();
  std::uint64_t crc = ~std::uint64_t{0};
  const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(bytes[i])}; };
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    for (std::size_t k = 0; k < 8; ++k) crc ^= byte(i + k) << (8 * k);
    std::uint64_t next = 0;
    for (std::size_t k = 0; k < 8; ++k) next ^= tables[7 - k][(crc >> (8 * k)) & 0xff];
    crc = next;
  }
  for (; i < bytes.size(); ++i) crc = (crc >> 8) ^ tables[0][(crc ^ byte(i)) & 0xff];
  return ~crc;
}

}  // namespace chainrule::detail
