#include <chainrule/losses/gaussian_nll.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule_test;
using chainrule::GaussianNLL;
using chainrule::ShapeError;
using chainrule::ValueError;

TEMPLATE_TEST_CASE("GaussianNLL satisfies the loss contract", "[loss]", float, double) {
  check_loss<TestType>(GaussianNLL{}, random_matrix<TestType>, {.positive = false, .max_output = 80});  // e^88 is near the largest float
  check_loss<TestType>(GaussianNLL{.minimum_variance = 0.25}, random_matrix<TestType>, {.positive = false, .max_output = 80});
}

// Two targets, so four outputs: means 1 and 5, variances 1 and 4. J is half the mean of (0 + 4/1) and (ln 4 + 4/4).
TEMPLATE_TEST_CASE("GaussianNLL divides the squared error by the predicted variance", "[loss]", float, double, long double) {
  const GaussianNLL loss{.minimum_variance = 0};
  const TestType ln_4 = std::log(TestType{4});
  const Matrix<TestType> z = matrix<TestType>({{1}, {5}, {0}, {ln_4}});
  const Matrix<TestType> y = matrix<TestType>({{3}, {3}});
  const TestType few_eps = 8 * std::numeric_limits<TestType>::epsilon();
  CHECK(std::abs(loss_value(loss, z, y) - (5 + ln_4) / 4) <= few_eps);
  // -(y - m)/v and 1/2 (1 - (y - m)^2/v), each divided by the two targets; the second variance is optimal, so its gradient is 0
  CHECK((loss_gradient(loss, z, y) - matrix<TestType>({{-1}, {0.25}, {-0.75}, {0}})).cwiseAbs().maxCoeff() <= few_eps);
  CHECK((linked(loss, z) - matrix<TestType>({{1}, {5}, {1}, {4}})).cwiseAbs().maxCoeff() <= few_eps);
  CHECK(GaussianNLL::target_rows(4) == 2);
}

TEMPLATE_TEST_CASE("GaussianNLL adds minimum_variance, so the variance never falls below it", "[loss]", float, double) {
  const TestType least = TestType(1e-6);
  const Matrix<TestType> sure = matrix<TestType>({{0}, {-1e4f}});
  const Matrix<TestType> y = matrix<TestType>({{0.5}});
  CHECK(linked(GaussianNLL{}, sure)(1, 0) == least);
  const TestType expected = (std::log(least) + TestType(0.25) / least) / 2;
  CHECK(std::abs(loss_value(GaussianNLL{}, sure, y) - expected) <= 4 * std::numeric_limits<TestType>::epsilon() * expected);
  CHECK(loss_gradient(GaussianNLL{}, sure, y)(1, 0) == 0);
}

TEST_CASE("GaussianNLL stays finite for log variances whose exponential overflows", "[loss]") {
  const Matrix<float> unsure = matrix<float>({{7}, {1e4f}});
  const Matrix<float> y = matrix<float>({{3}});
  CHECK(loss_value(GaussianNLL{}, unsure, y) == 5000);
  CHECK(equal(loss_gradient(GaussianNLL{}, unsure, y), matrix<float>({{0}, {0.5}})));
}

TEST_CASE("GaussianNLL rejects an odd number of outputs, a negative minimum variance, and targets that are not finite", "[loss]") {
  const Matrix<double> z = Matrix<double>::Zero(4, 3);
  Matrix<double> y = Matrix<double>::Zero(2, 3);
  CHECK_NOTHROW(check_target(GaussianNLL{.minimum_variance = 0}, z, y));
  CHECK_THROWS_SAYING(check_target(GaussianNLL{}, Matrix<double>(Matrix<double>::Zero(3, 3)), y), ShapeError, "GaussianNLL",
                      "even number of outputs", "has 3");
  CHECK_THROWS_SAYING(check_target(GaussianNLL{.minimum_variance = -1e-9}, z, y), ValueError, "minimum_variance", "got -1e-09");
  CHECK_THROWS_SAYING(check_target(GaussianNLL{.minimum_variance = std::numeric_limits<double>::quiet_NaN()}, z, y), ValueError, "got nan");
  CHECK_THROWS_SAYING(check_target(GaussianNLL{.minimum_variance = std::numeric_limits<double>::infinity()}, z, y), ValueError, "got inf");
  y(1, 2) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(check_target(GaussianNLL{}, z, y), ValueError, "y(1, 2)", "nan", "output 1 of sample 2");
}
