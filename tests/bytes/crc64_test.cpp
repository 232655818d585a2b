#include <chainrule/bytes/crc64.hpp>

#include <string>

#include "support/catch.hpp"

using chainrule::detail::crc64;

TEST_CASE("CRC-64 is that of the xz format") {
  CHECK(crc64("123456789") == 0x995dc9bbdf1939fau);  // the check value of its specification
  CHECK(crc64("") == 0);
  CHECK(crc64(std::string(8, '\0')) != crc64(std::string(9, '\0')));
}

TEST_CASE("eight bytes at once are the same as one after the other") {
  std::string bytes;
  for (int i = 0; i < 50; ++i) {
    std::uint64_t rest = ~std::uint64_t{0};
    for (const char c : bytes) {
      rest ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0xc96c5795d7870f42u : 0);
    }
    CHECK(crc64(bytes) == ~rest);
    bytes += static_cast<char>(37 * i + 200);
  }
}
