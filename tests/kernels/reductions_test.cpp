#include <array>
#include <chainrule/core/random.hpp>
#include <chainrule/kernels/reductions.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("row_sums adds up each row") {
  const Matrix<float> m{{1, 2, 3}, {40, 50, 60}};
  Eigen::Vector2f sums{-1, -1};
  kernels::row_sums<float>(detail::matrix_view(m.data(), 2, 3), sums.data());
  CHECK(sums == Eigen::Vector2f(6, 150));
}

// 1e8 + 1 = 1e8 in float, so 1e8 + 1 - 1e8 + 1 depends on the order of summation.
TEST_CASE("row_sums adds in the order of the columns") {
  for (const Index rows : {1, 16, 21}) {
    CAPTURE(rows);
    const Eigen::MatrixXf m = Eigen::RowVector4f(1e8f, 1, -1e8f, 1).replicate(rows, 1);  // ((1e8 + 1) - 1e8) + 1 = 1 in float
    Eigen::VectorXf sums(rows);
    kernels::row_sums<float>(detail::matrix_view(m.data(), rows, 4), sums.data());
    CHECK(sums == Eigen::VectorXf::Ones(rows));
  }
}

TEMPLATE_TEST_CASE("row_sums is bit-identical to a scalar loop, for any number of rows and with padding between columns", "", float, double,
                   long double) {
  using Scalar = TestType;
  Random random{Seed{1}};
  for (Index rows = 1; rows <= 40; ++rows) {
    const Index cols = 1 + rows % 7;
    // padding between columns holds NaN, which would spoil a sum
    Matrix<Scalar> table = Matrix<Scalar>::Constant(rows + 2, cols, std::numeric_limits<Scalar>::quiet_NaN());
    for (Index j = 0; j < cols; ++j)
      for (Index i = 0; i < rows; ++i) table(i, j) = static_cast<Scalar>(random.uniform());

    Vector<Scalar> expected = Vector<Scalar>::Zero(rows + 1);
    for (Index j = 0; j < cols; ++j)
      for (Index i = 0; i < rows; ++i) expected[i] += table(i, j);
    expected[rows] = -7;  // one number beyond the end, which must stay

    Vector<Scalar> sums = Vector<Scalar>::Constant(rows + 1, -7);
    kernels::row_sums<Scalar>(ConstMatrixView<Scalar>(table.data(), rows, cols, Eigen::OuterStride<>(rows + 2)), sums.data());
    CAPTURE(rows);
    CHECK(sums == expected);
  }
}

TEST_CASE("row_sums_of adds up a function of several matrices, each with its own padding between columns") {
  const Matrix<float> a{{1, 2, 3}, {4, 5, 6}};
  const Matrix<float> b{{10, 20, 30}, {40, 50, 60}, {7, 7, 7}};
  const auto product = [](const Chunk<float>& m, const Chunk<float>& n) -> Chunk<float> { return m * n; };
  Eigen::Vector3f sums{-1, -1, -1};
  kernels::row_sums_of(product, sums.data(), detail::matrix_view(a.data(), 2, 3),
                       ConstMatrixView<float>(b.data(), 2, 3, Eigen::OuterStride<>(3)));
  CHECK(sums == Eigen::Vector3f(10 + 40 + 90, 160 + 250 + 360, -1));
}

// The last chunk is padded; neither its padding (0/0 here) nor memory beyond the end may reach the sum.
TEST_CASE("sum_of adds up a function of several arrays and reads nothing beyond their end") {
  const auto quotient = [](const Chunk<double>& a, const Chunk<double>& b) -> Chunk<double> { return a / b; };
  for (Index size = 0; size <= 40; ++size) {
    std::vector<double> a(static_cast<std::size_t>(size) + 1, std::numeric_limits<double>::quiet_NaN());
    std::vector<double> b(a);
    for (std::size_t i = 0; i + 1 < a.size(); ++i) {
      a[i] = static_cast<double>(2 * i);
      b[i] = 2;
    }
    CAPTURE(size);
    CHECK(kernels::sum_of(size, quotient, static_cast<const double*>(a.data()), static_cast<const double*>(b.data())) ==
          static_cast<double>(size * (size - 1) / 2));
  }
}

TEMPLATE_TEST_CASE("sum_of keeps one partial sum per position in a chunk and adds these in order at the end", "", float, double,
                   long double) {
  using Scalar = TestType;
  const auto same = [](const Chunk<Scalar>& c) -> Chunk<Scalar> { return c; };
  Random random{Seed{1}};
  constexpr std::size_t width = Chunk<Scalar>::SizeAtCompileTime;
  for (std::size_t size = 1; size <= 70; ++size) {
    std::vector<Scalar> numbers(size + 1);  // one more, to start at an unaligned address too
    for (Scalar& number : numbers) number = static_cast<Scalar>(random.uniform());
    for (const std::size_t begin : {0u, 1u}) {
      std::array<Scalar, width> sums{};
      for (std::size_t i = 0; i < size; ++i) sums[i % width] += numbers[begin + i];
      Scalar expected = 0;
      for (const Scalar sum : sums) expected += sum;
      CHECK(kernels::sum_of(static_cast<Index>(size), same, static_cast<const Scalar*>(numbers.data() + begin)) == expected);
    }
  }
}
