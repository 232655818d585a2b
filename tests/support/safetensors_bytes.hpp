#pragma once
// Safetensors files made from the text of their header.

#include <chainrule/io/safetensors.hpp>
#include <string>

namespace chainrule_test {

/// The header's length, the header, the numbers.
inline std::string file_of(const std::string& header, const std::string& numbers = "") {
  std::string bytes;
  chainrule::detail::append_bytes(bytes, std::uint64_t{header.size()});
  return bytes + header + numbers;
}

/// A file of one tensor "w".
inline std::string tensor(const std::string& type, const std::string& shape, const std::string& offsets, const std::string& numbers = "") {
  return file_of(R"({"w":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}", numbers);
}

/// What the error says, or nothing.
inline std::string complaint(const std::string& bytes) {
  try {
    chainrule::parse_safetensors(bytes, "m.st");
  } catch (const chainrule::ValueError& error) {
    return error.what();
  }
  return "";
}

}  // namespace chainrule_test
