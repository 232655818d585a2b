#pragma once

#include <algorithm>
#include <chainrule/bytes/binary_array.hpp>
#include <chainrule/bytes/file.hpp>
#include <chainrule/data/data_part.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace chainrule::detail {

/// Reads a part of the samples of an array in a file, and returns convert(array), where the array holds these samples alone. Reads the
/// header and their bytes, and no others unless the file is a pipe. parse_header(bytes, path) returns a view of the bytes after the header,
/// of any size. Throws ValueError as read_file does, and for a file whose size is not that which its header says.
template <class ParseHeader, class Convert>
auto read_array_part(const char* who, const std::string& path, const DataPart& part, const ParseHeader& parse_header,
                     const Convert& convert) {
  std::error_code has_no_size;
  std::uintmax_t file_size = std::filesystem::file_size(path_of(path), has_no_size);
  if (has_no_size) file_size = 0;
  const std::uintmax_t longest_header = 1 << 16;
  const std::string begin = file_size > longest_header ? read_file_range(who, path, 0, longest_header) : read_file(who, path);
  const bool is_whole = file_size <= longest_header;
  BinaryArray array = parse_header(begin, path);
  const std::uintmax_t header = begin.size() - array.bytes.size();
  array.check_size((is_whole ? begin.size() : file_size) - header);

  // In C order the numbers of the samples are one piece, in Fortran order one for each value of a sample.
  const SampleRange range = part.range_of(array.samples());
  const Index pieces = array.fortran_order ? array.values_per_sample : 1, numbers = array.fortran_order ? 1 : array.values_per_sample;
  const auto bytes_of = [&](Index samples) {
    return static_cast<std::uintmax_t>(samples) * static_cast<std::uintmax_t>(numbers) * array.type.bytes;
  };
  std::string bytes;
  for (Index i = 0; i < pieces; ++i) {
    const std::uintmax_t first = header + bytes_of(i * array.samples() + range.first), count = bytes_of(range.count);
    bytes += is_whole ? begin.substr(to_size(first), to_size(count)) : read_file_range(who, path, first, count);
  }
  array.bytes = bytes;
  array.extents[0] = static_cast<std::uint64_t>(range.count);
  array.first_sample = range.first;
  return convert(array);
}

}  // namespace chainrule::detail
