#include <chainrule/losses/poisson_nll.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule_test;
using chainrule::PoissonNLL;
using chainrule::ValueError;

namespace {

template <class Scalar>
Matrix<Scalar> random_counts(Index rows, Index cols, chainrule::Random& random) {
  Matrix<Scalar> y(rows, cols);
  for (Scalar& count : y.reshaped()) count = static_cast<Scalar>(random.below(6));
  return y;
}

}  // namespace

TEMPLATE_TEST_CASE("PoissonNLL satisfies the loss contract", "[loss]", float, double) {
  check_loss<TestType>(PoissonNLL{}, random_counts<TestType>, {.positive = false, .max_output = 80});  // e^88 is near the largest float
}

// With z = ln 4 the expected count is 4: J = 4 - y ln 4, with slope 4 - y, which is 0 at y = 4.
TEMPLATE_TEST_CASE("PoissonNLL is e^z - y z", "[loss]", float, double, long double) {
  const TestType ln_4 = std::log(TestType{4});
  const Matrix<TestType> z = matrix<TestType>({{ln_4, ln_4}, {0, 0}});
  const Matrix<TestType> y = matrix<TestType>({{4, 0}, {3, 0.5}});
  const TestType few_eps = 8 * std::numeric_limits<TestType>::epsilon();
  CHECK(std::abs(loss_value(PoissonNLL{}, z, y) - (10 - 4 * ln_4) / 4) <= few_eps);
  const Matrix<TestType> expected = matrix<TestType>({{0, 1}, {-0.5, 0.125}});
  CHECK((loss_gradient(PoissonNLL{}, z, y) - expected).cwiseAbs().maxCoeff() <= few_eps);
  const Matrix<TestType> rates = matrix<TestType>({{4, 4}, {1, 1}});
  CHECK((linked(PoissonNLL{}, z) - rates).cwiseAbs().maxCoeff() <= few_eps);
  // e^z d/4 and, for two tangents side by side, e^z t
  const Matrix<TestType> d = matrix<TestType>({{2, -1}, {4, 8}});
  CHECK((loss_gradient_jvp(PoissonNLL{}, z, y, d) - matrix<TestType>({{2, -1}, {1, 2}})).cwiseAbs().maxCoeff() <= few_eps);
  CHECK(equal(linked_tangent(PoissonNLL{}, rates, matrix<TestType>({{1, 2, 3, 4}, {5, 6, 7, 8}})),
              matrix<TestType>({{4, 8, 12, 16}, {5, 6, 7, 8}})));
}

TEMPLATE_TEST_CASE("PoissonNLL stays finite for outputs of any size", "[loss]", float, double) {
  const TestType largest = std::numeric_limits<TestType>::max();
  for (const TestType z : {TestType(710), TestType(1e20f), largest}) {
    const Matrix<TestType> outputs = matrix<TestType>({{z, z, z}}), counts = matrix<TestType>({{3, 0, 1}});
    CHECK(loss_value(PoissonNLL{}, outputs, counts) >= largest / 2);
    CHECK(std::isfinite(loss_value(PoissonNLL{}, outputs, counts)));
    CHECK(equal(loss_gradient(PoissonNLL{}, outputs, counts), matrix<TestType>({{largest / 3, largest / 3, largest / 3}})));
    CHECK(equal(linked(PoissonNLL{}, outputs), matrix<TestType>({{largest, largest, largest}})));
    CHECK(equal(loss_gradient_jvp(PoissonNLL{}, outputs, counts, matrix<TestType>({{3, -2, 0}})),
                matrix<TestType>({{largest / 3, -largest / 3, 0}})));
    CHECK(linked_tangent(PoissonNLL{}, linked(PoissonNLL{}, outputs), counts).allFinite());
  }
  CHECK(loss_value(PoissonNLL{}, matrix<TestType>({{-1e4f}}), matrix<TestType>({{3}})) == 30000);
  CHECK(std::isfinite(loss_value(PoissonNLL{}, matrix<TestType>({{-largest}}), matrix<TestType>({{3}}))));
  const TestType nan = std::numeric_limits<TestType>::quiet_NaN();
  CHECK(std::isnan(loss_value(PoissonNLL{}, matrix<TestType>({{nan}}), matrix<TestType>({{3}}))));
  CHECK(std::isnan(linked(PoissonNLL{}, matrix<TestType>({{nan}}))(0, 0)));
}

TEST_CASE("PoissonNLL predicts counts below the smallest normal number", "[loss]") {
  CHECK(linked(PoissonNLL{}, matrix<float>({{-100}}))(0, 0) == 3.78350585e-44f);  // 27 times the smallest float
  CHECK(std::abs(linked(PoissonNLL{}, matrix<double>({{-740}}))(0, 0) - 4.2e-322) < 5e-324);
}

TEST_CASE("PoissonNLL rejects counts that are negative or not finite and names the first one", "[loss]") {
  const Matrix<double> z = Matrix<double>::Zero(2, 2);
  const auto with = [](double value) { return matrix<double>({{1, 0}, {value, 7}}); };
  CHECK_NOTHROW(check_target(PoissonNLL{}, z, with(0)));
  CHECK_THROWS_SAYING(check_target(PoissonNLL{}, z, with(-1)), ValueError, "y(1, 0) is -1", "PoissonNLL takes counts", "at least 0");
  CHECK_THROWS_SAYING(check_target(PoissonNLL{}, z, with(std::numeric_limits<double>::infinity())), ValueError, "y(1, 0) is inf");
  CHECK_THROWS_SAYING(check_target(PoissonNLL{}, z, with(std::numeric_limits<double>::quiet_NaN())), ValueError, "nan");
}
