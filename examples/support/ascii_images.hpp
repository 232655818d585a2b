#pragma once
// Prints images of digits as text, with a net's predictions.

#include <algorithm>
#include <chainrule/data/dataset.hpp>
#include <cmath>
#include <cstdio>
#include <span>

namespace examples {

using chainrule::Index;

/// Prints up to four of the images `which` side by side, and below each one its label and the predicted digit with its probability.
/// Pixels are from 0 (paper) to 1 (ink). y_hat: predicted probabilities, digits x samples.
inline void print_images(const chainrule::Dataset<float>& images, Index width, const Eigen::MatrixXf& y_hat, std::span<const Index> which) {
  which = which.first(std::min(which.size(), std::size_t{4}));
  const Index height = images.features.rows() / width;
  // A character is about twice as high as wide, so a pixel of a small image is two characters, and two rows of a large image share a line.
  const bool is_small = width <= 16;
  const Index rows = is_small ? 1 : 2;
  const int characters = is_small ? 2 : 1;
  for (Index row = 0; row + rows <= height; row += rows, std::printf("\n"))
    for (const Index i : which) {
      for (Index column = 0; column < width; ++column) {
        float ink = 0;
        for (Index r = row; r < row + rows; ++r) ink += images.features(r * width + column, i) / static_cast<float>(rows);
        for (int character = 0; character < characters; ++character) std::putchar(" .:-=+*#%@"[std::lround(9 * ink)]);
      }
      std::printf("   ");
    }
  for (const Index i : which) {
    Index predicted = 0;
    const float probability = y_hat.col(i).maxCoeff(&predicted);
    const int written =
        std::printf("%d read as %td, %3.0f%%", images.targets[static_cast<std::size_t>(i)], predicted, 100 * double{probability});
    std::printf("%*s", std::max(static_cast<int>(width) * characters + 3 - written, 1), "");
  }
  std::printf("\n");
}

}  // namespace examples
