#include <chainrule/kernels/vector_products.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"
#include "support/padded.hpp"

using namespace chainrule;
using chainrule_test::Padded;
using chainrule_test::size_step;

namespace {

constexpr double untouched = -12345;

/// The kernels of one instruction set.
template <class Scalar>
struct Kernels {
  void (*dot_products)(const Scalar*, Index, const Scalar*, Index, Scalar, Scalar*, Index);
  void (*matrix_times_vector)(const Scalar*, Index, const Scalar*, Index, const Scalar*, Scalar*, Index);
  bool fused = true;  // whether a b + c is rounded once; for the baseline it depends on the program's flags
};

/// The kernels that this machine can run, the baseline first.
template <class Scalar>
std::vector<Kernels<Scalar>> runnable() {
  std::vector<Kernels<Scalar>> all;
  chainrule_test::for_each_runnable_set<Scalar>([&all](auto set) {
    using Set = decltype(set);
    all.push_back({[](const Scalar* a, Index a_step, const Scalar* b, Index depth, Scalar start, Scalar* c, Index rows) {
                     dot_products(Set{}, a, a_step, b, depth, start, c, rows);
                   },
                   [](const Scalar* a, Index a_step, const Scalar* b, Index depth, const Scalar* start, Scalar* c, Index rows) {
                     matrix_times_vector(Set{}, a, a_step, b, depth, start, c, rows);
                   }});
  });
  const Scalar eps = std::numeric_limits<Scalar>::epsilon(), x = 1 + eps, start = -(1 + 2 * eps);
  Scalar c = 0;  // (1 + eps)^2 + start is eps^2 where the product is not rounded
  all[0].matrix_times_vector(&x, 1, &x, 1, &start, &c, 1);
  all[0].fused = c != 0;
  return all;
}

/// The depths that are tested: all small ones, and one that is summed in two blocks because it is larger than the largest block.
std::vector<Index> depths(Index largest_block) {
  std::vector<Index> all;
  for (Index depth = 1; depth <= 70; depth += size_step) all.push_back(depth);
  all.push_back(largest_block + 1);
  return all;
}

}  // namespace

TEST_CASE("dot_products is start + A b for a row-major A, by hand") {
  const float a[] = {1, 2, 3, 0, 4, 5, 6, 0};
  const float b[] = {1, 10, 100};
  float c[2];
  kernels::dot_products<float>(a, 4, b, 3, 0.5f, {c, 2});
  CHECK((c[0] == 321.5f && c[1] == 654.5f));
}

// Computes each dot product in a scalar loop with the same order of additions and expects the same bits.
TEMPLATE_TEST_CASE("every instruction set adds dot products in sixteen interleaved sums, and these in pairs", "", float, double,
                   long double) {
  const TestType nan = std::numeric_limits<TestType>::quiet_NaN();
  Random random{Seed{10}};
  const Index rows = 70;
  int wrong = 0;
  for (const Index depth : depths(16 * 256)) {
    Padded<TestType> a(depth, rows, 1 + depth % 3, 3), b(depth, 1);  // a column of this memory is a row of A
    b.memory.resize(static_cast<std::size_t>(depth + 16), nan);
    a.randomize(random);
    b.randomize(random);
    for (const Kernels<TestType>& k : runnable<TestType>()) {
      std::vector<TestType> expected;
      for (Index i = 0; i < rows; ++i) {
        TestType total = TestType(0.3);
        const Index half = depth > 70 ? depth / 2 + 1 : depth;  // the first block is the longer one
        for (Index first = 0; first < depth; first = first == 0 ? half : depth) {
          TestType s[16] = {};
          for (Index j = first; j < (first == 0 ? half : depth); ++j) {
            TestType& sum = s[(j - first) % 16];
            sum = k.fused ? std::fma(a.view()(j, i), b.view()(j, 0), sum) : a.view()(j, i) * b.view()(j, 0) + sum;
          }
          for (int w = 8; w >= 1; w /= 2)
            for (int i2 = 0; i2 < w; ++i2) s[i2] += s[i2 + w];
          total += s[0];
        }
        expected.push_back(total);
      }
      for (Index some = 0; some <= rows; some += some < 10 ? 1 : 15) {
        std::vector<TestType> c(static_cast<std::size_t>(some + 17), static_cast<TestType>(untouched));
        k.dot_products(a.view().data(), a.stride, b.memory.data(), depth, TestType(0.3), c.data() + 1, some);
        for (Index i = 0; i < some + 17; ++i)
          wrong += c[static_cast<std::size_t>(i)] != (i >= 1 && i <= some ? expected[static_cast<std::size_t>(i - 1)] : untouched);
      }
    }
  }
  CHECK(wrong == 0);
}

// Contiguous rows of depth 1 take a path of their own, rows with gaps the general one.
TEMPLATE_TEST_CASE("dot products of depth 1 are the same for contiguous rows and rows with gaps", "", float, double, long double) {
  constexpr TestType infinity = std::numeric_limits<TestType>::infinity(), nan = std::numeric_limits<TestType>::quiet_NaN();
  const TestType special[] = {0, -TestType{0}, infinity, -infinity, nan};
  Random random{Seed{11}};
  int wrong = 0;
  for (Index rows = 1; rows <= 70; ++rows) {
    std::vector<TestType> together, apart;
    for (Index i = 0; i < rows; ++i) {
      together.push_back(i % 7 == 3 ? special[i % 5] : static_cast<TestType>(random.uniform() - 0.5));
      apart.insert(apart.end(), {together.back(), nan});
    }
    for (const TestType b : {TestType{3} / 7, -TestType{3} / 7, TestType{0}})
      for (const TestType start : {TestType{0}, -TestType{0}, TestType{1} / 3})
        for (const Kernels<TestType>& kernels : runnable<TestType>()) {
          std::vector<TestType> is(static_cast<std::size_t>(rows) + 1, static_cast<TestType>(untouched)), should_be = is;
          kernels.dot_products(together.data(), 1, &b, 1, start, is.data(), rows);
          kernels.dot_products(apart.data(), 2, &b, 1, start, should_be.data(), rows);
          for (std::size_t i = 0; i < is.size(); ++i) {
            const bool both_nan = std::isnan(is[i]) && std::isnan(should_be[i]);
            wrong += both_nan || (is[i] == should_be[i] && std::signbit(is[i]) == std::signbit(should_be[i])) ? 0 : 1;
          }
        }
  }
  CHECK(wrong == 0);
}

TEST_CASE("matrix_times_vector is start + A b for a column-major A, by hand") {
  const float a[] = {1, 4, 2, 5, 3, 6};  // 1 2 3
  const float b[] = {1, 0, 2};           // 4 5 6
  const float start[] = {10, 20};
  float c[2];
  kernels::matrix_times_vector<float>(a, 2, b, 3, start, {c, 2});
  CHECK(std::vector<float>(c, c + 2) == std::vector<float>{17, 36});
}

TEMPLATE_TEST_CASE("every instruction set adds matrix_times_vector in four interleaved sums, and these in pairs", "", float, double,
                   long double) {
  Random random{Seed{12}};
  int wrong = 0;
  for (const Index depth : depths(4 * 256))
    for (Index rows = 1; rows <= 150; rows += rows < 40 ? 1 : 13) {
      Padded<TestType> a(rows, depth, depth % 3, 3), b(depth, 1), start(rows, 1);
      a.randomize(random);
      b.randomize(random);
      start.randomize(random);
      for (const Kernels<TestType>& k : runnable<TestType>()) {
        std::vector<TestType> c(static_cast<std::size_t>(rows + 2), static_cast<TestType>(untouched));
        k.matrix_times_vector(a.view().data(), a.stride, b.memory.data(), depth, start.memory.data(), c.data() + 1, rows);
        wrong += c.front() != static_cast<TestType>(untouched) || c.back() != static_cast<TestType>(untouched);
        for (Index i = 0; i < rows; ++i) {
          TestType total = 0;
          const Index half = depth > 70 ? depth / 2 + 1 : depth;  // the first block is the longer one
          for (Index first = 0; first < depth; first = first == 0 ? half : depth) {
            TestType s[4] = {first == 0 ? start.view()(i, 0) : 0};
            for (Index j = first; j < (first == 0 ? half : depth); ++j) {
              TestType& sum = s[(j - first) % 4];
              sum = k.fused ? std::fma(a.view()(i, j), b.view()(j, 0), sum) : a.view()(i, j) * b.view()(j, 0) + sum;
            }
            total += (s[0] + s[1]) + (s[2] + s[3]);
          }
          wrong += c[static_cast<std::size_t>(i + 1)] != total;
        }
      }
    }
  CHECK(wrong == 0);
}
