#pragma once
// Writes safetensors files. Tensors of wide numbers come first, so that all numbers are aligned, and then in the order of their names, as
// in files of the format's own Python package.

#include <algorithm>
#include <chainrule/bytes/file.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/io/detail/safetensors/header.hpp>
#include <cstddef>
#include <map>
#include <span>
#include <variant>

namespace chainrule {

/// A tensor to be written. Its numbers stay in their owner's memory; float is written as F32, double as F64, std::int32_t as I32.
struct TensorToWrite {
  std::string name;                  ///< "layers.0.weight"
  std::vector<std::uint64_t> shape;  ///< empty for a single number
  /// One for each entry of the tensor.
  std::variant<std::span<const float>, std::span<const double>, std::span<const std::int32_t>, std::span<const std::int16_t>,
               std::span<const std::int8_t>>
      numbers;
  TensorOrder order = TensorOrder::row_major;  ///< how the numbers lie in memory

  /// The type that the numbers have in the file.
  SafetensorsType type() const {
    using enum SafetensorsType;
    return std::array{F32, F64, I32, I16, I8}[numbers.index()];
  }
};

namespace detail {

/// The largest header that the format allows, in bytes.
inline constexpr std::uint64_t max_safetensors_header = 100'000'000;

/// Throws ValueError unless the text is UTF-8, which JSON consists of.
inline void check_utf8(const std::string& text) {
  try {
    nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    raise<ValueError>("to_safetensors: expected a text in UTF-8, but found ", in_quotes(text));
  }
}

/// Throws ShapeError, or ValueError, for a tensor that cannot be written.
inline void check_tensor(const TensorToWrite& tensor) {
  const std::string place = safetensors_place("to_safetensors", tensor.name);
  if (tensor.name == SafetensorsHeader::metadata_name) raise<ValueError>(place, ": no tensor can have this name");
  const std::size_t size = std::visit([](const auto& numbers) { return numbers.size_bytes(); }, tensor.numbers);
  std::uint64_t expected = 0;
  if (!safetensors_bytes(tensor.type(), tensor.shape, expected) || expected != size)
    raise<ShapeError>(place, ": the shape is ", shape_text(tensor.shape), ", but there are ", size / info_of(tensor.type()).bytes,
                      " numbers");
  if (tensor.order == TensorOrder::column_major) rows_and_columns(tensor.shape, place);
}

/// The header's length and the header, padded so that the numbers begin at a multiple of 8.
inline std::string safetensors_header(const std::vector<const TensorToWrite*>& tensors,
                                      const std::map<std::string, std::string>& metadata) {
  using Json = nlohmann::ordered_json;
  Json header = Json::object();
  auto& entries = header.get_ref<Json::object_t&>();  // push_back does not look for the same name among those that are there
  for (const auto& [key, text] : metadata) check_utf8(key), check_utf8(text);
  if (!metadata.empty()) entries.push_back({std::string(SafetensorsHeader::metadata_name), metadata});
  std::uint64_t begin = 0;
  for (const TensorToWrite* tensor : tensors) {
    std::uint64_t size = 0;
    safetensors_bytes(tensor->type(), tensor->shape, size);
    check_utf8(tensor->name);
    entries.push_back(
        {tensor->name,
         {{"dtype", std::string(info_of(tensor->type()).name)}, {"shape", tensor->shape}, {"data_offsets", {begin, begin + size}}}});
    begin += size;
  }
  std::string json = header.dump();
  json.append((8 - json.size() % 8) % 8, ' ');
  if (json.size() > max_safetensors_header)
    raise<ValueError>("to_safetensors: the header would be of ", json.size(), " bytes, but may be of ", max_safetensors_header);
  std::string bytes;
  bytes.reserve(8 + json.size() + detail::to_size(begin));  // for the numbers too
  append_bytes(bytes, std::uint64_t{json.size()});
  bytes += json;
  return bytes;
}

/// Appends the numbers little-endian and row-major.
template <class Number>
void append_numbers(std::string& bytes, std::span<const Number> numbers, const TensorToWrite& tensor) {
  if (numbers.empty()) return;
  const bool in_columns = tensor.order == TensorOrder::column_major;
  const auto [rows, columns] = in_columns ? rows_and_columns(tensor.shape, tensor.name) : RowsAndColumns{1, numbers.size()};
  if (native_order == ByteOrder::little && rows == 1) {
    const auto own = std::as_bytes(numbers);
    bytes.append(reinterpret_cast<const char*>(own.data()), own.size());
    return;
  }
  const std::size_t begin = bytes.size();
  bytes.resize(begin + numbers.size_bytes());
  for_each_entry({rows, columns}, [&](std::size_t in_file, std::size_t in_memory) {
    auto own = detail::bit_cast<std::array<char, sizeof(Number)>>(numbers[in_memory]);
    if (native_order != ByteOrder::little) std::reverse(own.begin(), own.end());
    std::copy_n(own.data(), own.size(), bytes.data() + begin + in_file * sizeof(Number));
  });
}

}  // namespace detail

/// Returns the bytes of a safetensors file with these tensors, and with `metadata`, texts by key, as its "__metadata__". NaN and infinity
/// are written as they are. Throws ShapeError for a tensor whose shape does not fit its count of numbers, or that is column_major and has
/// more than two extents; ValueError for two tensors with the same name, a tensor named "__metadata__", a name or text that is not UTF-8,
/// and a header above the format's limit of 100 MB.
inline std::string to_safetensors(std::span<const TensorToWrite> tensors, const std::map<std::string, std::string>& metadata = {}) {
  std::vector<const TensorToWrite*> sorted;
  for (const TensorToWrite& tensor : tensors) {
    detail::check_tensor(tensor);
    sorted.push_back(&tensor);
  }
  std::sort(sorted.begin(), sorted.end(), [](const TensorToWrite* a, const TensorToWrite* b) {
    return a->type() != b->type() ? a->type() < b->type() : a->name < b->name;  // F64, F32, I32, I16, I8
  });
  std::vector<std::string_view> names;
  for (const TensorToWrite* tensor : sorted) names.push_back(tensor->name);
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
    detail::raise<ValueError>(detail::safetensors_place("to_safetensors", *twice), " is there twice");

  std::string bytes = detail::safetensors_header(sorted, metadata);
  for (const TensorToWrite* tensor : sorted)
    std::visit([&](const auto& numbers) { detail::append_numbers(bytes, numbers, *tensor); }, tensor->numbers);
  return bytes;
}

/// Writes to_safetensors(tensors, metadata) into a file. An existing file is replaced only when the new one is complete. Throws what
/// to_safetensors throws, and ValueError with the system's reason where the file cannot be written.
inline void write_safetensors(const std::string& path, std::span<const TensorToWrite> tensors,
                              const std::map<std::string, std::string>& metadata = {}) {
  detail::write_file("write_safetensors", path, to_safetensors(tensors, metadata));
}

}  // namespace chainrule
