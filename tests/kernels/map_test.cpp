#include <array>
#include <chainrule/core/random.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <cmath>
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

TEMPLATE_TEST_CASE("row_sums has the bits of a scalar loop, for any number of rows and with gaps between columns", "", float, double,
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
    expected[rows] = -7;  // must not be overwritten

    Vector<Scalar> sums = Vector<Scalar>::Constant(rows + 1, -7);
    kernels::row_sums<Scalar>(ConstMatrixView<Scalar>(table.data(), rows, cols, Eigen::OuterStride<>(rows + 2)), sums.data());
    CAPTURE(rows);
    CHECK(sums == expected);
  }
}

TEST_CASE("row_sums_of adds up functions of several matrices, each with its own column stride") {
  const Matrix<float> a{{1, 2, 3}, {4, 5, 6}};
  const Matrix<float> b{{10, 20, 30}, {40, 50, 60}, {7, 7, 7}};
  Eigen::Vector3f products{-1, -1, -1}, sums{-1, -1, -1};
  kernels::row_sums_of(
      [](auto& product, auto& sum, const auto& m, const auto& n) CHAINRULE_FORMULA {
        product = product + m * n;
        sum = sum + m;
      },
      std::array{products.data(), sums.data()}, 2, 3, kernels::Columns<const float>{a.data(), 2},
      kernels::Columns<const float>{b.data(), 3});
  CHECK(products == Eigen::Vector3f(10 + 40 + 90, 160 + 250 + 360, -1));
  CHECK(sums == Eigen::Vector3f(6, 15, -1));
}

// 70 rows are an AVX-512 register for each of 4 and a rest, 40 fewer than 4, 3 fewer than 1. The last number is a block of its own.
TEMPLATE_TEST_CASE("row_sums_of adds 128 columns in order and blocks of them in pairs, for any number of rows", "", float, double,
                   long double) {
  using Scalar = TestType;
  Random random{Seed{1}};
  for (const Index rows : {1, 3, 16, 40, 70})
    for (const Index cols : {1, 128, 129, 5 * 128 + 1}) {
      Matrix<Scalar> m(rows + 1, cols);  // one row more, so that columns are not aligned
      for (Scalar& number : m.reshaped()) number = static_cast<Scalar>(random.uniform());
      Vector<Scalar> sums = Vector<Scalar>::Constant(rows + 1, -7);
      kernels::row_sums_of([](auto& sum, const auto& x) CHAINRULE_FORMULA { sum = sum + x; }, std::array{sums.data()}, rows, cols,
                           kernels::Columns<const Scalar>{m.data(), rows + 1});
      int wrong = sums[rows] != -7;
      for (Index i = 0; i < rows; ++i) {
        detail::PairwiseSum<Scalar> expected;
        for (Index j = 0; j < cols; ++j) expected += m(i, j);
        wrong += sums[i] != expected.total();
      }
      CAPTURE(rows, cols);
      CHECK(wrong == 0);
    }
}

TEST_CASE("map_columns computes several outputs of each number and writes only these") {
  const Eigen::MatrixXf a = Eigen::MatrixXf::Random(21, 3);
  const Eigen::VectorXf b = Eigen::VectorXf::Random(20);
  Eigen::MatrixXf sum = Eigen::MatrixXf::Constant(21, 3, -7), product = sum;
  kernels::map_columns(
      [](auto& s, auto& p, const auto& a_i, const auto& b_i) CHAINRULE_FORMULA {
        s = a_i + b_i;
        p = a_i * b_i;
      },
      std::array{kernels::Columns<float>{sum.data(), 21}, kernels::Columns<float>{product.data(), 21}}, 20, 3,
      kernels::Columns<const float>{a.data(), 21}, kernels::one_column(b.data()));
  CHECK(sum.topRows(20) == a.topRows(20).colwise() + b);
  CHECK(product.topRows(20) == Eigen::MatrixXf(a.topRows(20).array().colwise() * b.array()));
  CHECK((sum.row(20).array() == -7).all());
  CHECK((product.row(20).array() == -7).all());
}

TEST_CASE("sum adds up a function of several arrays and reads nothing beyond their end") {
  const auto quotient = [](auto a, auto b) CHAINRULE_FORMULA { return a / b; };
  for (Index size = 0; size <= 40; ++size) {
    std::vector<double> a(static_cast<std::size_t>(size) + 1, std::numeric_limits<double>::quiet_NaN());
    std::vector<double> b(a);
    for (std::size_t i = 0; i + 1 < a.size(); ++i) {
      a[i] = static_cast<double>(2 * i);
      b[i] = 2;
    }
    CAPTURE(size);
    CHECK(kernels::sum<double>(size, quotient, static_cast<const double*>(a.data()), static_cast<const double*>(b.data())) ==
          static_cast<double>(size * (size - 1) / 2));
  }
}

TEMPLATE_TEST_CASE("sum adds 64 bytes / sizeof(Scalar) interleaved sums in pairs, or one sum for scalars without vectors", "", float,
                   double, long double) {
  using Scalar = TestType;
  const auto same = [](auto c) CHAINRULE_FORMULA { return c; };
  Random random{Seed{1}};
  constexpr std::size_t width = kernels::scalar_only<Scalar> ? 1 : 64 / sizeof(Scalar), block = 128 * width;
  const auto sum_of_block = [](const Scalar* first, std::size_t size) {
    std::array<Scalar, width> sums{};
    for (std::size_t i = 0; i < size; ++i) sums[i % width] += first[i];
    for (std::size_t half = width / 2; half > 0; half /= 2)
      for (std::size_t k = 0; k < half; ++k) sums[k] += sums[k + half];
    return sums[0];
  };
  std::vector<std::size_t> sizes{block - 1, block, block + 1, 5 * block + 3};
  for (std::size_t size = 1; size <= 70; ++size) sizes.push_back(size);
  for (const std::size_t size : sizes) {
    std::vector<Scalar> numbers(size + 1);  // one more, so that the array can begin at an unaligned address too
    for (Scalar& number : numbers) number = static_cast<Scalar>(random.uniform());
    for (const std::size_t begin : {0u, 1u}) {
      detail::PairwiseSum<Scalar> blocks;
      for (std::size_t i = 0; i < size; i += block) blocks.add_block(sum_of_block(&numbers[begin + i], std::min(block, size - i)));
      CHECK(kernels::sum<Scalar>(static_cast<Index>(size), same, static_cast<const Scalar*>(numbers.data() + begin)) == blocks.total());
    }
  }
}

TEST_CASE("sum_matrices gives the same bits for matrices with and without gaps between columns") {
  Random random{Seed{2}};
  for (const Index rows : {1, 2, 3, 17, 70}) {
    const Index cols = 145;  // 70 x 145 floats are five blocks of the sum
    Eigen::MatrixXf apart = Eigen::MatrixXf::Constant(rows + 3, cols, std::numeric_limits<float>::quiet_NaN());
    for (Index j = 0; j < cols; ++j)
      for (Index i = 0; i < rows; ++i) apart(i, j) = static_cast<float>(random.uniform());
    const Eigen::MatrixXf whole = apart.topRows(rows);
    const auto product = [](auto a, auto b) CHAINRULE_FORMULA { return a * b; };
    const ConstMatrixView<float> with_gaps(apart.data(), rows, cols, Eigen::OuterStride<>(rows + 3));
    const ConstMatrixView<float> contiguous(whole.data(), rows, cols, Eigen::OuterStride<>(rows));
    CAPTURE(rows);
    const double expected = kernels::sum_matrices<double>(product, contiguous, contiguous);
    CHECK(kernels::sum_matrices<double>(product, with_gaps, contiguous) == expected);
    CHECK(kernels::sum_matrices<double>(product, with_gaps, with_gaps) == expected);
    CHECK(std::abs(expected - whole.cast<double>().squaredNorm()) < 1e-6 * expected);
  }
}

TEMPLATE_TEST_CASE("map and update give each number the same bits at any position and size, and write only their range", "", float, double,
                   long double) {
  using Scalar = TestType;
  const auto formula = [](auto x, auto y) CHAINRULE_FORMULA { return select(x > y, x * y, exp(x - y)); };
  std::vector<Scalar> x, y;
  for (int i = 0; i < 80; ++i) x.push_back(static_cast<Scalar>(i % 7) / 4), y.push_back(static_cast<Scalar>(i % 5) / 3);
  std::vector<Scalar> expected(x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    kernels::map(1, formula, &expected[i], static_cast<const Scalar*>(&x[i]), static_cast<const Scalar*>(&y[i]));
  for (const std::size_t from : {0u, 1u, 5u})
    for (std::size_t size = 0; size <= 40; ++size) {
      std::vector<Scalar> out(size + 1, -7), moment(size + 1, 2);
      const Scalar* first = x.data() + from;
      kernels::map(static_cast<Index>(size), formula, out.data(), first, static_cast<const Scalar*>(y.data() + from));
      int wrong = out[size] != -7;
      for (std::size_t i = 0; i < size; ++i) wrong += out[i] != expected[from + i];
      kernels::update(
          static_cast<Index>(size),
          [](const auto& dJ, auto& theta, auto& m) CHAINRULE_FORMULA {
            m = m + dJ;
            theta = theta - m;
          },
          first, out.data(), moment.data());
      wrong += out[size] != -7 || moment[size] != 2;
      for (std::size_t i = 0; i < size; ++i) wrong += moment[i] != 2 + first[i] || out[i] != expected[from + i] - moment[i];
      CAPTURE(from, size);
      CHECK(wrong == 0);
    }
}
