#pragma once

#include <algorithm>
#include <chainrule/core/detail/compatibility.hpp>
#include <string>
#include <vector>

namespace chainrule::detail {

/// A number as a table of results shows it: four significant digits.
inline std::string in_table(double number) { return printed(number, 4, 'g'); }

/// Text of a table whose columns are as wide as their widest entry. The first `texts` columns hold texts and are aligned to the left, the
/// others numbers, aligned to the right. All rows must have as many entries as the first one.
inline std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t texts) {
  std::vector<std::size_t> width(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = (std::max)(width[c], row[c].size());
  std::string table;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string space(width[c] - row[c].size(), ' ');
      line += (c > 0 ? "  " : "") + (c < texts ? row[c] + space : space + row[c]);
    }
    table += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return table;
}

}  // namespace chainrule::detail
