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

/// Random distributions whose sums differ from 1 by up to 9e-4; the loss accepts 1e-3.
template <class Scalar>
Matrix<Scalar> rough_distributions(Index rows, Index cols, chainrule::Random& random) {
  Matrix<Scalar> y = random_distributions<Scalar>(rows, cols, random);
  for (Index j = 0; j < cols; ++j) y.col(j) *= 1 + static_cast<Scalar>(0.0018 * random.uniform() - 0.0009);
  return y;
}

/// Columns of multiples of 1/16 that sum to 1 without any rounding.
template <class Scalar>
Matrix<Scalar> exact_distributions(Index rows, Index cols, chainrule::Random& random) {
  Matrix<Scalar> y = Matrix<Scalar>::Zero(rows, cols);
  for (Index j = 0; j < cols; ++j)
    for (int ball = 0; ball < 16; ++ball) y(static_cast<Index>(random.below(static_cast<std::uint64_t>(rows))), j) += Scalar(1) / 16;
  return y;
}

}  // namespace

TEMPLATE_TEST_CASE("SoftmaxCrossEntropy satisfies the loss contract, with labels", "[loss]", float, double, long double) {
  check_loss<TestType>(SoftmaxCrossEntropy{}, labels_for);
}

TEMPLATE_TEST_CASE("SoftmaxCrossEntropy satisfies the loss contract, with probabilities", "[loss]", float, double, long double) {
  check_loss<TestType>(SoftmaxCrossEntropy{}, random_distributions<TestType>);
}

// J = -sum_k y_k ln p_k has dJ/dz = p sum(y) - y, which is p - y only where y sums to 1.
TEST_CASE("SoftmaxCrossEntropy's gradient is exact also where target probabilities sum to nearly 1", "[loss]") {
  check_loss<double>(SoftmaxCrossEntropy{}, rough_distributions<double>);
}

// Equal logits give each of k classes the probability 1/k, so J = ln k. Logits ln 1, ln 2, ln 5 give 1/8, 2/8, 5/8.
TEMPLATE_TEST_CASE("SoftmaxCrossEntropy is minus the logarithm of the label's probability", "[loss]", float, double, long double) {
  const double few_eps = std::max(1e-15, static_cast<double>(4 * std::numeric_limits<TestType>::epsilon()));
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

// dJ/dz = (softmax(z) - y)/batch, the lecture's factor y_hat - y
TEMPLATE_TEST_CASE("SoftmaxCrossEntropy's gradient is (prediction - target)/batch", "[loss]", float, double) {
  const Matrix<TestType> z = Matrix<TestType>::Zero(4, 2);
  CHECK(loss_gradient(SoftmaxCrossEntropy{}, z, std::vector<int>{0, 3}) ==
        matrix<TestType>({{-0.375, 0.125}, {0.125, 0.125}, {0.125, 0.125}, {0.125, -0.375}}));

  chainrule::Random random{chainrule::Seed{1}};
  const Matrix<TestType> logits = 9 * random_matrix<TestType>(5, 9, random);
  check_matching_link(SoftmaxCrossEntropy{}, logits, random_labels(9, 5, random));
  check_matching_link(SoftmaxCrossEntropy{}, logits, exact_distributions<TestType>(5, 9, random));
}

// Logits ln 1, ln 2, ln 5 give p = 1/8, 2/8, 5/8. With d = (8, 0, 0), p.d = 1 and p o (d - 1) = 7/8, -2/8, -5/8.
TEST_CASE("SoftmaxCrossEntropy's Hessian is diag(p) - p p^T, exact also where a probability is almost 1", "[loss]") {
  const Matrix<double> z = matrix<double>({{0}, {std::log(2.0)}, {std::log(5.0)}}), d = matrix<double>({{8}, {0}, {0}});
  const Matrix<double> expected = matrix<double>({{0.875}, {-0.25}, {-0.625}});
  const Matrix<double> of_half = matrix<double>({{0.4995}, {0.4995}, {0}});  // sums to 0.999, which the Hessian is multiplied by
  CHECK(loss_gradient_jvp(SoftmaxCrossEntropy{}, z, std::vector<int>{1}, d).isApprox(expected, 1e-15));
  CHECK(loss_gradient_jvp(SoftmaxCrossEntropy{}, z, of_half, d).isApprox(0.999 * expected, 1e-15));
  const Matrix<double> p = matrix<double>({{0.125}, {0.25}, {0.625}}), two = matrix<double>({{8, 1}, {0, 1}, {0, 1}});
  CHECK(linked_tangent(SoftmaxCrossEntropy{}, p, two).isApprox(matrix<double>({{0.875, 0}, {-0.25, 0}, {-0.625, 0}}), 1e-15));

  // p_0 = 1/(1 + e^-20) is 1 in float, but p_0 (1 - p_0) = 2.06e-9
  const Matrix<float> sure =
      loss_gradient_jvp(SoftmaxCrossEntropy{}, matrix<float>({{20}, {0}}), std::vector<int>{0}, matrix<float>({{1}, {0}}));
  CHECK(std::abs(static_cast<double>(sure(0, 0)) / 2.0611536e-9 - 1) < 1e-6);
  CHECK(std::abs(static_cast<double>(sure(1, 0)) / -2.0611536e-9 - 1) < 1e-6);
}

TEST_CASE("SoftmaxCrossEntropy gives the same for a label and for its one-hot column", "[loss]") {
  const Matrix<float> z = eighths<float>(6, 20);
  chainrule::Random random{chainrule::Seed{1}};
  const std::vector<int> labels = random_labels(20, 6, random);
  const Matrix<float> one_hot = as_matrix<float>(labels, 6);
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, labels) == loss_value(SoftmaxCrossEntropy{}, z, one_hot));
  CHECK(loss_gradient(SoftmaxCrossEntropy{}, z, labels) == loss_gradient(SoftmaxCrossEntropy{}, z, one_hot));
}

TEST_CASE("SoftmaxCrossEntropy accepts labels of every integer type", "[loss]") {
  const Matrix<float> z = eighths<float>(3, 4);
  const float J = loss_value(SoftmaxCrossEntropy{}, z, std::vector<int>{2, 0, 1, 2});
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, std::vector<unsigned char>{2, 0, 1, 2}) == J);
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, std::vector<long long>{2, 0, 1, 2}) == J);
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, Eigen::VectorX<short>{{2, 0, 1, 2}}) == J);
}

// J is about e^-margin, never 0, although 1 + e^-20 is 1 in float. The margin is the right logit minus the largest wrong one.
// In float a loop over 200,000 probabilities of 1/200,000 sums to 1.0012, and J was off by 1e-3.
TEST_CASE("SoftmaxCrossEntropy of many equal classes is the logarithm of their number", "[loss]") {
  for (const Index classes : {33, 10000, 200000}) {
    CAPTURE(classes);
    const Eigen::MatrixXf z = Eigen::MatrixXf::Constant(classes, 1, 0.3f), y = Eigen::MatrixXf::Constant(classes, 1, 1 / float(classes));
    const auto logits = chainrule::detail::const_view<float>(z), targets = chainrule::detail::const_view<float>(y);
    const std::vector<int> label{2};
    const SoftmaxCrossEntropy loss, smooth{.label_smoothing = 0.5};
    CHECK_NOTHROW(loss.check(logits, targets));
    const float expected = std::log(static_cast<float>(classes));
    CHECK(std::abs(loss.value(logits, chainrule::Labels<int>(label)) - expected) < 2e-6f);
    CHECK(std::abs(loss.value(logits, targets) - expected) < 2e-6f);
    CHECK(std::abs(smooth.value(logits, targets) - expected) < 2e-6f);
    Eigen::MatrixXf dJ(classes, 1);
    loss.gradient(logits, chainrule::Labels<int>(label), chainrule::detail::mutable_view<float>(dJ));
    CHECK(std::abs(static_cast<double>(dJ(0, 0)) * static_cast<double>(classes) - 1) < 2e-7);
    loss.gradient(logits, targets, chainrule::detail::mutable_view<float>(dJ));
    CHECK(static_cast<double>(dJ.cwiseAbs().maxCoeff()) * static_cast<double>(classes) < 4e-7);
  }
}

TEMPLATE_TEST_CASE("SoftmaxCrossEntropy of a confident right answer is tiny, not 0", "[loss]", float, double) {
  const double accuracy = std::max(1e-14, static_cast<double>(4 * std::numeric_limits<TestType>::epsilon()));
  const auto J = [](TestType first, TestType second, int label) {
    return loss_value(SoftmaxCrossEntropy{}, matrix<TestType>({{first}, {second}}), std::vector<int>{label});
  };
  CHECK(J(20, 0, 0) == Approx(2.061153620314381e-09).epsilon(accuracy));
  CHECK(J(0, 20, 1) == Approx(2.061153620314381e-09).epsilon(accuracy));
  CHECK(J(1000, 1020, 1) == Approx(2.061153620314381e-09).epsilon(accuracy));
  CHECK(J(80, 0, 0) == Approx(1.8048513878454153e-35).epsilon(accuracy));
}

TEST_CASE("SoftmaxCrossEntropy of a confident wrong answer is the difference of the logits", "[loss]") {
  const Matrix<float> z = matrix<float>({{1e4f}, {-1e4f}, {0}});
  CHECK(static_cast<double>(loss_value(SoftmaxCrossEntropy{}, z, std::vector<int>{0})) == 0);  // e^-10000
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, std::vector<int>{1}) == 20000);
  CHECK(loss_value(SoftmaxCrossEntropy{}, z, std::vector<int>{2}) == 10000);
}

TEMPLATE_TEST_CASE("SoftmaxCrossEntropy predicts probabilities that sum to 1", "[loss]", float, double) {
  const TestType eps = std::numeric_limits<TestType>::epsilon();
  const Matrix<TestType> p = linked(SoftmaxCrossEntropy{}, matrix<TestType>({{0, 1e4f}, {std::log(TestType{3}), -1e4f}}));
  CHECK(p.isApprox(matrix<TestType>({{0.25, 1}, {0.75, 0}}), 4 * eps));

  chainrule::Random random{chainrule::Seed{1}};
  for (const Index outputs : {2, 3, 10, 257}) {
    const Matrix<TestType> many = linked(SoftmaxCrossEntropy{}, Matrix<TestType>(50 * random_matrix<TestType>(outputs, 64, random)));
    TestType worst = 0;
    for (Index j = 0; j < many.cols(); ++j) {
      TestType sum = 0;
      for (const TestType p_k : many.col(j)) sum += p_k;
      worst = std::max(worst, std::abs(sum - 1));
    }
    CHECK(worst <= 8 * eps);
    CHECK(many.minCoeff() >= 0);
  }
}

TEST_CASE("SoftmaxCrossEntropy does not change if a constant is added to all logits of a sample", "[loss]") {
  const Matrix<float> z = eighths<float>(11, 5);
  const Matrix<float> shifted = z.array() + 1000;
  const std::vector<int> labels{0, 10, 3, 3, 7};
  CHECK(linked(SoftmaxCrossEntropy{}, shifted) == linked(SoftmaxCrossEntropy{}, z));  // exact, because the logits are multiples of 1/8
  CHECK(loss_value(SoftmaxCrossEntropy{}, shifted, labels) == loss_value(SoftmaxCrossEntropy{}, z, labels));
  CHECK(loss_gradient(SoftmaxCrossEntropy{}, shifted, labels) == loss_gradient(SoftmaxCrossEntropy{}, z, labels));
}

TEMPLATE_TEST_CASE("SoftmaxCrossEntropy rejects labels out of range and names the first one", "[loss]", int, unsigned char, long long) {
  const Matrix<float> z = Matrix<float>::Zero(3, 4);
  CHECK_NOTHROW(check_target(SoftmaxCrossEntropy{}, z, std::vector<TestType>{0, 1, 2, 0}));
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, std::vector<TestType>{0, 1, 3, 0}), ValueError, "the label of sample 2 is 3",
                      "with 3 outputs labels are 0 to 2");
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, std::vector<TestType>{0, 1, 2, 200}), ValueError,
                      "the label of sample 3 is 200");
  if constexpr (std::is_signed_v<TestType>)
    CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, std::vector<TestType>{0, -1, 2, 0}), ValueError,
                        "the label of sample 1 is -1");
  if constexpr (sizeof(TestType) == 8)  // this label would become 0 as an int
    CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, std::vector<TestType>{TestType{1} << 32, 1, 2, 0}), ValueError,
                        "the label of sample 0 is 4294967296");
}

TEST_CASE("SoftmaxCrossEntropy rejects a target that is no probability distribution and names its sample", "[loss]") {
  const Matrix<double> z = Matrix<double>::Zero(3, 2);
  const auto with = [](Index i, Index j, double value) {
    Matrix<double> y = matrix<double>({{0.25, 0}, {0.5, 1}, {0.25, 0}});
    y(i, j) = value;
    return y;
  };
  CHECK_NOTHROW(check_target(SoftmaxCrossEntropy{}, z, with(0, 0, 0.25)));
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, with(2, 1, 1.5)), ValueError, "y(2, 1) is 1.5", "SoftmaxCrossEntropy",
                      "probabilities, each from 0 to 1");
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, with(0, 1, -0.25)), ValueError, "y(0, 1) is -0.25");
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, with(1, 0, std::numeric_limits<double>::quiet_NaN())), ValueError,
                      "y(1, 0) is", "nan");
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, with(0, 0, 0.75)), ValueError, "the probabilities of sample 0 sum to 1.5",
                      "must sum to 1");
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{}, z, with(1, 1, 0.5)), ValueError, "the probabilities of sample 1 sum to 0.5");
}

// A NaN must neither vanish nor reach another sample.
TEST_CASE("SoftmaxCrossEntropy confines a NaN to its own sample", "[loss]") {
  for (const Index place : {0, 1, 2}) {
    Matrix<float> z = eighths<float>(3, 3);
    const Matrix<float> clean = linked(SoftmaxCrossEntropy{}, z);
    z(place, 1) = std::numeric_limits<float>::quiet_NaN();
    const Matrix<float> p = linked(SoftmaxCrossEntropy{}, z);
    CHECK(p.col(0) == clean.col(0));
    CHECK(p.col(2) == clean.col(2));
    CHECK(p.col(1).array().isNaN().all());
    for (const int label : {0, 1, 2}) CHECK(std::isnan(loss_value(SoftmaxCrossEntropy{}, z, std::vector<int>{0, label, 0})));
  }
}

// smoothed target y' = (1 - e) y + e/outputs
TEST_CASE("SoftmaxCrossEntropy with label smoothing satisfies the loss contract", "[loss]") {
  check_loss<double>(SoftmaxCrossEntropy{.label_smoothing = 0.25}, labels_for);
  check_loss<double>(SoftmaxCrossEntropy{.label_smoothing = 0.25}, rough_distributions<double>);
}

TEST_CASE("SoftmaxCrossEntropy with label smoothing equals the plain loss with smoothed targets", "[loss]") {
  const SoftmaxCrossEntropy smoothing{.label_smoothing = 0.25};
  const Matrix<double> z = eighths<double>(4, 3);
  const std::vector<int> labels{3, 0, 1};
  const Matrix<double> smoothed = (0.75 * as_matrix<double>(labels, 4).array() + 0.0625).matrix();
  CHECK(std::abs(loss_value(smoothing, z, labels) - loss_value(SoftmaxCrossEntropy{}, z, smoothed)) < 1e-15);
  CHECK((loss_gradient(smoothing, z, labels) - loss_gradient(SoftmaxCrossEntropy{}, z, smoothed)).cwiseAbs().maxCoeff() < 1e-16);
  CHECK(std::abs(loss_value(smoothing, z, as_matrix<double>(labels, 4)) - loss_value(smoothing, z, labels)) < 1e-15);
  CHECK(loss_value(smoothing, z, labels) != loss_value(SoftmaxCrossEntropy{}, z, labels));
  CHECK(equal(linked(smoothing, z), linked(SoftmaxCrossEntropy{}, z)));  // smoothing does not change predictions
}

TEST_CASE("SoftmaxCrossEntropy rejects a label smoothing that is not at least 0 and below 1", "[loss]") {
  const Matrix<float> z = Matrix<float>::Zero(3, 1);
  const std::vector<int> y{2};
  const auto refused = [&](double smoothing) { check_target(SoftmaxCrossEntropy{.label_smoothing = smoothing}, z, y); };
  CHECK_THROWS_SAYING(refused(1), ValueError, "SoftmaxCrossEntropy", "label_smoothing", "at least 0 and below 1", "got 1");
  CHECK_THROWS_SAYING(refused(-0.1), ValueError, "got -0.1");
  CHECK_THROWS_SAYING(refused(std::numeric_limits<double>::quiet_NaN()), ValueError, "got nan");
  CHECK_THROWS_SAYING(check_target(SoftmaxCrossEntropy{.label_smoothing = 2}, z, as_matrix<float>(y, 3)), ValueError, "got 2");
  CHECK_NOTHROW(refused(0.999));
}
