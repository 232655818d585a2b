#include <chainrule/losses/mean_over_elements.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("mean_over_elements and slopes_over_elements ignore the padding between columns", "[loss]") {
  Matrix<float> y_hat(3, 3), dJ(3, 3);
  y_hat << 1, 2, 99, 3, 4, 99, 99, 99, 99;
  dJ.setConstant(99);
  const Eigen::OuterStride<> stride(3);
  const Matrix<float> y = Matrix<float>::Constant(2, 2, 0.5f);
  const ConstMatrixView<float> view(y_hat.data(), 2, 2, stride);
  const ConstMatrixView<float> targets = detail::matrix_view(y.data(), 2, 2);
  const auto product = [](float a, float b) { return a * b; };
  CHECK(mean_over_elements(view, targets, product) == 1.25f);  // (1 + 3 + 2 + 4) / 8
  slopes_over_elements(view, targets, MatrixView<float>(dJ.data(), 2, 2, stride), product);
  Matrix<float> expected(3, 3);
  expected << 0.125f, 0.25f, 99, 0.375f, 0.5f, 99, 99, 99, 99;
  CHECK((dJ == expected));
}

TEST_CASE("mean_over_elements keeps full accuracy over two million floats", "[loss]") {
  const Matrix<float> y = Matrix<float>::Constant(2, 1 << 20, 0.1f);
  const auto view = detail::matrix_view(y.data(), y.rows(), y.cols());
  CHECK(mean_over_elements(view, view, [](float a, float) { return a; }) == 0.1f);
}
