#include <chainrule/losses/kl_divergence.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule_test;
using chainrule::KLDivergence;
using chainrule::SoftmaxCrossEntropy;
using chainrule::ValueError;

TEMPLATE_TEST_CASE("KLDivergence satisfies the loss contract", "[loss]", float, double) {
  check_loss<TestType>(KLDivergence{}, random_distributions<TestType>);
}

// With p = (1/8, 2/8, 5/8) and y = (1/2, 1/2, 0), J = 1/2 ln 4 + 1/2 ln 2; with y = p, J = 0.
TEMPLATE_TEST_CASE("KLDivergence is sum y ln(y/p)", "[loss]", float, double, long double) {
  const TestType few_eps = 4 * std::numeric_limits<TestType>::epsilon();
  const Matrix<TestType> z = matrix<TestType>({{0}, {std::log(TestType{2})}, {std::log(TestType{5})}});
  const TestType J = loss_value(KLDivergence{}, z, matrix<TestType>({{0.5}, {0.5}, {0}}));
  CHECK(std::abs(J - std::log(TestType{8}) / 2) <= few_eps);
  CHECK(std::abs(loss_value(KLDivergence{}, z, matrix<TestType>({{0.125}, {0.25}, {0.625}}))) <= few_eps);
  CHECK(loss_value(KLDivergence{}, Matrix<TestType>(Matrix<TestType>::Zero(2, 3)), Matrix<TestType>::Constant(2, 3, 0.5).eval()) == 0);
}

TEST_CASE("KLDivergence is SoftmaxCrossEntropy minus the entropy of y, with the same gradient and prediction", "[loss]") {
  chainrule::Random random{chainrule::Seed{1}};
  const Matrix<double> z = 4 * random_matrix<double>(5, 7, random);
  const Matrix<double> y = random_distributions<double>(5, 7, random);
  const double entropy = -(y.array() * y.array().log()).sum() / 7;
  CHECK(std::abs(loss_value(KLDivergence{}, z, y) - (loss_value(SoftmaxCrossEntropy{}, z, y) - entropy)) < 1e-14);
  CHECK(equal(loss_gradient(KLDivergence{}, z, y), loss_gradient(SoftmaxCrossEntropy{}, z, y)));
  CHECK(equal(linked(KLDivergence{}, z), linked(SoftmaxCrossEntropy{}, z)));
  CHECK(equal(loss_gradient_jvp(KLDivergence{}, z, y, z), loss_gradient_jvp(SoftmaxCrossEntropy{}, z, y, z)));
  CHECK(equal(linked_tangent(KLDivergence{}, y, z), linked_tangent(SoftmaxCrossEntropy{}, y, z)));
}

TEST_CASE("KLDivergence rejects a target that is no probability distribution and names its sample", "[loss]") {
  const Matrix<double> z = Matrix<double>::Zero(2, 2);
  const auto with = [](double value) { return matrix<double>({{0.25, 1}, {value, 0}}); };
  CHECK_NOTHROW(check_target(KLDivergence{}, z, with(0.75)));
  CHECK_THROWS_SAYING(check_target(KLDivergence{}, z, with(-0.5)), ValueError, "y(1, 0) is -0.5", "KLDivergence takes probabilities");
  CHECK_THROWS_SAYING(check_target(KLDivergence{}, z, with(0.5)), ValueError, "the probabilities of sample 0 sum to 0.75");
}
