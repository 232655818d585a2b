#include <chainrule/losses/hinge.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule_test;
using chainrule::Hinge;
using chainrule::ValueError;

namespace {

template <class Scalar>
Matrix<Scalar> random_signs(Index rows, Index cols, chainrule::Random& random) {
  return random_matrix<Scalar>(rows, cols, random).unaryExpr([](Scalar u) { return u < 0 ? Scalar(-1) : Scalar(1); });
}

}  // namespace

TEMPLATE_TEST_CASE("Hinge satisfies the loss contract", "[loss]", float, double) {
  check_loss<TestType>(Hinge{}, random_signs<TestType>, {.positive = false});  // J is 0, not positive, where all margins exceed 1
}

// J = 1/(outputs batch) sum max(0, 1 - y y_hat)
TEMPLATE_TEST_CASE("Hinge is 0 beyond a margin of 1 and grows linearly below", "[loss]", float, double, long double) {
  const Matrix<TestType> y_hat = matrix<TestType>({{2, 0.5}, {-3, 1}});
  CHECK(loss_value(Hinge{}, y_hat, matrix<TestType>({{1, 1}, {1, 1}})) == 1.125);      // (0 + 0.5 + 4 + 0) / 4
  CHECK(loss_value(Hinge{}, y_hat, matrix<TestType>({{-1, -1}, {-1, -1}})) == 1.625);  // (3 + 1.5 + 0 + 2) / 4
  CHECK(equal(loss_gradient(Hinge{}, y_hat, matrix<TestType>({{1, 1}, {1, 1}})), matrix<TestType>({{0, -0.25}, {-0.25, 0}})));
  CHECK(equal(loss_gradient(Hinge{}, y_hat, matrix<TestType>({{-1, -1}, {-1, -1}})), matrix<TestType>({{0.25, 0.25}, {0, 0.25}})));
}

TEST_CASE("Hinge has a Hessian of 0, also at the margin", "[loss]") {
  const Matrix<float> y_hat = matrix<float>({{0.5, 1, 3}}), y = matrix<float>({{1, 1, -1}});
  CHECK(loss_gradient_jvp(Hinge{}, y_hat, y, matrix<float>({{3, 5, 7}})).isZero(0));
}

TEST_CASE("Hinge and its gradient are NaN for a NaN output", "[loss]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(loss_value(Hinge{}, matrix<float>({{nan, 2}}), matrix<float>({{1, 1}}))));
  const Matrix<float> dJ = loss_gradient(Hinge{}, matrix<float>({{nan, 2}, {0, nan}}), matrix<float>({{1, 1}, {1, -1}}));
  CHECK((std::isnan(dJ(0, 0)) && dJ(0, 1) == 0 && dJ(1, 0) == -0.25f && std::isnan(dJ(1, 1))));
}

TEST_CASE("Hinge has no link: its prediction is the raw output", "[loss]") {
  const Matrix<float> z = matrix<float>({{-3, 0}, {0.5, 1e4f}});
  CHECK(equal(linked(Hinge{}, z), z));
  CHECK(Hinge::name == "Hinge");
}

TEST_CASE("Hinge rejects targets other than -1 and 1 and names the first one", "[loss]") {
  const Matrix<double> z = Matrix<double>::Zero(2, 2);
  const auto with = [](double value) { return matrix<double>({{1, -1}, {value, 1}}); };
  CHECK_NOTHROW(check_target(Hinge{}, z, with(-1)));
  CHECK_THROWS_SAYING(check_target(Hinge{}, z, with(0)), ValueError, "y(1, 0) is 0", "Hinge takes -1 for no and 1 for yes");
  CHECK_THROWS_SAYING(check_target(Hinge{}, z, with(0.5)), ValueError, "y(1, 0) is 0.5");
  CHECK_THROWS_SAYING(check_target(Hinge{}, z, with(std::numeric_limits<double>::quiet_NaN())), ValueError, "nan");
}
