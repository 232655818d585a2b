#pragma once
// Images of digits in letters, with what a net says of them.

#include <algorithm>
#include <chainrule/data/dataset.hpp>
#include <cmath>
#include <cstdio>
#include <span>

namespace examples {

using chainrule::Index;

/// Draws up to four images side by side, and under each what it is and what the net says, with the probability that it gives it.
/// A pixel is from 0 (paper) to 1 (ink); y_hat holds the probabilities of the digits, digits x samples.
inline void draw(const chainrule::Dataset<float>& images, Index width, const Eigen::MatrixXf& y_hat, std::span<const Index> which) {
  which = which.first(std::min(which.size(), std::size_t{4}));
  const Index height = images.features.rows() / width;
  // A letter is about twice as high as wide: so a pixel of a small image is two letters, and in a large one two rows share a line.
  const bool is_small = width <= 16;
  const Index rows = is_small ? 1 : 2;
  const int letters = is_small ? 2 : 1;
  for (Index row = 0; row + rows <= height; row += rows, std::printf("\n"))
    for (const Index i : which) {
      for (Index column = 0; column < width; ++column) {
        float ink = 0;
        for (Index r = row; r < row + rows; ++r) ink += images.features(r * width + column, i) / static_cast<float>(rows);
        for (int letter = 0; letter < letters; ++letter) std::putchar(" .:-=+*#%@"[std::lround(9 * ink)]);
      }
      std::printf("   ");
    }
  for (const Index i : which) {
    Index answer = 0;
    const float probability = y_hat.col(i).maxCoeff(&answer);
    const int written =
        std::printf("a %d: says %td, %3.0f%%", images.targets[static_cast<std::size_t>(i)], answer, 100 * double{probability});
    std::printf("%*s", std::max(static_cast<int>(width) * letters + 3 - written, 1), "");
  }
  std::printf("\n");
}

}  // namespace examples
