#pragma once

#include <string>
#include <string_view>

namespace chainrule::detail {

/// What was found, for an error's text: in quotes, not too long, without what a terminal would act on.
inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string shown = "\"";
  for (const char c : text.substr(0, longest)) shown += static_cast<unsigned char>(c) < ' ' || c == 127 ? '?' : c;
  return shown + (text.size() > longest ? "...\"" : "\"");
}

}  // namespace chainrule::detail
