#pragma once
// Short excerpts of a file's text for error messages: limited in length, and free of characters that a terminal would act on.

#include <array>
#include <chainrule/core/detail/require_cpp20.hpp>
#include <string>
#include <string_view>

namespace chainrule::detail {

/// Returns the number of bytes of the UTF-8 character at the start of `text`, or 0 where there is none that is safe to print: for bytes
/// that are not UTF-8, control characters (C0, DEL, C1), line separators, and characters that change the direction of the text.
inline std::size_t printable_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  if (byte(0) < 0x80) return byte(0) >= 0x20 && byte(0) != 0x7f ? 1 : 0;
  const std::size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  constexpr std::array<unsigned, 5> smallest{0, 0, 0xa0, 0x800,
                                             0x10000};  // smallest code of each size; those below 0xa0 are the controls C1
  unsigned code = byte(0) & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool is_character =
      byte(0) >= 0xc2 && byte(0) <= 0xf4 && code >= smallest[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  const bool directs_text = (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return is_character && !directs_text ? size : 0;
}

/// Returns at most the first `max` bytes of `text`, cut between two characters, with "..." where something was cut off. Each byte that is
/// not part of a printable_character becomes '?'.
inline std::string excerpt(std::string_view text, std::size_t max = 40) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t size = printable_character(text);
    const std::string_view character = size == 0 ? "?" : text.substr(0, size);
    if (shown.size() + character.size() > max) return shown + "...";
    shown += character;
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return shown;
}

/// Returns the excerpt of `text` in double quotes.
inline std::string in_quotes(std::string_view text, std::size_t max = 40) { return '"' + excerpt(text, max) + '"'; }

}  // namespace chainrule::detail
