#include <chainrule/core/random.hpp>
#include <chainrule/kernels/matrix_product.hpp>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

// The gaps of the operands hold NaN, so that whoever reads them spoils the result; those of the result hold a number that
// nobody may change.
constexpr double untouched = -12345;

/// A matrix in memory of its own that ends where its last column ends, with `gap` numbers between columns and `start` before.
template <class Scalar>
struct Padded {
  Padded(Index rows_, Index cols_, Index gap = 0, Index start_ = 0, Scalar fill = std::numeric_limits<Scalar>::quiet_NaN())
      : rows{rows_}, cols{cols_}, stride{rows_ + gap}, start{start_}, padding{fill} {
    memory.assign(static_cast<std::size_t>(start + stride * (cols - 1) + rows), fill);
  }

  MatrixView<Scalar> view() { return {memory.data() + start, rows, cols, Eigen::OuterStride<>(stride)}; }
  ConstMatrixView<Scalar> view() const { return {memory.data() + start, rows, cols, Eigen::OuterStride<>(stride)}; }

  Padded& randomize(Random& random) {
    for (Index j = 0; j < cols; ++j)
      for (Index i = 0; i < rows; ++i) view()(i, j) = static_cast<Scalar>(2 * random.uniform() - 1);
    return *this;
  }

  /// Whether everything outside the matrix is still as it was.
  bool padding_is_untouched() const {
    for (Index at = 0; at < static_cast<Index>(memory.size()); ++at) {
      const bool is_padding = at < start || (at - start) % stride >= rows;
      if (is_padding && memory[static_cast<std::size_t>(at)] != padding) return false;
    }
    return true;
  }

  Index rows, cols, stride, start;
  Scalar padding;
  std::vector<Scalar> memory;
};

enum class Product { affine, transposed_times, times_transposed };
constexpr Product all_products[] = {Product::affine, Product::transposed_times, Product::times_transposed};

/// The operands of one of the products for a result of rows x cols, summed over depth:
///     affine            A B + b    A: rows x depth    B: depth x cols
///     transposed_times  A^T B      A: depth x rows    B: depth x cols
///     times_transposed  A B^T      A: rows x depth    B: cols x depth
template <class Scalar>
struct Operands {
  Operands(Product product_, Index rows, Index cols, Index depth_, Random& random, Index gap = 0, Index start = 0)
      : product{product_},
        depth{depth_},
        a{product == Product::transposed_times ? depth : rows, product == Product::transposed_times ? rows : depth, gap, start},
        b{product == Product::times_transposed ? cols : depth, product == Product::times_transposed ? depth : cols, gap, start},
        bias{rows, 1} {
    a.randomize(random);
    b.randomize(random);
    bias.randomize(random);
  }

  /// Where entry (i, k) of the left factor and (k, j) of the right one lie.
  Scalar& left(Index i, Index k) { return product == Product::transposed_times ? a.view()(k, i) : a.view()(i, k); }
  Scalar& right(Index k, Index j) { return product == Product::times_transposed ? b.view()(j, k) : b.view()(k, j); }

  /// The block of the result from (i, j) on, as large as c.
  void multiply(MatrixView<Scalar> c, Index i = 0, Index j = 0) {
    const auto block_of = [](Padded<Scalar>& m, Index row, Index col, Index rows, Index cols) {
      return ConstMatrixView<Scalar>(&m.view()(row, col), rows, cols, Eigen::OuterStride<>(m.stride));
    };
    if (product == Product::affine)
      kernels::affine<Scalar>(block_of(a, i, 0, c.rows(), depth), block_of(b, 0, j, depth, c.cols()), bias.memory.data() + i, c);
    else if (product == Product::transposed_times)
      kernels::transposed_times<Scalar>(block_of(a, 0, i, depth, c.rows()), block_of(b, 0, j, depth, c.cols()), c);
    else
      kernels::times_transposed<Scalar>(block_of(a, i, 0, c.rows(), depth), block_of(b, j, 0, c.cols(), depth), c);
  }

  /// How many entries of c are farther from the plain sum than rounding explains: eps (depth + 1) (|A| |B| + |b|), twice
  /// that because in long double the plain sum has errors too.
  int wrong_entries(const MatrixView<Scalar>& c) {
    int wrong = 0;
    for (Index j = 0; j < c.cols(); ++j)
      for (Index i = 0; i < c.rows(); ++i) {
        long double sum = product == Product::affine ? bias.memory[static_cast<std::size_t>(i)] : Scalar{0};
        long double size = std::abs(sum);
        for (Index k = 0; k < depth; ++k) {
          const long double term = static_cast<long double>(left(i, k)) * right(k, j);
          sum += term;
          size += std::abs(term);
        }
        const long double bound =
            2 * static_cast<long double>(std::numeric_limits<Scalar>::epsilon()) * static_cast<long double>(depth + 1) * size;
        wrong += !(std::abs(c(i, j) - sum) <= bound);
      }
    return wrong;
  }

  Product product;
  Index depth;
  Padded<Scalar> a, b, bias;
};

/// Wrong entries of one product, or a large number if something outside of the result was written.
template <class Scalar>
int errors(Product product, Index rows, Index cols, Index depth, Random& random, Index gap = 0, Index start = 0) {
  Operands<Scalar> operands(product, rows, cols, depth, random, gap, start);
  Padded<Scalar> c(rows, cols, gap, start, static_cast<Scalar>(untouched));
  operands.multiply(c.view());
  return operands.wrong_entries(c.view()) + (c.padding_is_untouched() ? 0 : 1000000);
}

Index up_to(Index largest, Random& random) { return 1 + static_cast<Index>(random.below(static_cast<std::uint64_t>(largest))); }

}  // namespace

TEST_CASE("affine is W a + b, with b added to every column") {
  const Eigen::MatrixXf w = (Eigen::MatrixXf(2, 3) << 1, 2, 3, 4, 5, 6).finished();
  const Eigen::MatrixXf a = (Eigen::MatrixXf(3, 2) << 1, 0, 0, 1, 2, 0).finished();
  const Eigen::Vector2f b{10, 20};
  Eigen::MatrixXf z(2, 2);
  kernels::affine<float>(detail::matrix_view(w.data(), 2, 3), detail::matrix_view(a.data(), 3, 2), b.data(),
                         detail::matrix_view(z.data(), 2, 2));
  CHECK(z == (Eigen::MatrixXf(2, 2) << 17, 12, 36, 25).finished());
}

TEST_CASE("transposed_times is W^T delta") {
  const Eigen::MatrixXf w = (Eigen::MatrixXf(2, 3) << 1, 2, 3, 4, 5, 6).finished();
  const Eigen::MatrixXf delta = (Eigen::MatrixXf(2, 2) << 1, 10, 0, 1).finished();
  Eigen::MatrixXf c(3, 2);
  kernels::transposed_times<float>(detail::matrix_view(w.data(), 2, 3), detail::matrix_view(delta.data(), 2, 2),
                                   detail::matrix_view(c.data(), 3, 2));
  CHECK(c == (Eigen::MatrixXf(3, 2) << 1, 14, 2, 25, 3, 36).finished());
}

TEST_CASE("times_transposed is delta a^T") {
  const Eigen::MatrixXf delta = (Eigen::MatrixXf(2, 2) << 1, 10, 0, 1).finished();
  const Eigen::MatrixXf a = (Eigen::MatrixXf(3, 2) << 1, 4, 2, 5, 3, 6).finished();
  Eigen::MatrixXf c(2, 3);
  kernels::times_transposed<float>(detail::matrix_view(delta.data(), 2, 2), detail::matrix_view(a.data(), 3, 2),
                                   detail::matrix_view(c.data(), 2, 3));
  CHECK(c == (Eigen::MatrixXf(2, 3) << 41, 52, 63, 4, 5, 6).finished());
}

// In any other order the large numbers would meet first or last and swallow another set of ones.
TEST_CASE("every entry is summed in the order k = 0, 1, 2, ...") {
  for (const Index rows : {1, 3, 16, 50}) {
    CAPTURE(rows);
    const Eigen::MatrixXf a = Eigen::RowVector4f(1e8f, 1, -1e8f, 1).replicate(rows, 1);  // ((1e8 + 1) - 1e8) + 1 = 1 in float
    const Eigen::MatrixXf b = Eigen::MatrixXf::Ones(4, 9);
    const Eigen::VectorXf zero = Eigen::VectorXf::Zero(rows);
    Eigen::MatrixXf c(rows, 9);
    kernels::affine<float>(detail::matrix_view(a.data(), rows, 4), detail::matrix_view(b.data(), 4, 9), zero.data(),
                           detail::matrix_view(c.data(), rows, 9));
    CHECK(c == Eigen::MatrixXf::Ones(rows, 9));
  }
}

#if defined(CHAINRULE_SMALL_GRID)  // under sanitizers, which are slow: every third size
constexpr Index size_step = 3;
#else
constexpr Index size_step = 1;
#endif

TEMPLATE_TEST_CASE("products of all small sizes are the plain sums", "", float, double, long double) {
  for (const Product product : all_products) {
    Random random{Seed{1}};
    int wrong = 0;
    for (Index rows = 1; rows <= 20; rows += size_step)
      for (Index cols = 1; cols <= 20; cols += size_step)
        for (Index depth = 1; depth <= 20; depth += size_step) wrong += errors<TestType>(product, rows, cols, depth, random);
    CAPTURE(static_cast<int>(product));
    CHECK(wrong == 0);
  }
}

TEMPLATE_TEST_CASE("products of every number of rows that tiles can leave over are the plain sums", "", float, double) {
  for (const Product product : all_products) {
    Random random{Seed{2}};
    int wrong = 0;
    for (Index rows = 1; rows <= 100; ++rows) wrong += errors<TestType>(product, rows, 9, 17, random, 1, rows % 4);
    CAPTURE(static_cast<int>(product));
    CHECK(wrong == 0);
  }
}

TEMPLATE_TEST_CASE("products of matrices in larger ones, at any address, are the plain sums and write nothing else", "", float, double,
                   long double) {
  for (const Product product : all_products) {
    Random random{Seed{3}};
    int wrong = 0;
    for (int i = 0; i < 50; ++i) {
      const Index rows = up_to(70, random);
      const Index cols = up_to(70, random);
      const Index depth = up_to(70, random);
      const Index gap = up_to(9, random) - 1;
      wrong += errors<TestType>(product, rows, cols, depth, random, gap, up_to(16, random) - 1);
    }
    CAPTURE(static_cast<int>(product));
    CHECK(wrong == 0);
  }
}

TEMPLATE_TEST_CASE("products deeper than a panel are the plain sums", "", float, double, long double) {
  STATIC_REQUIRE(kernels::panel_depth == 384);
  for (const Product product : all_products) {
    Random random{Seed{4}};
    int wrong = 0;
    for (const Index depth : {300, 383, 384, 385, 768, 800})
      for (const Index rows : {3, 50}) wrong += errors<TestType>(product, rows, 7, depth, random, 2, 1);
    CAPTURE(static_cast<int>(product));
    CHECK(wrong == 0);
  }
}

// So a sample's prediction does not depend on the batch that it is in.
TEMPLATE_TEST_CASE("a part of a product is, bit for bit, the product of the parts", "", float, double, long double) {
  for (const Product product : all_products) {
    for (const Index depth : {1, 30, 300}) {
      Random random{Seed{5}};
      const Index rows = 53;
      const Index cols = 23;
      Operands<TestType> operands(product, rows, cols, depth, random, 3, 1);
      Padded<TestType> whole(rows, cols);
      operands.multiply(whole.view());

      int different = 0;
      for (Index j = 0; j < cols; ++j) {  // each column alone
        Padded<TestType> column(rows, 1, 0, j % 3);
        operands.multiply(column.view(), 0, j);
        different += column.view() != whole.view().col(j);
      }
      for (Index size = 1; size <= rows; ++size) {  // every number of rows, from top and bottom
        Padded<TestType> block(size, cols, 1, size % 3);
        operands.multiply(block.view(), 0, 0);
        different += block.view() != whole.view().topRows(size);
        operands.multiply(block.view(), rows - size, 0);
        different += block.view() != whole.view().bottomRows(size);
      }
      CAPTURE(static_cast<int>(product), depth);
      CHECK(different == 0);
    }
  }
}

// Short tiles are filled with zeros, and 0 * NaN = NaN must not leak out of them.
TEMPLATE_TEST_CASE("a NaN spoils the entries that depend on it and no others", "", float, double, long double) {
  const TestType nan = std::numeric_limits<TestType>::quiet_NaN();
  const Index depth = 5;
  for (const Product product : all_products) {
    Random random{Seed{6}};
    int wrong = 0;
    for (const Index rows : {1, 7, 21})
      for (const Index cols : {1, 7}) {
        Operands<TestType> operands(product, rows, cols, depth, random);
        Padded<TestType> c(rows, cols);
        // counts the entries that are NaN and should not be or the other way round
        const auto count_wrong = [&](auto should_be_nan) {
          operands.multiply(c.view());
          for (Index j = 0; j < cols; ++j)
            for (Index i = 0; i < rows; ++i) wrong += std::isnan(c.view()(i, j)) != should_be_nan(i, j);
        };
        for (Index k = 0; k < depth; ++k) {
          for (Index row = 0; row < rows; ++row) {
            const TestType before = std::exchange(operands.left(row, k), nan);
            count_wrong([row](Index i, Index) { return i == row; });
            operands.left(row, k) = before;
          }
          for (Index col = 0; col < cols; ++col) {
            const TestType before = std::exchange(operands.right(k, col), nan);
            count_wrong([col](Index, Index j) { return j == col; });
            operands.right(k, col) = before;
          }
        }
      }
    CAPTURE(static_cast<int>(product));
    CHECK(wrong == 0);
  }
}

TEMPLATE_TEST_CASE("an infinity gives infinities of the right sign, and NaN times 0", "", float, double, long double) {
  const TestType infinity = std::numeric_limits<TestType>::infinity();
  for (const Product product : all_products) {
    Random random{Seed{7}};
    Operands<TestType> operands(product, 19, 3, 4, random);
    Padded<TestType> c(19, 3);
    operands.left(17, 2) = infinity;
    operands.right(2, 0) = 5;
    operands.right(2, 1) = -5;
    operands.right(2, 2) = 0;
    operands.multiply(c.view());
    CAPTURE(static_cast<int>(product));
    CHECK(c.view()(17, 0) == infinity);
    CHECK(c.view()(17, 1) == -infinity);
    CHECK(std::isnan(c.view()(17, 2)));
    c.view().row(17).setZero();
    CHECK(c.view().allFinite());
  }
}

TEST_CASE("what the result held before does not matter") {
  for (const Product product : all_products) {
    Random random{Seed{8}};
    Operands<float> operands(product, 5, 3, 4, random);
    Padded<float> c(5, 3);  // of NaN
    operands.multiply(c.view());
    const Eigen::MatrixXf once = c.view();
    operands.multiply(c.view());
    CAPTURE(static_cast<int>(product));
    CHECK(once.allFinite());
    CHECK(c.view() == once);
  }
}
