#include <chainrule/kernels/vector_products.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/padded.hpp"

using namespace chainrule;
using chainrule_test::Padded;
using chainrule_test::size_step;

namespace {

constexpr double untouched = -12345;

/// The kernels of one instruction set, and whether they compute a b + c with a single rounding. AVX2 and AVX-512 always do; the baseline
/// does if the compiler flags allow it.
template <class Scalar>
struct Kernels {
  void (*dot_products)(const Scalar*, Index, const Scalar*, Index, Scalar, Scalar*, Index);
  void (*matrix_times_vector)(const Scalar*, Index, const Scalar*, Index, const Scalar*, Scalar*, Index);
  bool fused = true;
};

/// The kernels that this machine can run, the baseline first.
template <class Scalar>
std::vector<Kernels<Scalar>> runnable() {
  namespace k = kernels;
  std::vector<Kernels<Scalar>> all{{k::baseline::dot_products<Scalar>, k::baseline::matrix_times_vector<Scalar>}};
  const Scalar eps = std::numeric_limits<Scalar>::epsilon(), x = 1 + eps, start = -(1 + 2 * eps);
  Scalar c = 0;  // (1 + eps)^2 + start is eps^2 with a fused multiply-add, 0 if the product is rounded first
  all[0].matrix_times_vector(&x, 1, &x, 1, &start, &c, 1);
  all[0].fused = c != 0;
  if constexpr (k::HasWiderLanes<Scalar>) {
    if (CHAINRULE_DISPATCH >= 2 && k::best_instruction_set() != k::InstructionSet::baseline)
      all.push_back({k::avx2::dot_products<Scalar>, k::avx2::matrix_times_vector<Scalar>});
    if (k::best_instruction_set() == k::InstructionSet::avx512)
      all.push_back({k::avx512::dot_products<Scalar>, k::avx512::matrix_times_vector<Scalar>});
  }
  return all;
}

}  // namespace

TEST_CASE("dot_products is start + A b, row by row") {
  const float a[] = {1, 2, 3, 0, 4, 5, 6, 0};
  const float b[] = {1, 10, 100};
  float c[2];
  kernels::dot_products<float>(a, 4, b, 3, 0.5f, {c, 2});
  CHECK((c[0] == 321.5f && c[1] == 654.5f));
}

// Addition in floating point depends on the order, so equal bits show that all instruction sets use this one.
TEMPLATE_TEST_CASE("dot_products adds in sixteen partial sums and these in pairs, on every instruction set", "", float, double,
                   long double) {
  const TestType nan = std::numeric_limits<TestType>::quiet_NaN();
  Random random{Seed{10}};
  const Index rows = 70;
  int wrong = 0;
  for (Index depth = 1; depth <= 70; depth += size_step) {
    Padded<TestType> a(depth, rows, 1 + depth % 3, 3), b(depth, 1);  // one column of memory is a row of A
    b.memory.resize(static_cast<std::size_t>(depth + 16), nan);
    a.randomize(random);
    b.randomize(random);
    for (const Kernels<TestType>& k : runnable<TestType>()) {
      std::vector<TestType> expected;
      for (Index i = 0; i < rows; ++i) {
        TestType s[16] = {};
        for (Index j = 0; j < depth; ++j)
          s[j % 16] = k.fused ? std::fma(a.view()(j, i), b.view()(j, 0), s[j % 16]) : a.view()(j, i) * b.view()(j, 0) + s[j % 16];
        for (int w = 8; w >= 1; w /= 2)
          for (int i2 = 0; i2 < w; ++i2) s[i2] += s[i2 + w];
        expected.push_back(TestType(0.3) + s[0]);
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

// Contiguous rows of one number take a faster path; either way each result is start + a b.
TEMPLATE_TEST_CASE("dot_products of depth 1 gives the same bits for contiguous and for strided rows", "", float, double, long double) {
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

TEST_CASE("matrix_times_vector is start + A b") {
  const float a[] = {1, 4, 2, 5, 3, 6};  // 1 2 3
  const float b[] = {1, 0, 2};           // 4 5 6
  const float start[] = {10, 20};
  float c[2];
  kernels::matrix_times_vector<float>(a, 2, b, 3, start, {c, 2});
  CHECK(std::vector<float>(c, c + 2) == std::vector<float>{17, 36});
}

TEMPLATE_TEST_CASE("matrix_times_vector adds in four partial sums and these in pairs, on every instruction set", "", float, double,
                   long double) {
  Random random{Seed{12}};
  int wrong = 0;
  for (Index depth = 1; depth <= 70; depth += size_step)
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
          TestType s[4] = {start.view()(i, 0)};
          for (Index j = 0; j < depth; ++j)
            s[j % 4] = k.fused ? std::fma(a.view()(i, j), b.view()(j, 0), s[j % 4]) : a.view()(i, j) * b.view()(j, 0) + s[j % 4];
          wrong += c[static_cast<std::size_t>(i + 1)] != (s[0] + s[1]) + (s[2] + s[3]);
        }
      }
    }
  CHECK(wrong == 0);
}
