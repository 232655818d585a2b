#include <chainrule/bytes/crc64.hpp>

#include <string>

#include "support/catch.hpp"

using chainrule::detail::crc64;

TEST_CASE("crc64 is the CRC-64 of the xz format") {
  CHECK(crc64("123456789") == 0x995dc9bbdf1939fau);  // the check value of its specification
  CHECK(crc64("") == 0);
  CHECK(crc64(std::string(8, '\0')) != crc64(std::string(9, '\0')));
}

TEST_CASE("eight bytes per step give the same CRC-64 as one bit per step") {
  std::string bytes;
  for (int i = 0; i < 50; ++i) {
    std::uint64_t crc = ~std::uint64_t{0};
    for (const char c : bytes) {
      crc ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xc96c5795d7870f42u : 0);
    }
    CHECK(crc64(bytes) == ~crc);
    bytes += static_cast<char>(37 * i + 200);
  }
}
