#include <chainrule/io/safetensors.hpp>

#include "fuzz.hpp"

namespace {

void read_all(const std::string& bytes) {
  const chainrule::SafetensorsFile file = chainrule::parse_safetensors(bytes);
  for (const chainrule::SafetensorsTensor& tensor : file.tensors()) {
    chainrule_fuzz::require(file.find(tensor.name) == &tensor);
    std::vector<float> numbers(static_cast<std::size_t>(tensor.size()));
    chainrule_fuzz::attempt([&] { file.copy_numbers(tensor, numbers.data()); });
    chainrule_fuzz::attempt([&] { file.copy_numbers(tensor, numbers.data(), chainrule::TensorOrder::column_major); });
  }
}

}  // namespace

/// Reads the bytes as a file; and, because the length of a header is hard to guess, as a file whose header is their first line.
void chainrule_fuzz::read(std::string_view bytes) {
  attempt([&] { read_all(std::string(bytes)); });
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  std::string made;
  chainrule::detail::append_bytes(made, std::uint64_t{end});
  made += bytes.substr(0, end);
  if (end < bytes.size()) made += bytes.substr(end + 1);
  read_all(made);
}
