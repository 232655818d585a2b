#include <chainrule/data/npy.hpp>

#include "fuzz.hpp"

/// As they are, and, because a length that fits the header is hard to guess, with the first line as the header.
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
