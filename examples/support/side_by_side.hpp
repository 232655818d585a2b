#pragma once
// Prints matrices side by side.

#include <Eigen/Core>
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace examples {

struct NamedMatrix {
  std::string name;
  Eigen::MatrixXd numbers;
};

/// Prints matrices side by side, each below its name, with the given number of decimals, and then an empty line.
inline void print_side_by_side(const std::vector<NamedMatrix>& matrices, int digits = 3) {
  const int width = digits + 5;  // width of a number: two spaces, sign, one digit, point, decimals
  Eigen::Index rows = 0;
  for (const NamedMatrix& m : matrices) rows = std::max(rows, m.numbers.rows());
  for (Eigen::Index row = -1; row < rows; ++row) {
    std::string line;
    std::size_t begin = 0;  // column where the matrix starts
    for (const NamedMatrix& m : matrices) {
      line.resize(begin, ' ');
      if (row < 0) line += "  " + m.name;
      for (Eigen::Index column = 0; 0 <= row && row < m.numbers.rows() && column < m.numbers.cols(); ++column) {
        char number[64];
        std::snprintf(number, sizeof number, "%*.*f", width, digits, m.numbers(row, column));
        line += number;
      }
      begin += std::max(static_cast<std::size_t>(width * m.numbers.cols()), m.name.size() + 2) + 3;
    }
    std::printf("%s\n", line.c_str());
  }
  std::printf("\n");
}

}  // namespace examples
