#include <chainrule/losses/softmax_focal.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule_test;
using chainrule::SoftmaxCrossEntropy;
using chainrule::SoftmaxFocal;
using chainrule::ValueError;

namespace {

std::vector<int> labels_for(Index rows, Index cols, chainrule::Random& random) { return random_labels(cols, rows, random); }

}  // namespace

TEMPLATE_TEST_CASE("SoftmaxFocal satisfies the loss contract", "[loss]", float, double) {
  for (const double gamma : {0.0, 0.5, 2.0}) check_loss<TestType>(SoftmaxFocal{gamma}, labels_for);
}

TEST_CASE("SoftmaxFocal of probabilities satisfies the loss contract", "[loss]") {
  check_loss<double>(SoftmaxFocal{}, random_distributions<double>);
}

// softmax(0, ln 2, ln 5) = (1/8, 1/4, 5/8)
TEMPLATE_TEST_CASE("SoftmaxFocal has the values of the formula", "[loss]", float, double) {
  const double accuracy = std::is_same_v<TestType, float> ? 1e-6 : 1e-14;
  const Matrix<TestType> z = matrix<TestType>({{0}, {std::log(TestType{2})}, {std::log(TestType{5})}});
  const auto J = [&](double gamma, int label) { return static_cast<double>(loss_value(SoftmaxFocal{gamma}, z, std::vector<int>{label})); };
  CHECK(J(2, 0) == Approx(1.5920724303486242).epsilon(accuracy));
  CHECK(J(2, 1) == Approx(0.77979057812993846).epsilon(accuracy));
  CHECK(J(2, 2) == Approx(0.066094260362681567).epsilon(accuracy));
  CHECK(J(0.5, 0) == Approx(1.9451394511977376).epsilon(accuracy));
  CHECK(J(0.5, 2) == Approx(0.28781726722707424).epsilon(accuracy));
  const Matrix<double> dJ = loss_gradient(SoftmaxFocal{}, z, std::vector<int>{2}).template cast<double>();
  CHECK(dJ.isApprox(matrix<double>({{0.045117400151117315}, {0.09023480030223463}, {-0.13535220045335195}}), accuracy));
  const auto mixed = matrix<TestType>({{0.5}, {0.5}, {0}});  // Keras adds y_k (1 - p_k)^gamma (-ln p_k) over the classes
  CHECK(static_cast<double>(loss_value(SoftmaxFocal{}, z, mixed)) ==
        Approx((1.5920724303486242 + 0.77979057812993846) / 2).epsilon(accuracy));
}

// F(c) ~ c^3 for p near 1, with c = e^-20, so J = e^-60 and dJ/dz = -3 e^-60, where 1 - p would be 0 in float
TEST_CASE("SoftmaxFocal of a confident right answer is tiny, and of a confident wrong one the cross-entropy", "[loss]") {
  const Matrix<float> sure = matrix<float>({{20}, {0}}), wrong = matrix<float>({{-10000}, {10000}});
  const std::vector<int> label{0};
  CHECK(static_cast<double>(loss_value(SoftmaxFocal{}, sure, label)) == Approx(8.7565107626965204e-27).epsilon(1e-5));
  const Matrix<float> dJ = loss_gradient(SoftmaxFocal{}, sure, label);
  CHECK(static_cast<double>(dJ(0, 0)) == Approx(-2.6269532288089561e-26).epsilon(1e-5));
  CHECK(static_cast<double>(dJ(1, 0)) == Approx(2.6269532288089561e-26).epsilon(1e-5));
  CHECK(loss_value(SoftmaxFocal{}, wrong, label) == 20000);
  CHECK(equal(loss_gradient(SoftmaxFocal{}, wrong, label), matrix<float>({{-1}, {1}})));
}

TEST_CASE("SoftmaxFocal with gamma = 0 is SoftmaxCrossEntropy", "[loss]") {
  chainrule::Random random{chainrule::Seed{1}};
  const Matrix<double> z = 4 * random_matrix<double>(5, 40, random), d = random_matrix<double>(5, 40, random);
  const std::vector<int> labels = random_labels(40, 5, random);
  const SoftmaxFocal loss{.gamma = 0};
  CHECK(loss_value(loss, z, labels) == Approx(loss_value(SoftmaxCrossEntropy{}, z, labels)).epsilon(1e-14));
  CHECK((loss_gradient(loss, z, labels) - loss_gradient(SoftmaxCrossEntropy{}, z, labels)).cwiseAbs().maxCoeff() < 1e-16);
  CHECK((loss_gradient_jvp(loss, z, labels, d) - loss_gradient_jvp(SoftmaxCrossEntropy{}, z, labels, d)).cwiseAbs().maxCoeff() < 1e-16);
  CHECK(equal(linked(loss, z), linked(SoftmaxCrossEntropy{}, z)));
}

TEST_CASE("SoftmaxFocal rejects a gamma outside 0 to 100 and targets that are no labels or probabilities", "[loss]") {
  const Matrix<float> z = Matrix<float>::Zero(3, 1);
  CHECK_THROWS_SAYING(check_target(SoftmaxFocal{-1}, z, std::vector<int>{0}), ValueError, "SoftmaxFocal: gamma must be at least 0");
  CHECK_THROWS_SAYING(check_target(SoftmaxFocal{101}, z, std::vector<int>{0}), ValueError, "gamma must be at most 100, got 101");
  CHECK_THROWS_SAYING(check_target(SoftmaxFocal{}, z, std::vector<int>{3}), ValueError, "the label of sample 0 is 3");
  CHECK_THROWS_SAYING(check_target(SoftmaxFocal{}, z, z), ValueError, "the probabilities of sample 0 sum to 0");
}
