#pragma once

#include <algorithm>
#include <chainrule/bytes/binary_array.hpp>
#include <chainrule/bytes/excerpt.hpp>
#include <charconv>

namespace chainrule::detail {

/// Parses the header of a .npy file, a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }
class NpyHeader {
 public:
  /// Parses `text` and sets the number type, order and extents of `array`. Throws ValueError where it is not a valid header.
  NpyHeader(std::string_view text, BinaryArray& array) : rest_{text}, array_{array} {
    take("{");
    while (!skip("}")) {
      const std::string_view key = take_string();
      take(":");
      if (key == "descr")
        read_type();
      else if (key == "fortran_order")
        read_order();
      else if (key == "shape")
        read_shape();
      else
        refuse("'descr', 'fortran_order' or 'shape'", key);
      if (!skip(",") && !rest_.starts_with("}")) refuse("a comma", rest_);
    }
    if (!has_type_ || !has_order_ || !has_shape_) refuse("all of 'descr', 'fortran_order' and 'shape'", text);
    if (!rest_.empty()) refuse("the end", rest_);
  }

 private:
  [[noreturn]] void refuse(std::string_view expected, std::string_view found) const {
    raise<ValueError>(array_.file, ": expected ", expected, " in the header, but found ", in_quotes(found));
  }

  /// Steps over `token` and the white space around it, and returns true, if it comes next.
  bool skip(std::string_view token) {
    skip_white_space();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    skip_white_space();
    return true;
  }
  void skip_white_space() { rest_.remove_prefix((std::min)(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  /// Steps over `token`; throws ValueError if something else comes next.
  void take(std::string_view token) {
    if (!skip(token)) refuse(token, rest_);
  }

  std::string_view take_string() {
    skip_white_space();
    const char quote = rest_.empty() ? '\0' : rest_[0];
    const std::size_t end = rest_.find(quote, 1);
    if ((quote != '\'' && quote != '"') || end == std::string_view::npos) refuse("a quoted text", rest_);
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    skip_white_space();
    return text;
  }

  // '<f4': the byte order, the kind of number, and its size in bytes
  void read_type() {
    if (rest_.starts_with("["))
      raise<ValueError>(array_.file, ": expected an array of numbers, but found an array of records, ", in_quotes(rest_));
    const std::string_view type = take_string();
    const char order = type.empty() ? '\0' : type[0];
    const char kind = type.size() != 3 ? '\0' : type[1];
    const std::size_t bytes = type.size() != 3 ? 0 : static_cast<std::size_t>(type[2] - '0');
    const bool is_float = kind == 'f' && (bytes == 4 || bytes == 8);
    const bool is_integer = (kind == 'i' || kind == 'u') && (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8);
    const bool is_bool = kind == 'b' && bytes == 1;
    if (!(is_float || is_integer || is_bool) || !(order == '<' || order == '>' || (order == '|' && bytes == 1)))
      raise<ValueError>(array_.file, ": expected numbers of type f4, f8, i1 to i8, u1 to u8 or b1, but found ", in_quotes(type),
                        explained(type), "; in Python, a.astype('float32') converts");
    array_.type = {is_bool ? 'u' : kind, bytes};
    array_.order = order == '>' ? ByteOrder::big : ByteOrder::little;
    has_type_ = true;
  }

  /// Explains a number type that cannot be read, for the error message.
  static std::string_view explained(std::string_view type) {
    if (type == "|O") return " (Python objects)";
    if (type.size() < 2) return "";
    switch (type[1]) {
      case 'f':
        return " (floating point of another size)";
      case 'c':
        return " (complex numbers)";
      case 'S':
      case 'U':
        return " (text)";
      case 'M':
      case 'm':
        return " (time)";
      default:
        return "";
    }
  }

  void read_order() {
    array_.fortran_order = skip("True");
    if (!array_.fortran_order) take("False");
    has_order_ = true;
  }

  // A Python tuple: (3, 2) or (3,) or ().
  void read_shape() {
    array_.extents.clear();
    take("(");
    while (!skip(")")) {
      std::uint64_t extent = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
      if (error != std::errc{}) refuse("an extent", rest_);
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      skip("L");  // Python 2 writes long integers as 3L
      if (array_.extents.size() == max_extents) refuse("at most 64 extents", rest_);
      array_.extents.push_back(extent);
      if (!skip(",") && !rest_.starts_with(")")) refuse("a comma", rest_);
    }
    has_shape_ = true;
  }

  static constexpr std::size_t max_extents = 64;  // NumPy's own limit

  std::string_view rest_;
  BinaryArray& array_;
  bool has_type_ = false;
  bool has_order_ = false;
  bool has_shape_ = false;
};

}  // namespace chainrule::detail
