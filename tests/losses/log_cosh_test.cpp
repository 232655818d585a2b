#include <chainrule/losses/log_cosh.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule_test;
using chainrule::LogCosh;

namespace {

/// J of one sample with this error.
template <class Scalar>
Scalar J(Scalar error) {
  return loss_value(LogCosh{}, matrix<Scalar>({{error}}), matrix<Scalar>({{0}}));
}

}  // namespace

TEMPLATE_TEST_CASE("LogCosh satisfies the loss contract", "[loss]", float, double) {
  check_loss<TestType>(LogCosh{}, random_matrix<TestType>);
}

// cosh(ln 2) = (2 + 1/2)/2 = 5/4, tanh(ln 2) = 3/5;  ln cosh e ~ e^2/2 near 0 and |e| - ln 2 far from it
TEMPLATE_TEST_CASE("LogCosh has the values of the formula, for tiny and for huge errors", "[loss]", float, double, long double) {
  const long double few_eps = 4 * std::numeric_limits<TestType>::epsilon();
  const auto is = [few_eps](TestType value, long double expected) {
    return std::abs(static_cast<long double>(value) - expected) <= few_eps * std::abs(expected);
  };
  CHECK(is(J(std::log(TestType{2})), 0.22314355131420975576629509030983450337L));
  CHECK(is(J(-std::log(TestType{4})), 0.75377180237638015199783825349859683136L));  // ln 17/8
  CHECK(is(J(TestType(0x1p-20)), 4.5474735088639518723980679566190259427e-13L));
  CHECK(J(TestType{0}) == 0);
  CHECK(is(J(TestType{-30000}), 29999.306852819440054690582767878541823L));

  const Matrix<TestType> dJ = loss_gradient(LogCosh{}, matrix<TestType>({{std::log(TestType{2}), 30000}}), matrix<TestType>({{0, 0}}));
  CHECK(is(dJ(0, 0), 0.3L));
  CHECK(dJ(0, 1) == TestType(0.5));
  // 1/cosh(ln 2)^2 = 16/25, and 4 e^(-2|e|) far from 0, where 1 - tanh(e)^2 would be 0
  const Matrix<TestType> out = loss_gradient_jvp(LogCosh{}, matrix<TestType>({{std::log(TestType{2}), -40}}), matrix<TestType>({{0, 0}}),
                                                 matrix<TestType>({{3, 2}}));
  CHECK(is(out(0, 0), 0.96L));
  CHECK(is(out(0, 1), 7.219405551381660689248513429400109424085e-35L));
}

TEST_CASE("LogCosh has no link: its prediction is the raw output", "[loss]") {
  const Matrix<float> z = matrix<float>({{-3, 0}, {0.5, 1e4f}});
  CHECK(equal(linked(LogCosh{}, z), z));
  CHECK(LogCosh::name == "LogCosh");
}

TEST_CASE("LogCosh rejects targets that are not finite and names the position", "[loss]") {
  const Matrix<double> y_hat = Matrix<double>::Zero(2, 3);
  Matrix<double> y = y_hat;
  y(1, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(check_target(LogCosh{}, y_hat, y), chainrule::ValueError, "y(1, 0)", "nan", "output 1 of sample 0");
}
