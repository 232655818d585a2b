#include <chainrule/core/detail/overlap.hpp>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using detail::memory_of;

TEST_CASE("overlap finds a common number of two matrices, as a loop over all numbers does") {
  std::vector<float> memory(40);
  struct Shape {
    Index begin, rows, cols, stride;
  };
  std::vector<Shape> shapes;
  for (const Index begin : {0, 3, 7, 8, 20})
    for (const Index rows : {0, 1, 2, 4})
      for (const Index cols : {0, 1, 3})
        for (const Index stride : {0, 2, 4, 5, 8}) shapes.push_back({begin, rows, cols, stride});
  int wrong = 0, overlapping = 0;
  for (const Shape& a : shapes)
    for (const Shape& b : shapes) {
      bool expected = false;
      for (Index i = 0; i < a.cols * a.rows; ++i)
        for (Index k = 0; k < b.cols * b.rows; ++k)
          expected = expected || a.begin + i / a.rows * a.stride + i % a.rows == b.begin + k / b.rows * b.stride + k % b.rows;
      const auto view = [&](const Shape& s) {
        return ConstMatrixView<float>(memory.data() + s.begin, s.rows, s.cols, Eigen::OuterStride<>(s.stride));
      };
      wrong += detail::overlap(memory_of(view(a)), memory_of(view(b))) != expected;
      overlapping += expected;
    }
  CHECK(wrong == 0);
  CHECK(overlapping > 1000);
}

TEST_CASE("memory_of knows vectors, rows of a matrix and labels") {
  Eigen::Matrix3f m;
  CHECK(detail::overlap(memory_of(m), memory_of(m.col(2))));
  CHECK_FALSE(detail::overlap(memory_of(m.row(0)), memory_of(m.row(1))));
  CHECK(detail::overlap(memory_of(m.row(1)), memory_of(m.col(2))));
  const std::vector<int> labels{1, 2, 3};
  CHECK(detail::overlap(memory_of(labels), memory_of(labels.data() + 2, 5)));
  CHECK_FALSE(detail::overlap(memory_of(labels), memory_of(labels.data() + 3, 5)));
}
