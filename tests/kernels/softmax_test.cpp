#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/kernels/softmax.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

/// Random logits z with one NaN of padding behind each column, and storage for p with padding that must not be overwritten.
template <class Scalar>
struct Problem {
  Problem(Index rows_, Index columns_, Scalar size) : rows{rows_}, columns{columns_}, z(rows + 1, columns), p(rows + 2, columns) {
    Random random{Seed{static_cast<std::uint64_t>(100 * rows + columns)}};
    for (Index j = 0; j < columns; ++j)
      for (Index i = 0; i < rows; ++i) z(i, j) = size * static_cast<Scalar>(2 * random.uniform() - 1);
    z.row(rows).setConstant(std::numeric_limits<Scalar>::quiet_NaN());
    p.setConstant(-1);
  }
  ConstMatrixView<Scalar> from() const { return {z.data(), rows, columns, Eigen::OuterStride<>(rows + 1)}; }
  MatrixView<Scalar> to() { return {p.data(), rows, columns, Eigen::OuterStride<>(rows + 2)}; }

  /// Counts entries of p that differ from softmax(z) by more than rounding explains, and padding that was overwritten.
  int wrong() const {
    int count = static_cast<int>((p.bottomRows(2).array() != -1).count());
    for (Index j = 0; j < columns; ++j) {
      const long double largest = z.col(j).head(rows).maxCoeff();
      long double sum = 0;
      for (Index i = 0; i < rows; ++i) sum += std::exp(z(i, j) - largest);
      for (Index i = 0; i < rows; ++i) {
        const long double exact = std::exp(z(i, j) - largest) / sum;
        // rounding of e^x and the quotient (3), of the sum (rows), and of z - max z
        const long double units = 3 + static_cast<long double>(rows) + (largest - z(i, j));
        count += !(std::abs(p(i, j) - exact) <= units * static_cast<long double>(std::numeric_limits<Scalar>::epsilon()) * exact +
                                                    static_cast<long double>(std::numeric_limits<Scalar>::min()));
      }
    }
    return count;
  }

  Index rows, columns;
  Matrix<Scalar> z, p;
};

template <class Scalar>
using Kernel = void (*)(const Scalar*, Index, Index, Index, Scalar*, Index);

/// The softmax kernels that this machine can run, the baseline first.
template <class Scalar>
std::vector<Kernel<Scalar>> runnable() {
  namespace k = kernels;
  std::vector<Kernel<Scalar>> all;
  chainrule_test::for_each_runnable_set<Scalar>([&all](auto set) {
    all.push_back([](const Scalar* z, Index z_step, Index rows, Index columns, Scalar* p, Index p_step) {
      softmax(decltype(set){}, z, z_step, rows, columns, p, p_step);
    });
  });
  return all;
}

constexpr Index numbers_of_rows[] = {1, 2, 3, 10, 16, 17, kernels::max_short_column, kernels::max_short_column + 1, 47, 64, 100};

}  // namespace

TEST_CASE("softmax of the logits ln 1, ln 2, ln 5 is 1/8, 2/8, 5/8") {
  const double z[] = {std::log(1.0), std::log(2.0), std::log(5.0)};
  double p[3];
  kernels::softmax<double>(detail::matrix_view(z, 3, 1), detail::matrix_view(p, 3, 1));
  CHECK(p[0] == Approx(0.125));
  CHECK(p[1] == Approx(0.25));
  CHECK(p[2] == Approx(0.625));
}

TEMPLATE_TEST_CASE("softmax is e^z / sum of e^z for any number of rows and columns, and writes only the result", "", float, double,
                   long double) {
  for (const Index rows : numbers_of_rows)
    for (const Index columns : {1, 2, 7, 8, 16, 17, 33})
      for (const TestType size : {TestType(1), TestType(30), TestType(1e4)}) {
        CAPTURE(rows, columns, size);
        Problem<TestType> problem(rows, columns, size);
        kernels::softmax<TestType>(problem.from(), problem.to());
        CHECK(problem.wrong() == 0);
      }
}

TEMPLATE_TEST_CASE("softmax is e^z / sum of e^z on each instruction set of this machine", "", float, double) {
  for (const Kernel<TestType> softmax : runnable<TestType>())
    for (const Index rows : numbers_of_rows) {
      CAPTURE(rows);
      Problem<TestType> problem(rows, 19, TestType(5));
      softmax(problem.z.data(), rows + 1, rows, 19, problem.p.data(), rows + 2);
      CHECK(problem.wrong() == 0);
    }
}

TEMPLATE_TEST_CASE("softmax of a column gives the same bits alone and in place as within a matrix", "", float, double, long double) {
  for (const Index rows : numbers_of_rows) {
    CAPTURE(rows);
    Problem<TestType> problem(rows, 21, TestType(3));
    kernels::softmax<TestType>(problem.from(), problem.to());
    int different = 0;
    for (Index j = 0; j < 21; ++j) {
      Vector<TestType> column = problem.z.col(j).head(rows);
      const MatrixView<TestType> alone = detail::matrix_view(column.data(), rows, 1);
      kernels::softmax<TestType>(detail::as_const(alone), alone);
      different += column != problem.p.col(j).head(rows);
    }
    CHECK(different == 0);
  }
}

TEMPLATE_TEST_CASE("a NaN among the logits makes its own column NaN and no other", "", float, double) {
  for (const Index rows : {3, 40})
    for (const Index bad : {Index{0}, rows - 1}) {
      CAPTURE(rows, bad);
      Problem<TestType> problem(rows, 5, TestType(1));
      problem.z(bad, 2) = std::numeric_limits<TestType>::quiet_NaN();
      kernels::softmax<TestType>(problem.from(), problem.to());
      for (Index j = 0; j < 5; ++j) CHECK(problem.p.col(j).head(rows).allFinite() == (j != 2));
      CHECK(problem.p.col(2).head(rows).array().isNaN().all());
    }
}

TEST_CASE("softmax of 200,000 equal logits is 1/200,000, to one rounding") {
  const Eigen::MatrixXf z = Eigen::MatrixXf::Constant(200000, 1, 0.3f);
  Eigen::MatrixXf p(200000, 1);
  kernels::softmax<float>(detail::const_view<float>(z), detail::mutable_view<float>(p));
  CHECK((p.array() == 1 / 200000.0f).all());
}

// Every second logit of a column is its largest number; these count 1 each, except one.
TEMPLATE_TEST_CASE("exponential_sums leaves out one of the largest logits of each column, on each instruction set of this machine", "",
                   float, double, long double) {
  using Sum = detail::Accumulator<TestType>;
  chainrule_test::for_each_runnable_set<TestType>([](auto set) {
    for (const Index rows : numbers_of_rows)
      for (const Index columns : {1, 7, 33}) {
        Problem<TestType> problem(rows, columns, TestType(3));
        for (Index i = 0; i < rows; i += 2) problem.z.row(i).setConstant(3);
        std::vector<TestType> largest(static_cast<std::size_t>(columns) + 1, -7);
        std::vector<Sum> others(largest.begin(), largest.end());
        exponential_sums(set, problem.z.data(), rows + 1, rows, columns, largest.data(), others.data());
        int wrong = largest.back() != -7 || others.back() != -7;
        for (Index j = 0; j < columns; ++j) {
          long double exact = -1;
          for (Index i = 0; i < rows; ++i) exact += std::exp(static_cast<long double>(problem.z(i, j)) - 3);
          const long double error = static_cast<long double>(others[static_cast<std::size_t>(j)]) - exact;
          wrong += largest[static_cast<std::size_t>(j)] != 3;
          wrong += !(std::abs(error) <= 40 * static_cast<long double>(std::numeric_limits<TestType>::epsilon()) * exact);
        }
        CAPTURE(rows, columns);
        CHECK(wrong == 0);
      }
  });
}

TEMPLATE_TEST_CASE("a NaN among the logits makes its own exponential sum NaN and no other", "", float, double) {
  for (const Index rows : {3, 40})
    for (const Index bad : {Index{0}, Index{1}, rows - 1}) {
      CAPTURE(rows, bad);
      Problem<TestType> problem(rows, 5, TestType(1));
      problem.z(bad, 2) = std::numeric_limits<TestType>::quiet_NaN();
      TestType largest[5];
      detail::Accumulator<TestType> others[5];
      kernels::exponential_sums<TestType>(problem.from(), largest, others);
      for (int j = 0; j < 5; ++j) CHECK(std::isfinite(others[j]) == (j != 2));
    }
}
