#include <chainrule/losses/softmax_cross_entropy.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule_test;
using chainrule::SoftmaxCrossEntropy;
using chainrule::ValueError;
using chainrule_test::Approx;

namespace {

std::vector<int> labels_for(Index rows, Index cols, chainrule::Random& random) { return random_labels(cols, rows, random); }

/// Logits that are multiples of 1/8, so that adding an integer to them is exact in every scalar type.
template <class Scalar>
Matrix<Scalar> eighths(Index rows, Index cols) {
  chainrule::Random random{chainrule::Seed{7}};
  Matrix<Scalar> z(rows, cols);
  for (Scalar& entry : z.reshaped()) entry = static_cast<Scalar>(random.below(65)) / 8 - 4;
  return z;
}

}  // namespace

TEMPLATE_TEST_CASE("SoftmaxCrossEntropy keeps the contract of a loss, with labels", "[loss]", float, double, long double) {
  check_loss<TestType>(SoftmaxCrossEntropy{}, labels_for);
}

TEMPLATE_TEST_CASE("SoftmaxCrossEntropy keeps the contract of a loss, with probabilities", "[loss]", float, double, long double) {
  check_loss<TestType>(SoftmaxCrossEntropy{}, random_distributions<TestType>);
}

// Equal logits: every class has probability 1/k, so J = ln k. Logits ln 1, ln 2, ln 5: probabilities 1/8, 2/8, 5/8.
TEMPLATE_TEST_CASE("SoftmaxCrossEntropy is minus the logarithm of the label's probability", "[loss]", float, double, long double) {
  const double few_eps = static_cast<double>(4 * std::numeric_limits<TestType>::epsilon());
  for (const Index k : {2, 3, 10}) {
    const Matrix<TestType> equal = Matrix<TestType>::Constant(k, 1, 5);
    CHECK(loss_value(SoftmaxCrossEntropy{}, equal, std::vector<int>{1}) == Approx(std::log(static_cast<double>(k))).epsilon(few_eps));
  }
  const Matrix<TestType> z = matrix<TestType>({{0}, {std::log(TestType{2})}, {std::log(TestType{5})}});
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, std::vector<int>{0}) == Approx(std::log(8.0)).epsilon(few_eps));
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, std::vector<int>{1}) == Approx(std::log(4.0)).epsilon(few_eps));
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, std::vector<int>{2}) == Approx(std::log(1.6)).epsilon(few_eps));
  const Matrix<TestType> half_half = matrix<TestType>({{0.5}, {0.5}, {0}});
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, half_half) == Approx((std::log(8.0) + std::log(4.0)) / 2).epsilon(few_eps));
}

// dJ/dz = (softmax(z) - y)/batch, the lecture's factor
TEMPLATE_TEST_CASE("SoftmaxCrossEntropy's gradient is prediction minus target over the batch size", "[loss]", float, double, long double) {
  const Matrix<TestType> z = Matrix<TestType>::Zero(4, 2);
  CHECK(loss_gradient(SoftmaxCrossEntropy{}, z, std::vector<int>{0, 3}) ==
        matrix<TestType>({{-0.375, 0.125}, {0.125, 0.125}, {0.125, 0.125}, {0.125, -0.375}}));

  chainrule::Random random{chainrule::Seed{1}};
  const Matrix<TestType> logits = 9 * random_matrix<TestType>(5, 9, random);
  check_matching_link(SoftmaxCrossEntropy{}, logits, random_labels(9, 5, random));
  check_matching_link(SoftmaxCrossEntropy{}, logits, random_distributions<TestType>(5, 9, random));
}

TEMPLATE_TEST_CASE("SoftmaxCrossEntropy takes a label and its one-hot column for the same", "[loss]", float, double, long double) {
  const Matrix<TestType> z = eighths<TestType>(6, 20);
  chainrule::Random random{chainrule::Seed{1}};
  const std::vector<int> labels = random_labels(20, 6, random);
  const Matrix<TestType> one_hot = as_matrix<TestType>(labels, 6);
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, labels) == loss_value(SoftmaxCrossEntropy{}, z, one_hot));
  CHECK(loss_gradient(SoftmaxCrossEntropy{}, z, labels) == loss_gradient(SoftmaxCrossEntropy{}, z, one_hot));
}

TEST_CASE("SoftmaxCrossEntropy takes labels of every integer type", "[loss]") {
  const Matrix<float> z = eighths<float>(3, 4);
  const float J = loss_value(SoftmaxCrossEntropy{}, z, std::vector<int>{2, 0, 1, 2});
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, std::vector<unsigned char>{2, 0, 1, 2}) == J);
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, std::vector<long long>{2, 0, 1, 2}) == J);
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, Eigen::VectorX<short>{{2, 0, 1, 2}}) == J);
}

// J ~ e^-margin, never 0: 1 + e^-20 is 1 in float
TEMPLATE_TEST_CASE("SoftmaxCrossEntropy of a confident right answer is tiny, not 0", "[loss]", float, double, long double) {
  const double accuracy = std::max(1e-14, static_cast<double>(4 * std::numeric_limits<TestType>::epsilon()));
  const auto J = [](TestType first, TestType second, int label) {
    return loss_value(SoftmaxCrossEntropy{}, matrix<TestType>({{first}, {second}}), std::vector<int>{label});
  };
  CHECK(J(20, 0, 0) == Approx(2.0611536203020165e-09).epsilon(accuracy));
  CHECK(J(0, 20, 1) == Approx(2.0611536203020165e-09).epsilon(accuracy));
  CHECK(J(1000, 1020, 1) == Approx(2.0611536203020165e-09).epsilon(accuracy));
  CHECK(J(80, 0, 0) == Approx(1.8048513878454153e-35).epsilon(accuracy));
}

TEMPLATE_TEST_CASE("SoftmaxCrossEntropy of a confident wrong answer is the margin", "[loss]", float, double, long double) {
  const Matrix<TestType> z = matrix<TestType>({{1e4f}, {-1e4f}, {0}});
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, std::vector<int>{0}) == 0);
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, std::vector<int>{1}) == 20000);
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, std::vector<int>{2}) == 10000);
}

TEMPLATE_TEST_CASE("SoftmaxCrossEntropy predicts probabilities that sum to 1", "[loss]", float, double, long double) {
  const TestType eps = std::numeric_limits<TestType>::epsilon();
  const Matrix<TestType> p = linked(SoftmaxCrossEntropy{}, matrix<TestType>({{0, 1e4f}, {std::log(TestType{3}), -1e4f}}));
  CHECK(p.isApprox(matrix<TestType>({{0.25, 1}, {0.75, 0}}), 4 * eps));

  chainrule::Random random{chainrule::Seed{1}};
  for (const Index outputs : {2, 3, 10, 257}) {  // about 257 roundings of eps/2 each at the most
    const Matrix<TestType> many = linked(SoftmaxCrossEntropy{}, Matrix<TestType>(50 * random_matrix<TestType>(outputs, 64, random)));
    CHECK(many.minCoeff() >= 0);
    CHECK(many.maxCoeff() <= 1);
    CHECK((many.colwise().sum().array() - 1).abs().maxCoeff() <= 8 * eps);
  }
}

TEMPLATE_TEST_CASE("SoftmaxCrossEntropy does not change when every logit of a sample is shifted", "[loss]", float, double, long double) {
  const Matrix<TestType> z = eighths<TestType>(11, 5);
  const Matrix<TestType> shifted = z.array() + 1000;
  const std::vector<int> labels{0, 10, 3, 3, 7};
  CHECK(linked(SoftmaxCrossEntropy{}, shifted) == linked(SoftmaxCrossEntropy{}, z));  // exact, see eighths
  CHECK(loss_value(SoftmaxCrossEntropy{}, shifted, labels) == loss_value(SoftmaxCrossEntropy{}, z, labels));
  CHECK(loss_gradient(SoftmaxCrossEntropy{}, shifted, labels) == loss_gradient(SoftmaxCrossEntropy{}, z, labels));
}

TEMPLATE_TEST_CASE("SoftmaxCrossEntropy refuses labels out of range and says which", "[loss]", int, unsigned char, long long) {
  const Matrix<float> z = Matrix<float>::Zero(3, 4);
  CHECK_NOTHROW(check_target(SoftmaxCrossEntropy{}, z, std::vector<TestType>{0, 1, 2, 0}));
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, std::vector<TestType>{0, 1, 3, 0}), ValueError, "the label of sample 2 is 3",
                      "with 3 outputs labels are 0 to 2");
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, std::vector<TestType>{0, 1, 2, 200}), ValueError,
                      "the label of sample 3 is 200");
  if constexpr (std::is_signed_v<TestType>)
    CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, std::vector<TestType>{0, -1, 2, 0}), ValueError,
                        "the label of sample 1 is -1");
  if constexpr (sizeof(TestType) == 8)  // one that would be 0 as an int
    CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, std::vector<TestType>{TestType{1} << 32, 1, 2, 0}), ValueError,
                        "the label of sample 0 is 4294967296");
}

TEMPLATE_TEST_CASE("SoftmaxCrossEntropy refuses targets that are no distribution and says which", "[loss]", float, double, long double) {
  const Matrix<TestType> z = Matrix<TestType>::Zero(3, 2);
  const auto with = [](Index i, Index j, TestType value) {
    Matrix<TestType> y = matrix<TestType>({{0.25, 0}, {0.5, 1}, {0.25, 0}});
    y(i, j) = value;
    return y;
  };
  CHECK_NOTHROW(check_target(SoftmaxCrossEntropy{}, z, with(0, 0, 0.25)));
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, with(2, 1, 1.5)), ValueError, "y(2, 1) is 1.5", "SoftmaxCrossEntropy",
                      "probabilities, each from 0 to 1");
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, with(0, 1, -0.25)), ValueError, "y(0, 1) is -0.25");
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, with(1, 0, std::numeric_limits<TestType>::quiet_NaN())), ValueError,
                      "y(1, 0) is", "nan");
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, with(0, 0, 0.75)), ValueError, "the probabilities of sample 0 sum to 1.5",
                      "must sum to 1");
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, with(1, 1, 0.5)), ValueError, "the probabilities of sample 1 sum to 0.5");
}

// NaN in one sample must neither vanish nor reach another.
TEMPLATE_TEST_CASE("SoftmaxCrossEntropy keeps NaN to its own sample", "[loss]", float, double, long double) {
  for (const Index place : {0, 1, 2}) {
    Matrix<TestType> z = eighths<TestType>(3, 3);
    const Matrix<TestType> clean = linked(SoftmaxCrossEntropy{}, z);
    z(place, 1) = std::numeric_limits<TestType>::quiet_NaN();
    const Matrix<TestType> p = linked(SoftmaxCrossEntropy{}, z);
    CHECK(p.col(0) == clean.col(0));
    CHECK(p.col(2) == clean.col(2));
    CHECK(p.col(1).array().isNaN().all());
    for (const int label : {0, 1, 2}) CHECK(std::isnan(loss_value(SoftmaxCrossEntropy{}, z, std::vector<int>{0, label, 0})));
  }
}
