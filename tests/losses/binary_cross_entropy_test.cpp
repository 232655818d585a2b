#include <chainrule/losses/binary_cross_entropy.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule_test;
using chainrule::BinaryCrossEntropy;
using chainrule::ValueError;
using chainrule_test::Approx;

namespace {

/// Random probabilities, including 0 and 1.
template <class Scalar>
Matrix<Scalar> random_probabilities(Index rows, Index cols, chainrule::Random& random) {
  Matrix<Scalar> y = random_matrix<Scalar>(rows, cols, random);
  return y.unaryExpr([](Scalar u) { return std::clamp(u + Scalar(0.5), Scalar(0), Scalar(1)); });
}

}  // namespace

TEMPLATE_TEST_CASE("BinaryCrossEntropy satisfies the loss contract", "[loss]", float, double, long double) {
  check_loss<TestType>(BinaryCrossEntropy{}, random_probabilities<TestType>);
}

// At z = 0 the prediction is 1/2, so J = -ln 1/2 for any y; sigma(ln 3) = 3/4.
TEMPLATE_TEST_CASE("BinaryCrossEntropy is minus the logarithm of the probability predicted for the target", "[loss]", float, double,
                   long double) {
  const double few_eps = std::max(1e-15, static_cast<double>(4 * std::numeric_limits<TestType>::epsilon()));
  const double ln_2 = 0.693147180559945309;
  const auto J = [](TestType z, TestType y) { return loss_value(BinaryCrossEntropy{}, matrix<TestType>({{z}}), matrix<TestType>({{y}})); };
  CHECK(J(0, 0) == Approx(ln_2).epsilon(few_eps));
  CHECK(J(0, 1) == Approx(ln_2).epsilon(few_eps));
  CHECK(J(0, TestType(0.3)) == Approx(ln_2).epsilon(few_eps));
  const TestType ln_3 = std::log(TestType{3});
  CHECK(J(ln_3, 1) == Approx(std::log(4.0 / 3)).epsilon(few_eps));
  CHECK(J(ln_3, 0) == Approx(std::log(4.0)).epsilon(few_eps));
  CHECK(J(-ln_3, 1) == Approx(std::log(4.0)).epsilon(few_eps));
}

// J is a sum over outputs and a mean over samples; dJ/dz = (sigma(z) - y)/batch.
TEMPLATE_TEST_CASE("BinaryCrossEntropy sums over outputs and averages over samples", "[loss]", float, double) {
  const double few_eps = std::max(1e-15, static_cast<double>(4 * std::numeric_limits<TestType>::epsilon()));
  const Matrix<TestType> z = Matrix<TestType>::Zero(3, 2);
  const Matrix<TestType> y = matrix<TestType>({{0, 1}, {1, 1}, {0, 0}});
  CHECK(loss_value(BinaryCrossEntropy{}, z, y) == Approx(3 * 0.693147180559945309).epsilon(few_eps));
  CHECK(loss_gradient(BinaryCrossEntropy{}, z, y) == matrix<TestType>({{0.25, -0.25}, {-0.25, -0.25}, {0.25, 0.25}}));

  chainrule::Random random{chainrule::Seed{1}};
  check_matching_link(BinaryCrossEntropy{}, Matrix<TestType>(9 * random_matrix<TestType>(5, 9, random)),
                      random_probabilities<TestType>(5, 9, random));
}

// J is about e^-|z|, never 0. Its accurate form ln(1 + e^-|z|) needs log1p, because 1 + e^-20 is 1 in float.
TEMPLATE_TEST_CASE("BinaryCrossEntropy of a confident right answer is tiny, not 0", "[loss]", float, double) {
  const double accuracy = std::max(1e-14, static_cast<double>(4 * std::numeric_limits<TestType>::epsilon()));
  const auto J = [](TestType z, TestType y) { return loss_value(BinaryCrossEntropy{}, matrix<TestType>({{z}}), matrix<TestType>({{y}})); };
  CHECK(J(20, 1) == Approx(2.061153620314381e-09).epsilon(accuracy));
  CHECK(J(-20, 0) == Approx(2.061153620314381e-09).epsilon(accuracy));
  CHECK(J(80, 1) == Approx(1.8048513878454153e-35).epsilon(accuracy));
}

TEMPLATE_TEST_CASE("BinaryCrossEntropy of a confident wrong answer is |z|", "[loss]", float, double) {
  const auto J = [](TestType z, TestType y) { return loss_value(BinaryCrossEntropy{}, matrix<TestType>({{z}}), matrix<TestType>({{y}})); };
  CHECK(J(1e4f, 0) == 10000);
  CHECK(J(-1e4f, 1) == 10000);
  CHECK(static_cast<double>(J(-1e4f, 0)) == 0);  // e^-10000
  CHECK(J(1e4f, TestType(0.25)) == 7500);
}

TEMPLATE_TEST_CASE("BinaryCrossEntropy predicts probabilities", "[loss]", float, double) {
  const TestType ln_3 = std::log(TestType{3});
  const Matrix<TestType> p = linked(BinaryCrossEntropy{}, matrix<TestType>({{0, ln_3}, {-ln_3, 1e4f}}));
  CHECK(p.isApprox(matrix<TestType>({{0.5, 0.75}, {0.25, 1}}), 4 * std::numeric_limits<TestType>::epsilon()));

  chainrule::Random random{chainrule::Seed{1}};
  const Matrix<TestType> many = linked(BinaryCrossEntropy{}, Matrix<TestType>(200 * random_matrix<TestType>(7, 99, random)));
  CHECK(many.minCoeff() >= 0);
  CHECK(many.maxCoeff() <= 1);
}

// sigma(ln 3) = 3/4, so sigma' = 3/16, for any target; sigma'(40) = e^-40, where sigma (1 - sigma) would be 0
TEST_CASE("BinaryCrossEntropy has the second derivative p (1 - p), exact also where p is 1", "[loss]") {
  const Matrix<float> z = matrix<float>({{std::log(3.0f), 40}}), y = matrix<float>({{1, 0.5f}}), d = matrix<float>({{32, 2}});
  const Matrix<float> out = loss_gradient_jvp(BinaryCrossEntropy{}, z, y, d);
  CHECK(std::abs(out(0, 0) - 3) < 1e-6f);
  CHECK(std::abs(static_cast<double>(out(0, 1)) / 4.248354255291589e-18 - 1) < 1e-6);
  CHECK(equal(out, loss_gradient_jvp(BinaryCrossEntropy{}, z, std::vector<int>{0, 1}, d)));
  CHECK(equal(linked_tangent(BinaryCrossEntropy{}, matrix<float>({{0.75f, 0.5f}}), matrix<float>({{16, 4, 32, 8}})),
              matrix<float>({{3, 1, 6, 2}})));
}

TEST_CASE("BinaryCrossEntropy rejects targets outside 0 to 1 and names the first one", "[loss]") {
  const Matrix<double> z = Matrix<double>::Zero(2, 3);
  const auto with = [&](Index i, Index j, double value) {
    Matrix<double> y = matrix<double>({{0, 1, 0.5}, {1, 0, 0.25}});
    y(i, j) = value;
    return y;
  };
  CHECK_NOTHROW(check_target(BinaryCrossEntropy{}, z, with(0, 0, 1)));
  CHECK_THROWS_SAYING(check_target(BinaryCrossEntropy{}, z, with(1, 2, 1.5)), ValueError, "y(1, 2) is 1.5", "BinaryCrossEntropy",
                      "probabilities, each from 0 to 1");
  CHECK_THROWS_SAYING(check_target(BinaryCrossEntropy{}, z, with(0, 1, -0.25)), ValueError, "y(0, 1) is -0.25");
  CHECK_THROWS_SAYING(check_target(BinaryCrossEntropy{}, z, with(1, 0, std::numeric_limits<double>::quiet_NaN())), ValueError, "y(1, 0) is",
                      "nan");
  CHECK_THROWS_SAYING(check_target(BinaryCrossEntropy{}, z, with(0, 2, std::numeric_limits<double>::infinity())), ValueError,
                      "y(0, 2) is inf");
  CHECK_THROWS_AS(check_target(BinaryCrossEntropy{}, z, with(0, 0, std::nextafter(double{1}, double{2}))), ValueError);
}

TEST_CASE("BinaryCrossEntropy takes labels 0 and 1 for one output, and they are the matrix of these numbers", "[loss]") {
  chainrule::Random random{chainrule::Seed{5}};
  const Matrix<float> z = 4 * random_matrix<float>(1, 700, random);  // more than the labels that are converted at a time
  std::vector<int> labels(700);
  for (int& label : labels) label = static_cast<int>(random.below(2));
  Matrix<float> y(1, 700);
  for (Index j = 0; j < 700; ++j) y(0, j) = static_cast<float>(labels[static_cast<std::size_t>(j)]);
  for (const BinaryCrossEntropy& loss : {BinaryCrossEntropy{}, BinaryCrossEntropy{.label_smoothing = 0.25}}) {
    CHECK_NOTHROW(check_target(loss, z, labels));
    CHECK(loss_value(loss, z, labels) == Approx(loss_value(loss, z, y)).epsilon(1e-6));
    CHECK(equal(loss_gradient(loss, z, labels), loss_gradient(loss, z, y)));
    check_memory_layout(loss, z, labels);
  }
  CHECK_THROWS_SAYING(check_target(BinaryCrossEntropy{}, matrix<float>({{0, 0}}), std::vector<int>{1, 2}), ValueError,
                      "the label of sample 1 is 2, but BinaryCrossEntropy takes 0 for no and 1 for yes");
  CHECK_THROWS_SAYING(check_target(BinaryCrossEntropy{}, matrix<float>({{0, 0}}), std::vector<int>{-1, 1}), ValueError,
                      "the label of sample 0 is -1");
  CHECK_THROWS_SAYING(check_target(BinaryCrossEntropy{}, Matrix<float>(Matrix<float>::Zero(3, 2)), std::vector<int>{0, 1}),
                      chainrule::ShapeError, "for one output, but the network has 3", "a matrix of 0 and 1", "SoftmaxCrossEntropy");
}

// smoothed target y' = (1 - e) y + e/2
TEST_CASE("BinaryCrossEntropy smooths labels towards 1/2", "[loss]") {
  const BinaryCrossEntropy smoothing{.label_smoothing = 0.25};
  check_loss<double>(smoothing, random_probabilities<double>);

  const Matrix<double> z = matrix<double>({{1.5, -2, 0.5}});
  const Matrix<double> y = matrix<double>({{0, 1, 0.5}});
  const Matrix<double> smoothed = matrix<double>({{0.125, 0.875, 0.5}});
  CHECK(loss_value(smoothing, z, y) == loss_value(BinaryCrossEntropy{}, z, smoothed));
  CHECK(equal(loss_gradient(smoothing, z, y), loss_gradient(BinaryCrossEntropy{}, z, smoothed)));
  CHECK(equal(linked(smoothing, z), linked(BinaryCrossEntropy{}, z)));  // smoothing does not change predictions
}

TEST_CASE("BinaryCrossEntropy rejects a label smoothing that is not at least 0 and below 1", "[loss]") {
  const Matrix<float> z = Matrix<float>::Zero(3, 1);
  const auto refused = [&](double smoothing) { check_target(BinaryCrossEntropy{.label_smoothing = smoothing}, z, z); };
  CHECK_THROWS_SAYING(refused(1), ValueError, "BinaryCrossEntropy", "label_smoothing", "at least 0 and below 1", "got 1");
  CHECK_THROWS_SAYING(refused(-0.1), ValueError, "got -0.1");
  CHECK_THROWS_SAYING(refused(std::numeric_limits<double>::quiet_NaN()), ValueError, "got nan");
  CHECK_NOTHROW(refused(0.999));
}
