#include <chainrule/losses/pinball.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule_test;
using chainrule::Pinball;
using chainrule::ShapeError;
using chainrule::ValueError;

TEMPLATE_TEST_CASE("Pinball satisfies the loss contract", "[loss]", float, double) {
  check_loss<TestType>(Pinball{}, random_matrix<TestType>);
  check_loss<TestType>(Pinball{0.9}, random_matrix<TestType>);
}

// y - y_hat = -3, 1, 0, 2: with tau = 1/4 these cost 9/4, 1/4, 0, 1/2
TEMPLATE_TEST_CASE("Pinball costs tau for an error above the prediction and 1 - tau for one below", "[loss]", float, double, long double) {
  const auto y_hat = matrix<TestType>({{4, 1}, {2, -1}}), y = matrix<TestType>({{1, 2}, {2, 1}});
  CHECK(loss_value(Pinball{0.25}, y_hat, y) == 0.75);
  CHECK(equal(loss_gradient(Pinball{0.25}, y_hat, y), matrix<TestType>({{0.1875, -0.0625}, {0, -0.0625}})));
  CHECK(loss_value(Pinball{}, y_hat, y) == 0.75);  // half of the mean absolute error, 6/4
  CHECK(equal(loss_gradient_jvp(Pinball{0.25}, y_hat, y, y), matrix<TestType>({{0, 0}, {0, 0}})));
}

TEST_CASE("Pinball takes a tau for each output", "[loss]") {
  const auto y_hat = matrix<double>({{4, 1}, {2, -1}}), y = matrix<double>({{1, 2}, {2, 1}});
  const Pinball loss{0.25, 0.75};  // costs 9/4, 1/4 in the first row and 0, 3/2 in the second
  CHECK(loss_value(loss, y_hat, y) == 1);
  CHECK(equal(loss_gradient(loss, y_hat, y), matrix<double>({{0.1875, -0.0625}, {0, -0.1875}})));
  chainrule::Random random{chainrule::Seed{3}};
  const auto many = random_matrix<double>(2, 300, random), targets = random_matrix<double>(2, 300, random);
  check_gradient_of_loss(loss, many, targets);
  check_memory_layout(loss, many, targets);
  // the mean is finite although the sum is above the largest double
  CHECK(loss_value(loss, matrix<double>({{1e308}, {-1e308}}), matrix<double>({{-2e307}, {2e307}})) / 0.9e308 == Approx(1).epsilon(1e-15));
}

TEST_CASE("The constant with the smallest Pinball loss is the quantile of the targets", "[loss]") {
  Matrix<double> y(1, 101);
  for (Index j = 0; j < 101; ++j) y(0, j) = static_cast<double>((37 * j) % 101);  // 0, ..., 100 in another order
  const auto J = [&](double q) { return loss_value(Pinball{0.9}, Matrix<double>(Matrix<double>::Constant(1, 101, q)), y); };
  CHECK(J(90) < J(89.5));
  CHECK(J(90) < J(90.5));
}

TEST_CASE("Pinball stays whole when it is moved from, and is made from its description", "[loss]") {
  Pinball loss{0.1, 0.9};
  const Pinball moved = std::move(loss);
  CHECK(loss.taus().size() == 2);
  const Pinball again = Pinball::from_description(describe(moved));
  CHECK(std::vector<double>(again.taus().begin(), again.taus().end()) == std::vector<double>{0.1, 0.9});
  CHECK_THROWS_SAYING(Pinball::from_description({"Pinball", 0, 0, {{"delta", 0.5}}, {}}), ValueError, "tau", "delta");
  CHECK_THROWS_SAYING(Pinball::from_description({"Pinball", 0, 0, {}, {}}), ValueError, "there is no tau");
}

TEST_CASE("Pinball rejects a tau outside 0 to 1, another number of taus than outputs, and targets that are not finite", "[loss]") {
  CHECK_THROWS_SAYING(Pinball{0.0}, ValueError, "Pinball: tau must be above 0 and below 1, got 0");
  CHECK_THROWS_SAYING((Pinball{0.5, 1.0}), ValueError, "tau must be above 0 and below 1, got 1");
  CHECK_THROWS_SAYING(Pinball{std::numeric_limits<double>::quiet_NaN()}, ValueError, "got nan");
  CHECK_THROWS_SAYING(Pinball{std::vector<double>{}}, ValueError, "there is no tau");
  const Matrix<float> y_hat = Matrix<float>::Zero(3, 2);
  CHECK_THROWS_SAYING(check_target(Pinball{0.25, 0.75}, y_hat, y_hat), ShapeError, "Pinball has 2 taus, but the network has 3 outputs");
  CHECK_THROWS_SAYING(check_target(Pinball{1e-60}, y_hat, y_hat), ValueError, "which as a float is 0");
  Matrix<float> y = y_hat;
  y(1, 0) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_SAYING(check_target(Pinball{}, y_hat, y), ValueError, "y(1, 0)", "nan");
}
