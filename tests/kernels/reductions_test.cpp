#include <chainrule/core/random.hpp>
#include <chainrule/kernels/reductions.hpp>
#include <limits>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("row_sums adds up each row") {
  const Eigen::MatrixXf m = (Eigen::MatrixXf(2, 3) << 1, 2, 3, 40, 50, 60).finished();
  Eigen::Vector2f sums{-1, -1};
  kernels::row_sums<float>(detail::matrix_view(m.data(), 2, 3), sums.data());
  CHECK(sums == Eigen::Vector2f(6, 150));
}

// In any other order the large numbers would meet first or last and swallow another set of ones.
TEST_CASE("row_sums adds in the order of the columns") {
  for (const Index rows : {1, 16, 21}) {
    CAPTURE(rows);
    const Eigen::MatrixXf m = Eigen::RowVector4f(1e8f, 1, -1e8f, 1).replicate(rows, 1);  // ((1e8 + 1) - 1e8) + 1 = 1 in float
    Eigen::VectorXf sums(rows);
    kernels::row_sums<float>(detail::matrix_view(m.data(), rows, 4), sums.data());
    CHECK(sums == Eigen::VectorXf::Ones(rows));
  }
}

TEMPLATE_TEST_CASE("row_sums is the scalar loop bit for bit, for any number of rows and with columns apart", "", float, double,
                   long double) {
  using Scalar = TestType;
  Random random{Seed{1}};
  for (Index rows = 1; rows <= 40; ++rows) {
    const Index cols = 1 + rows % 7;
    // the gaps between columns hold NaN, which would spoil a sum
    Matrix<Scalar> table = Matrix<Scalar>::Constant(rows + 2, cols, std::numeric_limits<Scalar>::quiet_NaN());
    for (Index j = 0; j < cols; ++j)
      for (Index i = 0; i < rows; ++i) table(i, j) = static_cast<Scalar>(random.uniform());

    Vector<Scalar> expected = Vector<Scalar>::Zero(rows + 1);
    for (Index j = 0; j < cols; ++j)
      for (Index i = 0; i < rows; ++i) expected[i] += table(i, j);
    expected[rows] = -7;  // beyond the end

    Vector<Scalar> sums = Vector<Scalar>::Constant(rows + 1, -7);
    kernels::row_sums<Scalar>(ConstMatrixView<Scalar>(table.data(), rows, cols, Eigen::OuterStride<>(rows + 2)), sums.data());
    CAPTURE(rows);
    CHECK(sums == expected);
  }
}
