#include <chainrule/losses/binary_focal.hpp>
#include <chainrule/losses/class_weighted.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule_test;
using chainrule::BinaryCrossEntropy;
using chainrule::BinaryFocal;
using chainrule::ClassWeighted;
using chainrule::ValueError;

namespace {

template <class Scalar>
Matrix<Scalar> random_probabilities(Index rows, Index cols, chainrule::Random& random) {
  Matrix<Scalar> y = random_matrix<Scalar>(rows, cols, random);
  return y.unaryExpr([](Scalar u) { return std::clamp(u + Scalar(0.5), Scalar(0), Scalar(1)); });
}

}  // namespace

TEMPLATE_TEST_CASE("BinaryFocal satisfies the loss contract", "[loss]", float, double) {
  check_loss<TestType>(BinaryFocal{}, random_probabilities<TestType>);
  check_loss<TestType>(BinaryFocal{.alpha = 0.75, .gamma = 0.5}, random_probabilities<TestType>);
}

// torchvision.ops.sigmoid_focal_loss, alpha_t (1 - p_t)^gamma (-ln p_t), with its default alpha = 1/4 and gamma = 2
TEMPLATE_TEST_CASE("BinaryFocal has the values of torchvision's sigmoid_focal_loss", "[loss]", float, double) {
  const double accuracy = std::is_same_v<TestType, float> ? 1e-6 : 1e-14;
  const auto J = [](TestType z, TestType y) {
    return static_cast<double>(loss_value(BinaryFocal{}, matrix<TestType>({{z}}), matrix<TestType>({{y}})));
  };
  const TestType ln_3 = std::log(TestType{3});
  CHECK(J(ln_3, 1) == Approx(0.0044950323820590766).epsilon(accuracy));
  CHECK(J(ln_3, 0) == Approx(0.58484293359745387).epsilon(accuracy));
  CHECK(J(-2, 1) == Approx(0.41251954485535225).epsilon(accuracy));
  CHECK(J(0.5, 0) == Approx(0.2830587006445574).epsilon(accuracy));
  CHECK(J(20, 1) == Approx(2.189127679393808950889e-27).epsilon(accuracy));  // nothing is rounded to 0
  CHECK(J(-10000, 1) == 2500);
  CHECK(J(10000, 0) == 7500);
  CHECK(J(10000, 1) == 0);
}

TEST_CASE("BinaryFocal with gamma = 0 and alpha = 1/2 is half of BinaryCrossEntropy", "[loss]") {
  chainrule::Random random{chainrule::Seed{1}};
  const Matrix<double> z = 4 * random_matrix<double>(3, 50, random), d = random_matrix<double>(3, 50, random);
  const Matrix<double> y = random_probabilities<double>(3, 50, random);
  const BinaryFocal loss{.alpha = 0.5, .gamma = 0};
  CHECK(loss_value(loss, z, y) == Approx(loss_value(BinaryCrossEntropy{}, z, y) / 2).epsilon(1e-14));
  CHECK((2 * loss_gradient(loss, z, y) - loss_gradient(BinaryCrossEntropy{}, z, y)).cwiseAbs().maxCoeff() < 1e-16);
  CHECK((2 * loss_gradient_jvp(loss, z, y, d) - loss_gradient_jvp(BinaryCrossEntropy{}, z, y, d)).cwiseAbs().maxCoeff() < 1e-16);
  CHECK(equal(linked(loss, z), linked(BinaryCrossEntropy{}, z)));
}

TEST_CASE("BinaryFocal takes labels 0 and 1 for one output, and they are the matrix of these numbers", "[loss]") {
  chainrule::Random random{chainrule::Seed{5}};
  const Matrix<float> z = 4 * random_matrix<float>(1, 700, random);  // more than the labels that are converted at a time
  const std::vector<int> labels = random_labels(700, 2, random);
  const Matrix<float> y = Eigen::Map<const Eigen::RowVectorXi>(labels.data(), 700).cast<float>();
  CHECK_NOTHROW(check_target(BinaryFocal{}, z, labels));
  CHECK(loss_value(BinaryFocal{}, z, labels) == Approx(loss_value(BinaryFocal{}, z, y)).epsilon(1e-6));
  CHECK(equal(loss_gradient(BinaryFocal{}, z, labels), loss_gradient(BinaryFocal{}, z, y)));
  CHECK(equal(loss_gradient_jvp(BinaryFocal{}, z, labels, z), loss_gradient_jvp(BinaryFocal{}, z, y, z)));
  check_memory_layout(BinaryFocal{}, z, labels);
  CHECK_THROWS_SAYING(check_target(BinaryFocal{}, matrix<float>({{0, 0}}), std::vector<int>{1, 2}), ValueError,
                      "the label of sample 1 is 2, but BinaryFocal takes 0 for no and 1 for yes");
}

TEST_CASE("ClassWeighted<BinaryFocal> weighs the yes of each output", "[loss]") {
  const auto z = matrix<double>({{0.5, -1}, {2, 0.25}}), yes = matrix<double>({{1, 1}, {1, 1}}), no = matrix<double>({{0, 0}, {0, 0}});
  const ClassWeighted<BinaryFocal> twice{2, 2};
  CHECK(loss_value(twice, z, yes) == Approx(2 * loss_value(BinaryFocal{}, z, yes)).epsilon(1e-14));
  CHECK(loss_value(twice, z, no) == loss_value(BinaryFocal{}, z, no));
  const auto y = matrix<double>({{1, 0.5}, {0, 1}});
  check_gradient_of_loss(ClassWeighted<BinaryFocal>{3, 0.5}, z, y);
  check_gradient_jvp_of_loss(ClassWeighted<BinaryFocal>{3, 0.5}, z, y);
}

TEST_CASE("BinaryFocal rejects an alpha outside 0 to 1, a gamma outside 0 to 100, and targets that are no probabilities", "[loss]") {
  const Matrix<float> z = Matrix<float>::Zero(1, 2);
  const auto refused = [&](double alpha, double gamma) { check_target(BinaryFocal{.alpha = alpha, .gamma = gamma}, z, z); };
  CHECK_NOTHROW(refused(0.5, 0));
  CHECK_THROWS_SAYING(refused(1, 2), ValueError, "BinaryFocal: alpha must be above 0 and below 1, got 1");
  CHECK_THROWS_SAYING(refused(-0.5, 2), ValueError, "got -0.5");
  CHECK_THROWS_SAYING(refused(0.5, -1), ValueError, "BinaryFocal: gamma must be at least 0 and finite, got -1");
  CHECK_THROWS_SAYING(refused(0.5, 101), ValueError, "gamma must be at most 100, got 101");
  CHECK_THROWS_SAYING(check_target(BinaryFocal{}, z, matrix<float>({{0, 1.5f}})), ValueError, "y(0, 1) is 1.5, but BinaryFocal takes");
}
