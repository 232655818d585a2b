#include <chainrule/losses/squared_error.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule_test;
using chainrule::SquaredError;
using chainrule::ValueError;

TEMPLATE_TEST_CASE("SquaredError satisfies the loss contract", "[loss]", float, double, long double) {
  check_loss<TestType>(SquaredError{}, random_matrix<TestType>);
}

// J = 1/2 |y_hat - y|^2 for one sample, and the mean of these for a batch
TEMPLATE_TEST_CASE("SquaredError is half the squared distance", "[loss]", float, double, long double) {
  CHECK(loss_value(SquaredError{}, matrix<TestType>({{1}, {2}}), matrix<TestType>({{0}, {0}})) == 2.5);
  const Matrix<TestType> y_hat = matrix<TestType>({{1, 0, 4}, {2, 3, 4}});
  const Matrix<TestType> y = matrix<TestType>({{0, 0, 4}, {0, 1, 1}});
  CHECK(loss_value(SquaredError{}, y_hat, y) == 3);  // (2.5 + 2 + 4.5) / 3
  CHECK(loss_value(SquaredError{}, y, y) == 0);
}

// dJ/dy_hat = (y_hat - y)/batch, the lecture's factor y_hat - y
TEMPLATE_TEST_CASE("SquaredError's gradient is the error divided by the batch size", "[loss]", float, double, long double) {
  const Matrix<TestType> y_hat = matrix<TestType>({{1, 0}, {2, 3}});
  const Matrix<TestType> y = matrix<TestType>({{0, 0}, {0, 4}});
  CHECK(loss_gradient(SquaredError{}, y_hat, y) == matrix<TestType>({{0.5, 0}, {1, -0.5}}));

  chainrule::Random random{chainrule::Seed{1}};
  check_matching_link(SquaredError{}, random_matrix<TestType>(5, 9, random), random_matrix<TestType>(5, 9, random));
}

TEMPLATE_TEST_CASE("SquaredError's gradient has the same bits for columns one after the other and with gaps", "[loss]", float, double) {
  chainrule::Random random{chainrule::Seed{2}};
  for (const chainrule::Index batch : {1, 2, 3, 4, 5, 8}) {
    const Matrix<TestType> y_hat = random_matrix<TestType>(3, batch, random), y = random_matrix<TestType>(3, batch, random);
    Matrix<TestType> with_gaps(3, batch);
    SquaredError{}.gradient(chainrule::view(y_hat.topRows(1)), chainrule::view(y.topRows(1)),
                            chainrule::mutable_view(with_gaps.topRows(1)));
    CHECK(with_gaps.topRows(1) == loss_gradient(SquaredError{}, Matrix<TestType>(y_hat.topRows(1)), Matrix<TestType>(y.topRows(1))));
    CHECK(with_gaps(0, batch - 1) == (y_hat(0, batch - 1) - y(0, batch - 1)) / static_cast<TestType>(batch));
  }
}

TEST_CASE("SquaredError has a Hessian of 1/batch times the unit matrix", "[loss]") {
  const Matrix<double> y = matrix<double>({{1, 2}, {3, 4}}), d = matrix<double>({{4, -8}, {0, 1}});
  CHECK(loss_gradient_jvp(SquaredError{}, y, y, d) == d / 2);
}

TEMPLATE_TEST_CASE("SquaredError has no link: its prediction is the raw output", "[loss]", float, double, long double) {
  const Matrix<TestType> z = matrix<TestType>({{-3, 0}, {0.5, 1e4f}});
  CHECK(linked(SquaredError{}, z) == z);
}

TEST_CASE("SquaredError rejects targets that are not finite and names the position", "[loss]") {
  const Matrix<double> y_hat = Matrix<double>::Zero(2, 3);
  Matrix<double> y = y_hat;
  CHECK_NOTHROW(check_target(SquaredError{}, y_hat, y));
  y(1, 2) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(check_target(SquaredError{}, y_hat, y), ValueError, "y(1, 2)", "nan", "output 1 of sample 2");
  y(1, 2) = 0;
  y(0, 1) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_SAYING(check_target(SquaredError{}, y_hat, y), ValueError, "y(0, 1)", "inf", "output 0 of sample 1");
  y(0, 1) = -std::numeric_limits<double>::infinity();
  CHECK_THROWS_SAYING(check_target(SquaredError{}, y_hat, y), ValueError, "y(0, 1)", "-inf");
  y(0, 1) = std::numeric_limits<double>::max();  // large but finite, so accepted
  CHECK_NOTHROW(check_target(SquaredError{}, y_hat, y));
}
