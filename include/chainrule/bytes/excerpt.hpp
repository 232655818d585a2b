#pragma once
// Short excerpts of a file's text for error messages: limited in length, and free of control characters that a terminal would act on.

#include <string>
#include <string_view>

namespace chainrule::detail {

/// Returns the first 40 bytes of `text`, cut before a UTF-8 character rather than inside it, with "..." where something was cut off.
/// Control characters become '?'.
inline std::string excerpt(std::string_view text) {
  std::size_t size = 40;
  if (text.size() <= size)
    size = text.size();
  else
    while (size > 36 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  std::string shown;
  for (const char c : text.substr(0, size)) shown += static_cast<unsigned char>(c) < ' ' || c == 127 ? '?' : c;
  return size < text.size() ? shown + "..." : shown;
}

/// Returns the excerpt of `text` in double quotes.
inline std::string in_quotes(std::string_view text) { return '"' + excerpt(text) + '"'; }

}  // namespace chainrule::detail
