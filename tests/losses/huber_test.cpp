#include <chainrule/losses/huber.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule_test;
using chainrule::Huber;
using chainrule::ValueError;

TEMPLATE_TEST_CASE("Huber satisfies the loss contract", "[loss]", float, double) {
  check_loss<TestType>(Huber{}, random_matrix<TestType>);
  check_loss<TestType>(Huber{.delta = 2.5}, random_matrix<TestType>);
}

// The errors 1/2, -1, 3 and -5 cost 1/8, 1/2, 5/2 and 9/2 with delta = 1, and 1/8, 1/2, 9/2 and 12 with delta = 4.
TEMPLATE_TEST_CASE("Huber is quadratic for errors up to delta and linear beyond", "[loss]", float, double, long double) {
  const Matrix<TestType> y_hat = matrix<TestType>({{1.5, 4}, {0, 0}});
  const Matrix<TestType> y = matrix<TestType>({{1, 1}, {1, 5}});
  CHECK(loss_value(Huber{}, y_hat, y) == 1.90625);
  CHECK(equal(loss_gradient(Huber{}, y_hat, y), matrix<TestType>({{0.125, 0.25}, {-0.25, -0.25}})));
  CHECK(loss_value(Huber{.delta = 4}, y_hat, y) == 4.28125);
  CHECK(equal(loss_gradient(Huber{.delta = 4}, y_hat, y), matrix<TestType>({{0.125, 0.75}, {-0.25, -1}})));
}

// f''(e) = 1 for |e| < delta, else 0: PyTorch's huber_loss_double_backward is grad * (|e| < delta)
TEST_CASE("Huber has a second derivative of 1 for errors below delta, and 0 from delta on", "[loss]") {
  const Matrix<double> y_hat = matrix<double>({{1.5, 4}, {0, 0}}), y = matrix<double>({{1, 1}, {1, 5}});
  const Matrix<double> d = matrix<double>({{8, 4}, {4, 12}});
  CHECK(equal(loss_gradient_jvp(Huber{}, y_hat, y, d), matrix<double>({{2, 0}, {0, 0}})));  // the error of -1 is at the kink
  CHECK(equal(loss_gradient_jvp(Huber{.delta = 4}, y_hat, y, d), matrix<double>({{2, 1}, {1, 0}})));
}

TEST_CASE("Huber rejects a delta that is not above 0 or not finite, and targets that are not finite", "[loss]") {
  const Matrix<double> y_hat = Matrix<double>::Zero(2, 3);
  Matrix<double> y = y_hat;
  CHECK_THROWS_SAYING(check_target(Huber{.delta = 0}, y_hat, y), ValueError, "Huber", "delta", "above 0 and finite", "got 0");
  CHECK_THROWS_SAYING(check_target(Huber{.delta = -1.5}, y_hat, y), ValueError, "got -1.5");
  CHECK_THROWS_SAYING(check_target(Huber{.delta = std::numeric_limits<double>::quiet_NaN()}, y_hat, y), ValueError, "got nan");
  CHECK_THROWS_SAYING(check_target(Huber{.delta = std::numeric_limits<double>::infinity()}, y_hat, y), ValueError, "got inf");
  y(0, 2) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_SAYING(check_target(Huber{}, y_hat, y), ValueError, "y(0, 2)", "inf", "output 0 of sample 2");
}

TEST_CASE("Huber has no link: its prediction is the raw output", "[loss]") {
  const Matrix<float> z = matrix<float>({{-3, 0}, {0.5, 1e4f}});
  CHECK(equal(linked(Huber{}, z), z));
  CHECK(Huber::name == "Huber");
}
