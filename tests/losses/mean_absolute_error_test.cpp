#include <chainrule/losses/mean_absolute_error.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule_test;
using chainrule::MeanAbsoluteError;

TEMPLATE_TEST_CASE("MeanAbsoluteError satisfies the loss contract", "[loss]", float, double) {
  check_loss<TestType>(MeanAbsoluteError{}, random_matrix<TestType>);
}

// J = 1/(outputs batch) sum |y_hat - y|; the slope of each term is +-1, and 0 where y_hat = y
TEMPLATE_TEST_CASE("MeanAbsoluteError is the mean of |y_hat - y|", "[loss]", float, double, long double) {
  const Matrix<TestType> y_hat = matrix<TestType>({{1, 0}, {2, -3}, {0, 7}, {4, -1}});
  const Matrix<TestType> y = matrix<TestType>({{0, 0}, {0, 1}, {2, 7}, {4.5, 0}});
  CHECK(loss_value(MeanAbsoluteError{}, y_hat, y) == 1.3125);  // (1 + 0 + 2 + 4 + 2 + 0 + 0.5 + 1) / 8
  CHECK(
      equal(loss_gradient(MeanAbsoluteError{}, y_hat, y), matrix<TestType>({{0.125, 0}, {0.125, -0.125}, {-0.125, 0}, {-0.125, -0.125}})));
}

TEST_CASE("MeanAbsoluteError has a Hessian of 0, also where y_hat = y", "[loss]") {
  const Matrix<float> y_hat = matrix<float>({{1, 0}}), y = matrix<float>({{0, 0}});
  CHECK(loss_gradient_jvp(MeanAbsoluteError{}, y_hat, y, matrix<float>({{3, 5}})).isZero(0));
}

TEST_CASE("MeanAbsoluteError has a gradient of NaN for a NaN output", "[loss]") {
  const Matrix<float> dJ =
      loss_gradient(MeanAbsoluteError{}, matrix<float>({{std::numeric_limits<float>::quiet_NaN(), 2}}), matrix<float>({{1, 1}}));
  CHECK((std::isnan(dJ(0, 0)) && dJ(0, 1) == 0.5f));
}

TEST_CASE("MeanAbsoluteError has no link: its prediction is the raw output", "[loss]") {
  const Matrix<float> z = matrix<float>({{-3, 0}, {0.5, 1e4f}});
  CHECK(equal(linked(MeanAbsoluteError{}, z), z));
  CHECK(MeanAbsoluteError::name == "MeanAbsoluteError");
}

TEST_CASE("MeanAbsoluteError rejects targets that are not finite and names the position", "[loss]") {
  const Matrix<double> y_hat = Matrix<double>::Zero(2, 3);
  Matrix<double> y = y_hat;
  y(1, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(check_target(MeanAbsoluteError{}, y_hat, y), chainrule::ValueError, "y(1, 0)", "nan", "output 1 of sample 0");
}
