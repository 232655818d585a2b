#include <chainrule/kernels/all_finite.hpp>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

template <class Scalar>
std::vector<Scalar> all_not_finite() {
  using Limits = std::numeric_limits<Scalar>;
  return {Limits::quiet_NaN(), -Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()};
}

/// The first `size` numbers, as check_finite sees them.
template <class Scalar>
ConstMatrixView<Scalar> column_of(const std::vector<Scalar>& numbers, std::size_t size) {
  return detail::matrix_view(numbers.data(), static_cast<Index>(size), 1);
}

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

/// Claims to be three threads, but runs all items on the calling thread, the last one first.
struct LastFirst final : Team {
  Index threads() const override { return 3; }
  void run(Index items, Work work) override {
    for (Index i = items; i-- > 0;) work(i);
  }
};

}  // namespace

// all_finite checks most of an array in blocks of 64 bytes and the remainder one number at a time; neither part may skip a position.
TEMPLATE_TEST_CASE("all_finite finds a NaN or an infinity at every position of arrays of 1 to 70 numbers", "", float, double, long double) {
  int missed = 0;
  for (std::size_t size = 1; size <= 70; ++size)
    for (std::size_t place = 0; place < size; ++place)
      for (const TestType bad : all_not_finite<TestType>()) {
        std::vector<TestType> numbers(size, TestType{1});
        numbers[place] = bad;
        missed += detail::all_finite(column_of(numbers, size));
      }
  CHECK(missed == 0);
}

TEMPLATE_TEST_CASE("all_finite accepts the largest, the smallest normal and the smallest subnormal numbers", "", float, double,
                   long double) {
  using Limits = std::numeric_limits<TestType>;
  for (const TestType good : {Limits::max(), Limits::lowest(), Limits::min(), -Limits::min(), Limits::denorm_min(), -Limits::denorm_min(),
                              TestType{0}, -TestType{0}}) {
    CAPTURE(good);
    for (const std::size_t size : {1u, 5u, 16u, 39u}) {
      const std::vector<TestType> numbers(size, good);
      CHECK(detail::all_finite(column_of(numbers, size)));
    }
  }
}

TEMPLATE_TEST_CASE("all_finite does not read beyond the end, and an empty array is finite", "", float, double, long double) {
  for (std::size_t size = 0; size <= 40; ++size) {
    std::vector<TestType> numbers(size + 1, TestType{1});
    numbers[size] = std::numeric_limits<TestType>::quiet_NaN();
    CHECK(detail::all_finite(column_of(numbers, size)));
  }
}

TEST_CASE("check_finite names the position and the value of the first number that is not finite") {
  Eigen::MatrixXf m = Eigen::MatrixXf::Zero(3, 4);
  const ConstMatrixView<float> view = detail::matrix_view(static_cast<const float*>(m.data()), 3, 4);
  CHECK_NOTHROW(detail::check_finite("forward", "x", view));
  m(1, 2) = not_a_number;
  m(0, 3) = not_a_number;
  CHECK_THROWS_SAYING(detail::check_finite("forward", "x", view), ValueError, "forward: x(1, 2) is nan", "feature or output 1 of sample 2",
                      "must be finite");
  m(0, 0) = -infinity;
  CHECK_THROWS_SAYING(detail::check_finite("target", "y", view), ValueError, "target: y(0, 0) is -inf");
}

TEST_CASE("check_finite ignores the padding between the columns of a block") {
  const std::vector<float> memory{1, 2, not_a_number, 3, 4, infinity};
  const ConstMatrixView<float> left_of_gaps(memory.data(), 2, 2, Eigen::OuterStride<>(3));
  CHECK_NOTHROW(detail::check_finite("forward", "x", left_of_gaps));
  const ConstMatrixView<float> with_them(memory.data(), 3, 2, Eigen::OuterStride<>(3));
  CHECK_THROWS_SAYING(detail::check_finite("forward", "x", with_them), ValueError, "x(2, 0) is nan");
}

TEST_CASE("check_finite on several threads still reports the first bad number in column order") {
  LastFirst team;
  constexpr Index rows = 150, columns = 203;
  const Matrix<float> good = Matrix<float>::Ones(rows + 1, columns);
  Matrix<float> bad = good;
  const auto check = [&](const Matrix<float>& m) {  // checks the block without the last row
    const ConstMatrixView<float> view(m.data(), rows, columns, Eigen::OuterStride<>(rows + 1));
    REQUIRE(kernels::partition(columns, kernels::sample_granularity, 4.0 * static_cast<double>(view.size()), &team).count() == 3);
    detail::check_finite("forward", "x", view, team);
  };
  bad.row(rows).setConstant(not_a_number);
  CHECK_NOTHROW(check(bad));
  for (Index j = columns - 1; j >= 0; j -= 29) {  // each round adds a bad number in front of the earlier ones
    bad(149, j) = infinity;
    const std::string expected = "forward: x(149, " + std::to_string(j) + ") is inf";
    CHECK_THROWS_SAYING(check(bad), ValueError, expected.c_str());
  }
}
