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

// H_mm = 1/v, H_ms = r (y - m)/v, H_ss = r/2 (c + (y - m)^2/v (r - c)) with r = e^s/v and c = minimum_variance/v
TEST_CASE("GaussianNLL has the Hessian of the formula", "[loss]") {
  const Matrix<double> z = matrix<double>({{1}, {5}, {0}, {std::log(4.0)}}), y = matrix<double>({{3}, {3}});
  // r = 1, c = 0: (1, 2, 2) for the first target and (1/4, -1/2, 1/2) for the second, divided by two targets
  CHECK(loss_gradient_jvp(GaussianNLL{.minimum_variance = 0}, z, y, matrix<double>({{1}, {4}, {1}, {1}}))
            .isApprox(matrix<double>({{1.5}, {0.25}, {2}, {-0.75}}), 1e-15));
  // v = 2, r = c = 1/2: (1/2, 1/2, 1/8)
  const GaussianNLL loss{.minimum_variance = 1};
  const Matrix<double> one = matrix<double>({{1}, {0}}), d = matrix<double>({{1}, {2}});
  CHECK(loss_gradient_jvp(loss, one, matrix<double>({{3}}), d).isApprox(matrix<double>({{1.5}, {0.75}}), 1e-15));
  CHECK(equal(linked_tangent(loss, linked(loss, one), matrix<double>({{3, 5}, {2, 7}})), matrix<double>({{3, 5}, {2, 7}})));  // e^s = 1
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

// For s = -200 and minimum_variance = 0, 1/v = e^200 is infinite in float: J = (s + (y - m)^2 e^200)/2, dJ/dm = -(y - m) e^200 and
// dJ/ds = (1 - (y - m)^2 e^200)/2, with (1e-43)^2 e^200 = 0.00722597... for 1e-43 rounded to a float.
TEST_CASE("GaussianNLL is right where 1/v overflows or underflows", "[loss]") {
  const auto J = [](double least, float m, float s, float y) {
    return loss_value(GaussianNLL{.minimum_variance = least}, matrix<float>({{m}, {s}}), matrix<float>({{y}}));
  };
  CHECK(J(0, 3, -200, 3) == -100);
  CHECK(equal(loss_gradient(GaussianNLL{.minimum_variance = 0}, matrix<float>({{3}, {-200}}), matrix<float>({{3}})),
              matrix<float>({{0}, {0.5}})));
  for (const float error : {1e-30f, -1e-25f, 1e-43f}) {
    const long double square = static_cast<long double>(error) * static_cast<long double>(error) * std::exp(200.0L);
    CHECK(std::abs(J(0, 0, -200, error) / ((square - 200) / 2) - 1) < 1e-5L);
    const auto dJ = loss_gradient(GaussianNLL{.minimum_variance = 0}, matrix<float>({{0}, {-200}}), matrix<float>({{error}}));
    CHECK(std::abs(dJ(1, 0) / ((1 - square) / 2) - 1) < 1e-5L);
  }
  for (const double least : {0.0, 1e-6}) {  // e^-110 and e^-175 are 0 in float, (1e30)^2 is infinite
    CHECK(std::abs(J(least, 1e30f, 110, 0) / ((std::pow(static_cast<long double>(1e30f), 2) * std::exp(-110.0L) + 110) / 2) - 1) < 1e-5L);
    CHECK(std::abs(J(least, 0, 175, 3e38f) / ((std::pow(static_cast<long double>(3e38f), 2) * std::exp(-175.0L) + 175) / 2) - 1) < 1e-5L);
  }
}

TEMPLATE_TEST_CASE("GaussianNLL stays finite for outputs of any size", "[loss]", float, double) {
  const TestType largest = std::numeric_limits<TestType>::max();
  for (const double least : {0.0, 1e-6, 1.0})
    for (const TestType m : {TestType(1e20f), -largest, TestType(0)})
      for (const TestType s : {TestType(1e20f), TestType(-1e20f), largest, -largest, TestType(0), TestType(700)}) {
        const GaussianNLL loss{.minimum_variance = least};
        const Matrix<TestType> z = matrix<TestType>({{m, m}, {s, s}}), y = matrix<TestType>({{0, largest}});
        CHECK(std::isfinite(loss_value(loss, z, y)));
        CHECK(loss_gradient(loss, z, y).allFinite());
        CHECK(linked(loss, z).allFinite());
        CHECK(loss_gradient_jvp(loss, z, y, matrix<TestType>({{1, -1}, {-1, 1}})).allFinite());
        CHECK(linked_tangent(loss, linked(loss, z), z).allFinite());
      }
  const TestType nan = std::numeric_limits<TestType>::quiet_NaN();
  for (const auto& z : {matrix<TestType>({{nan}, {0}}), matrix<TestType>({{0}, {nan}})})
    CHECK(std::isnan(loss_value(GaussianNLL{}, z, matrix<TestType>({{0}}))));
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
  CHECK_THROWS_SAYING(check_target(GaussianNLL{.minimum_variance = 1e-50}, Matrix<float>(z.cast<float>()), Matrix<float>(y.cast<float>())),
                      ValueError, "GaussianNLL: minimum_variance is 1e-50, which as a float is 0");
  y(1, 2) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(check_target(GaussianNLL{}, z, y), ValueError, "y(1, 2)", "nan", "output 1 of sample 2");
}
