#pragma once
// Reads files of named tensors in the safetensors format of Hugging Face (section "Format" of github.com/huggingface/safetensors): the
// length of the header in 8 bytes, the header in JSON, and the numbers of all tensors one after the other. Needs nlohmann/json (link with
// chainrule::safetensors), so chainrule.hpp does not include it.
//
// @code{.cpp}
// const SafetensorsFile file = read_safetensors("model.safetensors");
// Matrix<float> weight(64, 32);  // rows and columns as in the file's shape
// file.copy_numbers(file.tensor("layers.0.weight"), weight.data(), TensorOrder::column_major);
// @endcode

#include <chainrule/bytes/file.hpp>
#include <chainrule/bytes/file_kind.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/io/detail/safetensors/header.hpp>
#include <chainrule/io/write_safetensors.hpp>
#include <map>
#include <memory>

namespace chainrule {

/// The bytes of a safetensors file, and the tensors that its header lists. After a move, tensors that were taken from it stay valid.
class SafetensorsFile {
 public:
  /// Reads the header; errors call the file `name`. Throws ValueError for bytes that are no complete safetensors file, in which every
  /// tensor has as many bytes as its type and shape need, and each byte after the header belongs to exactly one tensor.
  SafetensorsFile(std::string bytes, std::string name) : name_{std::move(name)}, bytes_{std::make_unique<std::string>(std::move(bytes))} {
    const std::string_view all = *bytes_;
    if (all.empty()) detail::raise<ValueError>(name_, " is empty");
    if (all.size() <= length_bytes || all[length_bytes] != '{')
      if (const std::string_view kind = detail::known_kind(all); !kind.empty())
        detail::raise<ValueError>(name_, " is no safetensors file, but ", kind);
    if (all.size() < length_bytes)
      detail::raise<ValueError>(name_, " is cut short: expected the header's length in 8 bytes, but found ", all.size(), " bytes");
    const auto length = detail::number_at<std::uint64_t>(all.data(), detail::ByteOrder::little);
    if (length > detail::max_safetensors_header)
      detail::raise<ValueError>(name_, " is no safetensors file: expected a header of at most ", detail::max_safetensors_header,
                                " bytes, but its length, the first 8 bytes, is ", length);
    if (length > all.size() - length_bytes)
      detail::raise<ValueError>(name_, " is cut short: expected a header of ", length, " bytes, but found ", all.size() - length_bytes);
    const std::size_t begin_of_data = length_bytes + static_cast<std::size_t>(length);
    detail::SafetensorsHeader header(all.substr(length_bytes, begin_of_data - length_bytes), name_);
    metadata_ = std::move(header.metadata);
    lay_out(std::move(header.entries), all.substr(begin_of_data));
    sort_names();
  }

  /// The name of the file in errors.
  const std::string& name() const { return name_; }

  /// The texts in the header: what the file's author added about the tensors.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// All tensors, in the order of their bytes.
  const std::vector<SafetensorsTensor>& tensors() const { return tensors_; }

  /// The tensor of this name, or nullptr where there is none.
  const SafetensorsTensor* find(std::string_view tensor) const {
    const auto found = std::lower_bound(by_name_.begin(), by_name_.end(), tensor,
                                        [&](std::size_t i, std::string_view wanted) { return tensors_[i].name < wanted; });
    return found == by_name_.end() || tensors_[*found].name != tensor ? nullptr : &tensors_[*found];
  }

  /// The tensor of this name. Throws ValueError where there is none.
  const SafetensorsTensor& tensor(std::string_view tensor) const {
    const SafetensorsTensor* found = find(tensor);
    if (found == nullptr)
      detail::raise<ValueError>(name_, ": there is no tensor ", detail::in_quotes(tensor), " among its ", tensors_.size());
    return *found;
  }

  /// Copies the tensor.size() numbers of one of the file's tensors to `to`: in the order of the file, or, with column_major, in the order
  /// of a column-major matrix of tensor.shape. Integers that Scalar cannot hold are rounded. Throws ValueError for numbers that are too
  /// large for Scalar, and ShapeError for column_major with more than two extents; then nothing has been copied.
  template <class Scalar>
  void copy_numbers(const SafetensorsTensor& tensor, Scalar* to, TensorOrder order = TensorOrder::row_major) const {
    detail::copy_safetensors(tensor, to, order, detail::safetensors_place(name_, tensor.name));
  }

 private:
  static constexpr std::size_t length_bytes = 8;

  /// Finds the bytes of each tensor. Throws ValueError unless they lie one after the other and fill `data`.
  void lay_out(std::vector<detail::SafetensorsHeader::Entry> entries, std::string_view data) {
    for (const auto& entry : entries) check_size(entry);
    std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.offsets < b.offsets; });
    std::uint64_t end = 0;
    tensors_.reserve(entries.size());
    for (auto& entry : entries) {
      if (entry.offsets[0] != end)
        detail::raise<ValueError>(detail::safetensors_place(name_, entry.name), ": expected bytes from ", end,
                                  ", where those before it end, but data_offsets begins at ", entry.offsets[0],
                                  entry.offsets[0] < end ? ", so that they overlap" : ", so that there is a hole");
      if (entry.offsets[1] > data.size())
        detail::raise<ValueError>(name_, " is cut short: tensor ", detail::in_quotes(entry.name), " ends at byte ", entry.offsets[1],
                                  " after the header, but there are ", data.size());
      end = entry.offsets[1];
      const auto begin = detail::to_size(entry.offsets[0]);
      tensors_.push_back({std::move(entry.name), entry.type, std::move(entry.shape), data.substr(begin, detail::to_size(end) - begin)});
    }
    if (end != data.size())
      detail::raise<ValueError>(name_, " goes on after its end: expected ", end, " bytes after the header, as its tensors have, but found ",
                                data.size());
  }

  void check_size(const detail::SafetensorsHeader::Entry& entry) const {
    const auto [begin, end] = entry.offsets;
    const auto place = [&] { return detail::safetensors_place(name_, entry.name); };
    if (begin > end)
      detail::raise<ValueError>(place(), ": expected data_offsets that end where they begin or later, but found ", begin, " and ", end);
    std::uint64_t expected = 0;
    if (!detail::safetensors_bytes(entry.type, entry.shape, expected))
      detail::raise<ValueError>(place(), ": the header says that there are ", detail::shape_text(entry.shape),
                                " numbers, more than any file can hold");
    if (end - begin != expected)
      detail::raise<ValueError>(place(), ": expected ", expected, " bytes, for ", detail::shape_text(entry.shape), " of ",
                                detail::info_of(entry.type).name, ", but data_offsets ", begin, " and ", end, " are ", end - begin,
                                " apart");
  }

  void sort_names() {
    by_name_.resize(tensors_.size());
    for (std::size_t i = 0; i < by_name_.size(); ++i) by_name_[i] = i;
    std::sort(by_name_.begin(), by_name_.end(), [&](std::size_t i, std::size_t j) { return tensors_[i].name < tensors_[j].name; });
    for (std::size_t i = 1; i < by_name_.size(); ++i)
      if (tensors_[by_name_[i]].name == tensors_[by_name_[i - 1]].name)
        detail::raise<ValueError>(detail::safetensors_place(name_, tensors_[by_name_[i]].name), " is there twice");
  }

  std::string name_;
  std::unique_ptr<const std::string> bytes_;  // a pointer, because views on the bytes must stay valid in a move
  std::map<std::string, std::string> metadata_ = {};
  std::vector<SafetensorsTensor> tensors_ = {};
  std::vector<std::size_t> by_name_ = {};  // places in tensors_, sorted by name
};

/// Reads the bytes of a safetensors file; errors call it `name`. Throws ValueError for bytes that are no complete safetensors file.
inline SafetensorsFile parse_safetensors(std::string bytes, const std::string& name = "the input") { return {std::move(bytes), name}; }

/// Reads a safetensors file. Takes the memory of the file, and little more. Throws ValueError where the file cannot be read, and for one
/// that is no complete safetensors file.
inline SafetensorsFile read_safetensors(const std::string& path) { return {detail::read_file("read_safetensors", path), path}; }

}  // namespace chainrule
