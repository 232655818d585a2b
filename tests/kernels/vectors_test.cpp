#include <algorithm>
#include <chainrule/kernels/vectors.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

using namespace chainrule;

namespace {

/// The passes of vectors.hpp for one instruction set.
template <class Scalar>
struct Passes {
  const char* name;
  bool fused;  // whether a x + y is rounded once; for the baseline it depends on the program's flags
  bool (*all_finite)(Index, const Scalar*);
  void (*add_multiple)(Index, Scalar, const Scalar*, Scalar*);
  void (*row_sums)(const Scalar*, Index, Index, Index, Scalar*);
};

/// y <- y + a x by the kernel of one instruction set.
template <class Set, class Scalar>
void add_multiple(Index size, Scalar a, const Scalar* x, Scalar* y) {
  map(
      Set{}, size, [a](auto x_i, auto y_i) CHAINRULE_FORMULA { return fma(a, x_i, y_i); }, y, x, static_cast<const Scalar*>(y));
}

/// Whether add_multiple rounds once: (1 + eps)^2 - (1 + 2 eps) is then eps^2, and 0 if the product is rounded first.
template <class Scalar>
bool fuses(void (*add_multiple)(Index, Scalar, const Scalar*, Scalar*)) {
  const Scalar eps = std::numeric_limits<Scalar>::epsilon(), x = 1 + eps;
  Scalar y = -(1 + 2 * eps);
  add_multiple(1, x, &x, &y);
  return y != 0;
}

/// The passes of one instruction set, as plain functions.
template <class Set, class Scalar>
Passes<Scalar> passes_of(const char* name, bool fused) {
  return {name, fused, [](Index size, const Scalar* x) { return all_finite(Set{}, size, x); }, add_multiple<Set, Scalar>,
          [](const Scalar* m, Index step, Index rows, Index columns, Scalar* sums) {
            row_sums_of(
                Set{}, [](auto& sum, const auto& term) CHAINRULE_FORMULA { sum = sum + term; }, std::array{sums}, rows, columns,
                kernels::Columns<const Scalar>{m, step});
          }};
}

/// The passes that this machine can run.
template <class Scalar>
std::vector<Passes<Scalar>> runnable() {
  namespace k = kernels;
  using Baseline = k::baseline::Tag;
  std::vector<Passes<Scalar>> all{passes_of<Baseline, Scalar>("baseline", fuses<Scalar>(add_multiple<Baseline, Scalar>))};
#if CHAINRULE_DISPATCH >= 1
  if constexpr (k::HasWiderLanes<Scalar>) {
    const k::InstructionSet set = k::best_instruction_set();
#if CHAINRULE_DISPATCH >= 2
    if (set != k::InstructionSet::baseline) all.push_back(passes_of<k::avx2::Tag, Scalar>("AVX2", true));
#endif
    if (set == k::InstructionSet::avx512) all.push_back(passes_of<k::avx512::Tag, Scalar>("AVX-512", true));
  }
#endif
  return all;
}

constexpr Index largest = 70;  // more than four registers of 16 floats and a remainder
constexpr int untouched = -12345;

/// An array of `size` numbers at an unaligned address with one guard number before it. Nothing follows it, so AddressSanitizer sees any
/// access beyond the end.
template <class Scalar>
struct Guarded {
  explicit Guarded(Index size, Scalar fill = Scalar{untouched}) : memory(static_cast<std::size_t>(size + 1), fill), guard{fill} {}
  Scalar* data() { return memory.data() + 1; }
  Scalar& operator[](Index i) { return memory[static_cast<std::size_t>(i + 1)]; }
  bool guard_is_untouched() const { return memory[0] == guard; }
  std::vector<Scalar> memory;
  Scalar guard;
};

/// The i-th number of a sequence of both signs, in [-1, 1].
template <class Scalar>
Scalar wave(Index i) {
  return static_cast<Scalar>(std::sin(1.7 * static_cast<double>(i + 1)));
}

template <class Scalar>
bool same_bits(Scalar a, Scalar b) {
  return (a == b && std::signbit(a) == std::signbit(b)) || (a != a && b != b);
}

}  // namespace

TEMPLATE_TEST_CASE("all_finite finds a NaN or an infinity at every position, on each instruction set", "", float, double, long double) {
  using Limits = std::numeric_limits<TestType>;
  for (const auto& k : runnable<TestType>()) {
    int wrong = 0;
    for (Index size = 1; size <= largest; ++size) {
      Guarded<TestType> x(size, Limits::quiet_NaN());  // the NaN before the array must not be read
      for (Index i = 0; i < size; ++i) x[i] = wave<TestType>(i);
      wrong += !k.all_finite(size, x.data());
      for (Index i = 0; i < size; ++i) {
        const TestType before = x[i];
        for (const TestType bad : {Limits::quiet_NaN(), -Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
          x[i] = bad;
          wrong += k.all_finite(size, x.data());
        }
        x[i] = before;
        if (i > 0) {
          wrong += k.all_finite(i, x.data()) != true;
          x[i] = Limits::infinity();
          wrong += !k.all_finite(i, x.data());  // the infinity behind the array must not be read
          x[i] = before;
        }
      }
    }
    CAPTURE(k.name);
    CHECK(wrong == 0);
  }
}

TEMPLATE_TEST_CASE("all_finite finds infinities of both signs together, and the largest numbers are finite", "", float, double,
                   long double) {
  using Limits = std::numeric_limits<TestType>;
  for (const auto& k : runnable<TestType>()) {
    CAPTURE(k.name);
    int wrong = 0;
    for (const TestType x : {Limits::max(), Limits::lowest(), Limits::denorm_min(), -Limits::denorm_min(), Limits::min(), TestType{0}})
      for (const Index size : {1, 2, 15, 64, 70, 100000}) {
        const std::vector<TestType> same(static_cast<std::size_t>(size), x);
        wrong += !k.all_finite(size, same.data());
      }
    CHECK(wrong == 0);
    for (Index i = 1; i < largest; ++i) {
      std::vector<TestType> x(largest, TestType{1});
      x[0] = Limits::infinity();
      x[static_cast<std::size_t>(i)] = -Limits::infinity();
      wrong += k.all_finite(largest, x.data());
    }
    CHECK(wrong == 0);
    CHECK(k.all_finite(0, static_cast<const TestType*>(nullptr)));
  }
}

TEMPLATE_TEST_CASE("add_multiple rounds once with fused multiply-adds, else twice, at any position", "", float, double, long double) {
  const TestType a = TestType(-0.3);
  for (const auto& k : runnable<TestType>()) {
    int wrong = 0;
    for (Index size = 0; size <= largest; ++size) {
      Guarded<TestType> x(size, std::numeric_limits<TestType>::quiet_NaN()), y(size + 1);
      for (Index i = 0; i < size; ++i) {
        x[i] = wave<TestType>(i);
        y[i] = wave<TestType>(3 * i + 1);
      }
      k.add_multiple(size, a, x.data(), y.data());
      for (Index i = 0; i < size; ++i) {
        volatile TestType product = a * x[i];  // volatile, so that the compiler rounds it
        const TestType y_i = wave<TestType>(3 * i + 1);
        wrong += y[i] != (k.fused ? std::fma(a, x[i], y_i) : y_i + product);
      }
      wrong += y[size] != untouched || !y.guard_is_untouched();
    }
    CAPTURE(k.name, k.fused);
    CHECK(wrong == 0);
  }
}

TEMPLATE_TEST_CASE("add_multiple by hand", "", float, double) {
  for (const auto& k : runnable<TestType>()) {
    TestType y[] = {1, 2, 3};
    const TestType x[] = {10, -10, std::numeric_limits<TestType>::infinity()};
    k.add_multiple(3, TestType{0.5}, x, y);
    CAPTURE(k.name);
    CHECK((y[0] == 6 && y[1] == -3 && y[2] == std::numeric_limits<TestType>::infinity()));
  }
}

TEMPLATE_TEST_CASE("add_multiple_of_matrix leaves the gaps between columns untouched", "", float, double, long double) {
  const TestType a = TestType(-0.3);
  for (const Index rows : {1, 17, 40})
    for (const auto& [x_step, y_step] : {std::pair{rows, rows}, {rows, rows + 3}, {rows + 1, rows}, {rows + 2, rows + 5}}) {
      constexpr Index columns = 3;
      std::vector<TestType> x(static_cast<std::size_t>(x_step * columns)), y(static_cast<std::size_t>(y_step * columns));
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = wave<TestType>(static_cast<Index>(i));
      for (std::size_t i = 0; i < y.size(); ++i) y[i] = wave<TestType>(static_cast<Index>(3 * i + 1));
      std::vector<TestType> expected = y;
      for (Index j = 0; j < columns; ++j) kernels::add_multiple(rows, a, x.data() + j * x_step, expected.data() + j * y_step);
      kernels::add_multiple_of_matrix<TestType>(a, {x.data(), rows, columns, Eigen::OuterStride<>(x_step)},
                                                {y.data(), rows, columns, Eigen::OuterStride<>(y_step)});
      CAPTURE(rows, x_step, y_step);
      CHECK(y == expected);
    }
}

TEMPLATE_TEST_CASE("row_sums adds up to 128 columns in their order, and blocks of more in pairs, on each instruction set", "", float,
                   double, long double) {
  for (const auto& k : runnable<TestType>()) {
    int wrong = 0;
    for (Index rows = 1; rows <= largest; ++rows)
      for (const Index columns : {0, 1, 2, 7, 128, 129, 500}) {
        if (columns > 7 && rows % 15 != 3) continue;
        const Index step = rows + rows % 3;  // with and without gaps of NaN between columns
        Guarded<TestType> m(std::max(Index{0}, step * (columns - 1) + rows), std::numeric_limits<TestType>::quiet_NaN()), sums(rows + 1);
        for (Index j = 0; j < columns; ++j)
          for (Index i = 0; i < rows; ++i) m[j * step + i] = wave<TestType>(i + 71 * j);
        k.row_sums(m.data(), step, rows, columns, sums.data());
        for (Index i = 0; i < rows; ++i) {
          detail::PairwiseSum<TestType> sum;
          for (Index j = 0; j < columns; ++j) sum += wave<TestType>(i + 71 * j);
          wrong += sums[i] != sum.total();
        }
        wrong += sums[rows] != untouched || !sums.guard_is_untouched();
      }
    CAPTURE(k.name);
    CHECK(wrong == 0);
  }
}

TEST_CASE("row_sums of a matrix whose columns are one and the same") {
  const std::vector<float> column(200, 0.5f);
  std::vector<float> sums(200, -1);
  kernels::row_sums<float>({column.data(), 200, 3, Eigen::OuterStride<>(0)}, sums.data());
  CHECK(sums == std::vector<float>(200, 1.5f));
}

TEST_CASE("row_sums by hand") {
  const float m[] = {1, 2, 99, 10, 20, 99, 100, 200};
  float sums[2];
  kernels::row_sums<float>({m, 2, 3, Eigen::OuterStride<>(3)}, sums);
  CHECK((sums[0] == 111 && sums[1] == 222));
}

TEST_CASE("add_multiple and all_finite of this machine give the bits of its widest instruction set") {
  const auto k = runnable<float>().back();
  int wrong = 0;
  for (const Index size : {1, 16, 37}) {
    std::vector<float> x, y;
    for (Index i = 0; i < size; ++i) {
      x.push_back(wave<float>(i));
      y.push_back(wave<float>(2 * i));
    }
    std::vector<float> y2 = y;
    k.add_multiple(size, 0.3f, x.data(), y.data());
    kernels::add_multiple(size, 0.3f, x.data(), y2.data());
    wrong += y != y2;
    wrong += y != y2;
    wrong += !kernels::all_finite(size, x.data());
    x.back() = std::numeric_limits<float>::infinity();
    wrong += kernels::all_finite(size, x.data());
  }
  CHECK(wrong == 0);
}

TEST_CASE("add_columns adds in order, from y or from 0, on every instruction set, and touches nothing around y") {
  const auto check = []<class Scalar>(Scalar) {
    chainrule_test::for_each_runnable_set<Scalar>([](auto set) {
      const Matrix<Scalar> m = Matrix<Scalar>::Random(151, 5);
      for (const Index size : {1, 7, 8, 16, 31, 70, 128, 150})
        for (const Index count : {0, 1, 5})
          for (const bool from_y : {true, false}) {
            std::vector<const Scalar*> columns;
            for (Index k = 0; k < count; ++k) columns.push_back(&m(1, (3 * k) % 5));
            Vector<Scalar> y = Vector<Scalar>::LinSpaced(size + 2, -1, 1);
            Vector<Scalar> expected = y;
            for (Index i = 0; i < size; ++i) {
              Scalar sum = from_y ? y[1 + i] : 0;
              for (const Scalar* const column : columns) sum += column[i];
              expected[1 + i] = from_y ? sum : y[1 + i] + sum;
            }
            add_columns(set, size, count, columns.data(), from_y, y.data() + 1);
            CAPTURE(size, count, from_y);
            CHECK(y == expected);
          }
    });
  };
  check(0.0f);
  check(0.0);
  check(0.0L);
}
