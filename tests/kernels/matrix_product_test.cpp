#include <chainrule/core/random.hpp>
#include <chainrule/kernels/matrix_product.hpp>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"
#include "support/padded.hpp"

using namespace chainrule;
using chainrule_test::Padded;
using chainrule_test::size_step;

namespace {

// The gaps of the operands hold NaN, so that whoever reads them spoils the result; those of the result hold a number that
// nobody may change.
constexpr double untouched = -12345;

/// The kernels of one instruction set, and whether they round a b + c once; baseline: where the program's flags allow it.
template <class Scalar>
struct Kernels {
  using Operand = kernels::Operand<Scalar>;
  const char* name;
  void (*product)(Operand, Operand, Index, kernels::Start<Scalar>, Scalar*, Index, Index, Index);
  bool fused = true;
};

/// Kernels for the instruction sets that this machine can run.
template <class Scalar>
std::vector<Kernels<Scalar>> runnable() {
  std::vector<Kernels<Scalar>> all;
  chainrule_test::for_each_runnable_set<Scalar>([&all](auto set) {
    using Set = decltype(set);
    const char* name = std::is_same_v<Set, kernels::baseline::Tag> ? "baseline"
                       : std::is_same_v<Set, kernels::avx2::Tag>   ? "AVX2"
                                                                   : "AVX-512";
    all.push_back({name, [](kernels::Operand<Scalar> a, kernels::Operand<Scalar> b, Index depth, kernels::Start<Scalar> start, Scalar* c,
                            Index c_step, Index rows, Index columns) { product(Set{}, a, b, depth, start, c, c_step, rows, columns); }});
  });
  const Scalar eps = std::numeric_limits<Scalar>::epsilon(), x = 1 + eps;
  Scalar c = -(1 + 2 * eps);  // (1 + eps)^2 + c is eps^2 where the product is not rounded
  all[0].product({&x, 1, 1}, {&x, 1, 1}, 1, {kernels::StartKind::c}, &c, 1, 1, 1);
  all[0].fused = c != 0;
  return all;
}

/// Z = A B + b, with b added to every column.
template <class Scalar>
void affine(ConstMatrixView<Scalar> a, ConstMatrixView<Scalar> b, const Scalar* bias, MatrixView<Scalar> z) {
  kernels::product<Scalar>({{a.data(), 1, a.outerStride()}, {b.data(), 1, b.outerStride()}, a.cols(), {kernels::StartKind::column, bias}},
                           z);
}

/// C = A^T B.
template <class Scalar>
void transposed_times(ConstMatrixView<Scalar> a, ConstMatrixView<Scalar> b, MatrixView<Scalar> c) {
  kernels::product<Scalar>({{a.data(), a.outerStride(), 1}, {b.data(), 1, b.outerStride()}, a.rows(), {}}, c);
}

/// C = A B^T.
template <class Scalar>
void times_transposed(ConstMatrixView<Scalar> a, ConstMatrixView<Scalar> b, MatrixView<Scalar> c) {
  kernels::product<Scalar>({{a.data(), 1, a.outerStride()}, {b.data(), b.outerStride(), 1}, a.cols(), {}}, c);
}

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
      affine<Scalar>(block_of(a, i, 0, c.rows(), depth), block_of(b, 0, j, depth, c.cols()), bias.memory.data() + i, c);
    else if (product == Product::transposed_times)
      transposed_times<Scalar>(block_of(a, 0, i, depth, c.rows()), block_of(b, 0, j, depth, c.cols()), c);
    else
      times_transposed<Scalar>(block_of(a, i, 0, c.rows(), depth), block_of(b, j, 0, c.cols(), depth), c);
  }

  /// All of the result, by the kernel of one instruction set.
  void multiply_by(const Kernels<Scalar>& k, MatrixView<Scalar> c) {
    const auto operand = [](const Padded<Scalar>& m, bool transposed) {
      return kernels::Operand<Scalar>{m.view().data(), transposed ? m.stride : 1, transposed ? 1 : m.stride};
    };
    const kernels::Start<Scalar> start{product == Product::affine ? kernels::StartKind::column : kernels::StartKind::zero,
                                       bias.memory.data()};
    k.product(operand(a, product == Product::transposed_times), operand(b, product == Product::times_transposed), depth, start, c.data(),
              c.outerStride(), c.rows(), c.cols());
  }

  /// How many entries of c are farther from the plain sum than rounding explains: eps (depth + 1) (|A| |B| + |b|), twice
  /// that because in long double the plain sum has errors too.
  int wrong_entries(const MatrixView<Scalar>& c) {
    const Index left_step = product == Product::transposed_times ? 1 : a.stride;
    const Index right_step = product == Product::times_transposed ? b.stride : 1;
    int wrong = 0;
    for (Index j = 0; j < c.cols(); ++j)
      for (Index i = 0; i < c.rows(); ++i) {
        long double sum = product == Product::affine ? bias.memory[static_cast<std::size_t>(i)] : Scalar{0};
        long double size = std::abs(sum);
        const Scalar *of_left = &left(i, 0), *of_right = &right(0, j);
        for (Index k = 0; k < depth; ++k, of_left += left_step, of_right += right_step) {
          const long double term = static_cast<long double>(*of_left) * *of_right;
          sum += term;
          size += term < 0 ? -term : term;
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

/// Wrong entries of one product by every instruction set, or a large number if something outside of the result was written.
template <class Scalar>
int errors(Product product, Index rows, Index cols, Index depth, Random& random, Index gap = 0, Index start = 0) {
  Operands<Scalar> operands(product, rows, cols, depth, random, gap, start);
  int wrong = 0;
  std::vector<Scalar> first;
  for (const Kernels<Scalar>& k : runnable<Scalar>()) {
    Padded<Scalar> c(rows, cols, gap, start, static_cast<Scalar>(untouched));
    operands.multiply_by(k, c.view());
    if (first != c.memory) wrong += operands.wrong_entries(c.view());  // equal numbers need no second check
    wrong += c.padding_is_untouched() ? 0 : 1000000;
    first = c.memory;
  }
  return wrong;
}

Index up_to(Index largest, Random& random) { return 1 + static_cast<Index>(random.below(static_cast<std::uint64_t>(largest))); }

}  // namespace

TEST_CASE("affine is W a + b, with b added to every column") {
  const float w[] = {1, 4, 2, 5, 3, 6};  // 1 2 3
  const float a[] = {1, 0, 2, 0, 1, 0};  // 4 5 6
  const float b[] = {10, 20};
  float z[4];
  affine<float>(detail::matrix_view(w, 2, 3), detail::matrix_view(a, 3, 2), b, detail::matrix_view(z, 2, 2));
  CHECK(std::vector<float>(z, z + 4) == std::vector<float>{17, 36, 12, 25});
}

TEST_CASE("transposed_times is W^T delta") {
  const float w[] = {1, 4, 2, 5, 3, 6};
  const float delta[] = {1, 0, 10, 1};
  float c[6];
  transposed_times<float>(detail::matrix_view(w, 2, 3), detail::matrix_view(delta, 2, 2), detail::matrix_view(c, 3, 2));
  CHECK(std::vector<float>(c, c + 6) == std::vector<float>{1, 2, 3, 14, 25, 36});
}

TEST_CASE("times_transposed is delta a^T") {
  const float delta[] = {1, 0, 10, 1};
  const float a[] = {1, 2, 3, 4, 5, 6};
  float c[6];
  times_transposed<float>(detail::matrix_view(delta, 2, 2), detail::matrix_view(a, 3, 2), detail::matrix_view(c, 2, 3));
  CHECK(std::vector<float>(c, c + 6) == std::vector<float>{41, 4, 52, 5, 63, 6});
}

TEST_CASE("every entry is summed in the order k = 0, 1, 2, ...") {
  for (const Index rows : {1, 3, 16, 50}) {
    CAPTURE(rows);
    std::vector<float> columns;
    for (const float k : {1e8f, 1.0f, -1e8f, 1.0f}) columns.insert(columns.end(), static_cast<std::size_t>(rows), k);
    const std::vector<float> a = columns;  // ((1e8 + 1) - 1e8) + 1 = 1 in float
    const std::vector<float> b(4 * 9, 1), zero(50, 0), ones(static_cast<std::size_t>(9 * rows), 1);
    std::vector<float> c(ones.size());
    affine<float>(detail::matrix_view(a.data(), rows, 4), detail::matrix_view(b.data(), 4, 9), zero.data(),
                  detail::matrix_view(c.data(), rows, 9));
    CHECK(c == ones);
  }
}

TEST_CASE("products of all small sizes are the plain sums, of long double") {
  for (const Product product : all_products) {
    Random random{Seed{1}};
    int wrong = 0;
    for (Index rows = 1; rows <= 16; rows += size_step)
      for (Index cols = 1; cols <= 16; cols += size_step)
        for (Index depth = 1; depth <= 16; depth += size_step) wrong += errors<long double>(product, rows, cols, depth, random);
    CAPTURE(static_cast<int>(product));
    CHECK(wrong == 0);
  }
}

TEMPLATE_TEST_CASE("products of every number of rows that tiles can leave over are the plain sums", "", float, double) {
  for (const Product product : all_products) {
    Random random{Seed{2}};
    int wrong = 0;
    for (Index rows = 1; rows <= 100; rows += size_step) wrong += errors<TestType>(product, rows, 9, 17, random, 1, rows % 4);
    CAPTURE(static_cast<int>(product));
    CHECK(wrong == 0);
  }
}

TEMPLATE_TEST_CASE("products of matrices in larger ones, at any address, are the plain sums and write nothing else", "", float, double,
                   long double) {
  for (const Product product : all_products) {
    Random random{Seed{3}};
    int wrong = 0;
    for (Index i = 0; i < 50; i += size_step) {
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

TEMPLATE_TEST_CASE("products deeper than a block of the sum are the plain sums", "", float, double) {
  for (const Product product : all_products) {
    Random random{Seed{4}};
    int wrong = 0;
    for (const Index depth : {255, 256, 257, 512, 800})
      for (const Index rows : {3, 50}) wrong += errors<TestType>(product, rows, 7, depth, random, 2, 1);
    CAPTURE(static_cast<int>(product));
    CHECK(wrong == 0);
  }
}

TEMPLATE_TEST_CASE("products of matrices too large for the second cache are the plain sums", "", float, double) {
  constexpr Index gap = 1000;
  const auto is_beyond_cache = [](Index rows, Index columns) {
    return (rows + gap) * columns * Index{sizeof(TestType)} >= kernels::PlanSizes(kernels::cache_sizes()).beyond;
  };
  REQUIRE((is_beyond_cache(50, 390) && is_beyond_cache(50, 310) && is_beyond_cache(115, 390) && !is_beyond_cache(115, 21)));
  for (const Product product : all_products) {
    Random random{Seed{5}};
    int wrong = 0;
    for (const Index rows : {50, 115}) {
      wrong += errors<TestType>(product, rows, 21, 390, random, gap, 1);  // A is far, in two panels
      wrong += errors<TestType>(product, rows, 310, 5, random, gap, 1);   // C is far
      wrong += errors<TestType>(product, rows, 310, 390, random, gap);    // both are
    }
    CAPTURE(static_cast<int>(product));
    CHECK(wrong == 0);
  }
}

namespace {

using kernels::StartKind;
constexpr StartKind begins[] = {StartKind::zero, StartKind::column, StartKind::all, StartKind::c};
constexpr StartKind kinds[] = {StartKind::zero, StartKind::column, StartKind::all, StartKind::c, StartKind::step};

/// All sums of products of parts of two square matrices, as the kernels should round them: of an a b + c at once or of a b before.
template <class Scalar>
class Sums {
 public:
  static constexpr Index n = 70, stride = 73, offset = 3;

  explicit Sums(bool fused) : fused_{fused} {
    Random random{Seed{9}};
    for (Padded<Scalar>* m : {&a_, &b_, &c_, &bias_}) m->randomize(random);
    for (Index j = 0; j < n; ++j)
      for (Index i = 0; i < n; ++i) {
        a_transposed_.view()(i, j) = a_.view()(j, i);
        b_transposed_.view()(i, j) = b_.view()(j, i);
      }
    sums_.resize(4 * static_cast<std::size_t>((n + 1) * n * n));
    for (const StartKind kind : begins)
      for (Index depth = 0; depth <= n; ++depth)
        for (Index j = 0; j < n; ++j) {
          Scalar* sum = at(kind, depth, j);
          if (depth == 0) {
            for (Index i = 0; i < n; ++i) sum[i] = first(kind, i, j);
            continue;
          }
          const Scalar *a = &a_.view()(0, depth - 1), *before = at(kind, depth - 1, j), b = b_.view()(depth - 1, j);
          for (Index i = 0; i < n; ++i) sum[i] = fma(fused, a[i], b, before[i]);
        }
  }

  static Scalar fma(bool fused, Scalar a, Scalar b, Scalar c) {
    if (fused) return std::fma(a, b, c);
    const volatile Scalar product = a * b;  // rounded, whatever the compiler makes of it
    return product + c;
  }

  /// Numbers of C that are not as they should be, those around it too.
  int wrong(const Kernels<Scalar>& k, Product layout, StartKind kind, Index rows, Index cols, Index depth, Index gap) {
    const Index step = rows + gap;
    memory_.assign(static_cast<std::size_t>(1 + step * cols + 16), static_cast<Scalar>(untouched));
    Scalar* c = memory_.data() + 1;
    if (kind == StartKind::c || kind == StartKind::step)
      for (Index j = 0; j < cols; ++j)
        for (Index i = 0; i < rows; ++i) c[i + j * step] = c_.view()(i, j);
    const bool a_turned = layout == Product::transposed_times, b_turned = layout == Product::times_transposed;
    k.product({(a_turned ? a_transposed_ : a_).view().data(), a_turned ? stride : 1, a_turned ? 1 : stride},
              {(b_turned ? b_transposed_ : b_).view().data(), b_turned ? stride : 1, b_turned ? 1 : stride}, depth,
              {kind, bias_.view().data()}, c, step, rows, cols);
    int different = memory_[0] != untouched;
    for (Index j = 0; j < cols; ++j) {
      const Scalar *is = c + j * step, *sums = at(kind == StartKind::step ? StartKind::zero : kind, depth, j);
      for (Index i = 0; i < rows; ++i)
        different += is[i] != (kind == StartKind::step ? fma(fused_, bias_.view()(0, 0), sums[i], c_.view()(i, j)) : sums[i]);
      for (Index i = rows; i < step; ++i) different += is[i] != untouched;
    }
    for (Index i = 0; i < 16; ++i) different += c[step * cols + i] != untouched;
    return different;
  }

 private:
  Scalar first(StartKind kind, Index i, Index j) {
    if (kind == StartKind::zero) return 0;
    return kind == StartKind::c ? c_.view()(i, j) : bias_.view()(kind == StartKind::column ? i : 0, 0);
  }
  Scalar* at(StartKind kind, Index depth, Index j) { return sums_.data() + ((static_cast<Index>(kind) * (n + 1) + depth) * n + j) * n; }

  Padded<Scalar> a_{n, n, stride - n, offset}, b_{n, n, stride - n, offset}, a_transposed_ = a_, b_transposed_ = b_, c_{n, n}, bias_{n, 1};
  std::vector<Scalar> sums_, memory_;
  bool fused_;
};

/// Products of parts of these matrices by each instruction set; kinds of start and gaps take turns.
template <class Scalar>
class Grid {
 public:
  Grid() {
    for (const Kernels<Scalar>& k : kernels_)
      if (!sums_[k.fused]) sums_[k.fused].emplace(k.fused);
  }

  /// How many numbers are wrong.
  int wrong(Product layout, Index rows, Index cols, Index depth) {
    const StartKind kind = kinds[products % 5];
    const Index gap = gaps[products / 5 % 3];
    ++products;
    int wrong = 0;
    for (const Kernels<Scalar>& k : kernels_) wrong += sums_[k.fused]->wrong(k, layout, kind, rows, cols, depth, gap);
    return wrong;
  }

  int products = 0;
  int sets() const { return static_cast<int>(kernels_.size()); }

 private:
  static constexpr Index gaps[] = {0, 1, 5};
  std::vector<Kernels<Scalar>> kernels_ = runnable<Scalar>();
  std::optional<Sums<Scalar>> sums_[2];
};

}  // namespace

// AVX2 and AVX-512 therefore give the same bits.
TEMPLATE_TEST_CASE("every instruction set gives the bits of sums in the order of k, for pairs of all extents to 70", "", float, double) {
  constexpr Index thirds[] = {1, 2, 3, 5, 8, 17, 24, 33, 50};
  Grid<TestType> grid;
  int wrong = 0, third = 0;
  const auto next = [&] { return thirds[third++ % 9]; };
  for (Index x = 1; x <= 70; x += size_step)
    for (Index y = 1; y <= 70; y += size_step) {
      const auto layout = [&](Index turn) { return all_products[(x + y / size_step + turn) % 3]; };
      wrong += grid.wrong(layout(0), x, y, next());
      wrong += grid.wrong(layout(1), x, next(), y);
      wrong += grid.wrong(layout(2), next(), x, y);
    }
  CHECK(wrong == 0);
}

namespace {

/// start + a(0) b(0) + a(1) b(1) + ... in ceil(depth / 256) blocks of nearly equal length: the first begins with start, the others with
/// zero.
template <class Scalar>
Scalar sum_in_blocks(bool fused, Scalar start, const std::vector<Scalar>& a, const std::vector<Scalar>& b) {
  const std::size_t depth = a.size(), count = (depth + 255) / 256;
  Scalar total = 0;
  std::size_t k = 0;
  for (std::size_t block = 0; block < count; ++block) {
    Scalar sum = block == 0 ? start : 0;
    for (const std::size_t end = k + depth / count + (block < depth % count ? 1 : 0); k < end; ++k)
      sum = Sums<Scalar>::fma(fused, a[k], b[k], sum);
    total = block == 0 ? sum : total + sum;
  }
  return total;
}

}  // namespace

// One row, one column and tiles; A and B read by columns or by rows, near or a page apart; columns of C in parts.
TEMPLATE_TEST_CASE("every instruction set and plan gives the bits of sums in blocks of at most 256 terms", "", float, double) {
  Random random{Seed{13}};
  int wrong = 0;
  const std::pair<Index, Index> shapes[] = {{1, 1}, {1, 9}, {3, 2}, {17, 1}, {130, 1}, {50, 13}, {330, 14}, {2, 1100}};
  for (const Index depth : {256, 257, 600, 784})
    for (const auto& [rows, cols] : shapes)
      for (const Product layout : all_products) {
        const Index gap = rows == 130 || depth == 784 ? 1024 : 0;
        Operands<TestType> operands(layout, rows, cols, depth, random, gap);
        for (const Kernels<TestType>& k : runnable<TestType>()) {
          Padded<TestType> c(rows, cols);
          operands.multiply_by(k, c.view());
          for (const auto& [i, j] : {std::pair<Index, Index>{0, 0}, {rows - 1, cols - 1}, {rows / 2, cols / 2}}) {
            std::vector<TestType> a, b;
            for (Index term = 0; term < depth; ++term) {
              a.push_back(operands.left(i, term));
              b.push_back(operands.right(term, j));
            }
            const TestType start = layout == Product::affine ? operands.bias.memory[static_cast<std::size_t>(i)] : TestType{0};
            wrong += c.view()(i, j) != sum_in_blocks(k.fused, start, a, b);
          }
        }
      }
  CHECK(wrong == 0);
}

// Plans for small caches read A a few columns at a time, pack B or compute C in parts. 4 GiB are taken for the largest size, 0 for the
// usual one.
TEMPLATE_TEST_CASE("the bits of a product do not depend on the sizes of caches", "", float, double) {
  struct Case {
    Index rows, cols, depth;
  };
  const Index sizes_of_l2[] = {1 << 17, 1 << 18, 1 << 20, 1 << 21, 1 << 22, Index{1} << 32, 0};
  int different = 0, plans = 0;
  for (const auto& [rows, cols, depth] : {Case{600, 8, 500}, Case{140, 150, 300}, Case{64, 700, 270}, Case{800, 33, 60}})
    for (const Product layout : all_products) {
      Random random{Seed{19}};
      Operands<TestType> operands(layout, rows, cols, depth, random);
      const auto operand = [](const Padded<TestType>& m, bool transposed) {
        return kernels::Operand<TestType>{m.view().data(), transposed ? m.stride : 1, transposed ? 1 : m.stride};
      };
      const auto a = operand(operands.a, layout == Product::transposed_times), b = operand(operands.b, layout == Product::times_transposed);
      const TestType bias = static_cast<TestType>(0.5);
      const kernels::Start<TestType> start =
          layout == Product::affine ? kernels::Start<TestType>{StartKind::all, &bias} : kernels::Start<TestType>{};
      chainrule_test::for_each_runnable_set<TestType>([&](auto set) {
        Padded<TestType> expected(rows, cols);
        product(set, a, b, depth, start, expected.view().data(), rows, rows, cols);
        std::set<std::string> texts;
        for (const Index l2 : sizes_of_l2) {
          const kernels::CacheSizes caches{l2};
          Padded<TestType> c(rows, cols, 3, 1, static_cast<TestType>(untouched));
          product(set, a, b, depth, start, c.view().data(), c.stride, rows, cols, caches);
          different += c.view() != expected.view() || !c.padding_is_untouched();
          std::ostringstream text;
          text << plan_of(set, a, b, depth, start, c.stride, rows, cols, caches);
          texts.insert(text.str());
        }
        plans += static_cast<int>(texts.size()) - 1;
      });
    }
  CHECK(different == 0);
  CHECK(plans >= 10);
}

// Far apart, A has bytes beyond the caches and is read a few columns at a time, or its transpose is; B^T is packed.
TEMPLATE_TEST_CASE("the bits of a product do not depend on how far apart columns lie", "", float, double) {
  struct Case {
    Index rows, cols, depth, gap;
  };
  int different = 0;
  for (const auto& [rows, cols, depth, gap] :
       {Case{400, 20, 300, 7000}, Case{1100, 5, 270, 3000}, Case{50, 8, 290, 4096}, Case{70, 75, 300, 2000}})
    for (const Product layout : all_products) {
      Random random{Seed{17}}, again{Seed{17}};
      Operands<TestType> near(layout, rows, cols, depth, random), far(layout, rows, cols, depth, again, gap);
      for (const Kernels<TestType>& k : runnable<TestType>()) {
        Padded<TestType> expected(rows, cols), c(rows, cols, 3, 1, static_cast<TestType>(untouched));
        near.multiply_by(k, expected.view());
        far.multiply_by(k, c.view());
        different += c.view() != expected.view();
        different += !c.padding_is_untouched();
        if (layout != Product::affine) continue;
        for (Index j = 0; j < cols; ++j)  // C itself as the start
          for (Index i = 0; i < rows; ++i) c.view()(i, j) = far.bias.memory[static_cast<std::size_t>(i)];
        k.product({far.a.view().data(), 1, far.a.stride}, {far.b.view().data(), 1, far.b.stride}, depth, {StartKind::c}, c.view().data(),
                  c.stride, rows, cols);
        different += c.view() != expected.view();
      }
    }
  CHECK(different == 0);
}

// chainrule_tests "[.sweep]"
TEMPLATE_TEST_CASE("every instruction set gives the bits of sums in the order of k, for all extents to 70", "[.sweep]", float, double) {
  Grid<TestType> grid;
  int wrong = 0;
  for (const Product layout : all_products)
    for (Index rows = 1; rows <= 70; ++rows)
      for (Index cols = 1; cols <= 70; ++cols)
        for (Index depth = 1; depth <= 70; ++depth) wrong += grid.wrong(layout, rows, cols, depth);
  std::printf("products of all extents to 70: %d by each of %d instruction sets, %d numbers wrong\n", grid.products, grid.sets(), wrong);
  CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("one column and one row of up to 300 numbers are the plain sums, by every instruction set", "", float, double) {
  int wrong = 0;
  Random random{Seed{11}};
  for (const Product product : all_products)
    for (Index size = 1; size <= 300; size += 3 * size_step) {
      wrong += errors<TestType>(product, size, 1, 5, random, size % 2, size % 5);
      wrong += errors<TestType>(product, 1, size, 5, random, size % 2, size % 5);
    }
  CHECK(wrong == 0);
}

// Then the left operand is packed, though its columns lie in one piece; or a few of them are read at a time.
TEMPLATE_TEST_CASE("products of columns that lie a page apart are the plain sums, by every instruction set", "", float, double) {
  int wrong = 0;
  Random random{Seed{12}};
  for (const Product product : all_products)
    for (const Index rows : {1, 3, 4, 16, 31, 48, 49, 97})
      for (const Index cols : {1, 65}) wrong += errors<TestType>(product, rows, cols, 19, random, 1024 - rows, 1);
  CHECK(wrong == 0);
}

// The prediction for a sample must not depend on the batch that it is in.
TEMPLATE_TEST_CASE("a part of a product is, bit for bit, the product of the parts", "", float, double) {
  for (const Product product : all_products) {
    for (const Index depth : {1, 30, 300}) {
      Random random{Seed{5}};
      const Index rows = 53;
      const Index cols = 23;
      Operands<TestType> operands(product, rows, cols, depth, random, 3, 1);
      Padded<TestType> whole(rows, cols);
      operands.multiply(whole.view());

      int different = 0;
      for (Index j = 0; j < cols; j += size_step) {  // each column alone
        Padded<TestType> column(rows, 1, 0, j % 3);
        operands.multiply(column.view(), 0, j);
        different += column.view() != whole.view().col(j);
      }
      for (Index size = 1; size <= rows; size += size_step) {  // every number of rows, from top and bottom
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
TEMPLATE_TEST_CASE("a NaN spoils the entries that depend on it and no others", "", float, long double) {
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

TEMPLATE_TEST_CASE("an infinity gives infinities of the right sign, and NaN times 0", "", float, long double) {
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
    int not_finite = 0;
    for (const TestType number : c.memory) not_finite += !std::isfinite(number);
    CHECK(not_finite == 3);
  }
}

TEST_CASE("what the result held before does not matter") {
  for (const Product product : all_products) {
    Random random{Seed{8}};
    Operands<float> operands(product, 5, 3, 4, random);
    Padded<float> c(5, 3);  // filled with NaN
    operands.multiply(c.view());
    const std::vector<float> once = c.memory;
    operands.multiply(c.view());
    CAPTURE(static_cast<int>(product));
    CHECK(c.memory == once);  // a NaN would make this false
  }
}
