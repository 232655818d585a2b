#pragma once
// What was found in a file, for an error's text: not too long, and without what a terminal would act on.

#include <string>
#include <string_view>

namespace chainrule::detail {

/// The first 40 bytes, not in the middle of a character of UTF-8.
inline std::string clipped(std::string_view text) {
  std::size_t size = 40;
  if (text.size() <= size)
    size = text.size();
  else
    while (size > 36 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  std::string shown;
  for (const char c : text.substr(0, size)) shown += static_cast<unsigned char>(c) < ' ' || c == 127 ? '?' : c;
  return size < text.size() ? shown + "..." : shown;
}

inline std::string in_quotes(std::string_view text) { return '"' + clipped(text) + '"'; }

}  // namespace chainrule::detail
