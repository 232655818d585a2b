#include <chainrule/data/npy.hpp>

#include "fuzz.hpp"

/// Reads the bytes as a file; and, because the length of a header is hard to guess, as a file whose header is their first line.
void chainrule_fuzz::read(std::string_view bytes) {
  const auto read_all = [](std::string_view file) {
    attempt([&] { chainrule::parse_npy<float>(file); });
    attempt([&] { chainrule::parse_npy<double>(file); });
    attempt([&] { chainrule::parse_npy_labels(file); });
  };
  read_all(bytes);
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  std::string made("\x93NUMPY\2\0", 8);
  chainrule::detail::append_bytes(made, static_cast<std::uint32_t>(end));
  made += bytes.substr(0, end);
  if (end < bytes.size()) made += bytes.substr(end + 1);
  read_all(made);
}
