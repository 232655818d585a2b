#pragma once

#include <chainrule/io/safetensors.hpp>
#include <string>

namespace chainrule_test {

/// The bytes of a safetensors file: the length of the header, the header, the numbers.
inline std::string file_of(const std::string& header, const std::string& numbers = "") {
  std::string bytes;
  chainrule::detail::append_bytes(bytes, std::uint64_t{header.size()});
  return bytes + header + numbers;
}

/// The bytes of a safetensors file with one tensor "w".
inline std::string tensor(const std::string& type, const std::string& shape, const std::string& offsets, const std::string& numbers = "") {
  return file_of(R"({"w":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}", numbers);
}

/// The message of the error that parse_safetensors throws for these bytes, or "" if it throws none.
inline std::string complaint(const std::string& bytes) {
  try {
    chainrule::parse_safetensors(bytes, "m.st");
  } catch (const chainrule::ValueError& error) {
    return error.what();
  }
  return "";
}

}  // namespace chainrule_test
