#include <chainrule/losses/mean_squared_error.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule_test;
using chainrule::MeanSquaredError;
using chainrule::SquaredError;

TEMPLATE_TEST_CASE("MeanSquaredError satisfies the loss contract", "[loss]", float, double, long double) {
  check_loss<TestType>(MeanSquaredError{}, random_matrix<TestType>);
}

// J = 1/(outputs batch) sum (y_hat - y)^2
TEMPLATE_TEST_CASE("MeanSquaredError is the mean over outputs and samples", "[loss]", float, double, long double) {
  CHECK(loss_value(MeanSquaredError{}, matrix<TestType>({{1}, {2}}), matrix<TestType>({{0}, {0}})) == 2.5);  // (1 + 4) / 2
  const Matrix<TestType> y_hat = matrix<TestType>({{1, 0}, {2, 3}, {0, 0}, {5, -1}});
  const Matrix<TestType> y = matrix<TestType>({{0, 0}, {0, 1}, {0, 2}, {4, 0}});
  CHECK(loss_value(MeanSquaredError{}, y_hat, y) == 1.875);  // (1 + 4 + 0 + 1 + 0 + 4 + 4 + 1) / 8
}

// dJ/dy_hat = 2 (y_hat - y)/(outputs batch)
TEMPLATE_TEST_CASE("MeanSquaredError's gradient is twice the error divided by the number of elements", "[loss]", float, double,
                   long double) {
  const Matrix<TestType> y_hat = matrix<TestType>({{1, 0}, {2, 3}});
  const Matrix<TestType> y = matrix<TestType>({{0, 0}, {0, 4}});
  CHECK(loss_gradient(MeanSquaredError{}, y_hat, y) == matrix<TestType>({{0.5, 0}, {1, -0.5}}));
}

TEST_CASE("MeanSquaredError has a Hessian of 2/(outputs batch) times the unit matrix", "[loss]") {
  const Matrix<double> y = matrix<double>({{1}, {3}, {0}, {1}}), d = matrix<double>({{4}, {-8}, {0}, {1}});
  CHECK(loss_gradient_jvp(MeanSquaredError{}, y, y, d) == d / 2);
}

TEMPLATE_TEST_CASE("MeanSquaredError is SquaredError times 2/outputs", "[loss]", float, double, long double) {
  chainrule::Random random{chainrule::Seed{1}};
  for (const Index outputs : {1, 2, 8}) {  // powers of 2, for which the factor is exact
    const Matrix<TestType> y_hat = random_matrix<TestType>(outputs, 6, random);
    const Matrix<TestType> y = random_matrix<TestType>(outputs, 6, random);
    const TestType factor = TestType{2} / static_cast<TestType>(outputs);
    CHECK(loss_value(MeanSquaredError{}, y_hat, y) == factor * loss_value(SquaredError{}, y_hat, y));
    CHECK(loss_gradient(MeanSquaredError{}, y_hat, y)
              .isApprox(factor * loss_gradient(SquaredError{}, y_hat, y), 4 * std::numeric_limits<TestType>::epsilon()));
  }
}

TEST_CASE("MeanSquaredError has no link: its prediction is the raw output", "[loss]") {
  const Matrix<float> z = matrix<float>({{-3, 0}, {0.5, 1e4f}});
  CHECK(linked(MeanSquaredError{}, z) == z);
  CHECK(MeanSquaredError::name == "MeanSquaredError");
}

TEST_CASE("MeanSquaredError rejects targets that are not finite and names the position", "[loss]") {
  const Matrix<double> y_hat = Matrix<double>::Zero(2, 3);
  Matrix<double> y = y_hat;
  y(1, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(check_target(MeanSquaredError{}, y_hat, y), chainrule::ValueError, "y(1, 0)", "nan", "output 1 of sample 0");
}
