#include <chainrule/any/any_loss.hpp>
#include <chainrule/losses/class_weighted.hpp>
#include <chainrule/losses/gaussian_nll.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/losses/kl_divergence.hpp>
#include <chainrule/losses/mean_absolute_error.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/losses/sum_of_losses.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {
using Squares = SumOfLosses<MeanSquaredError, MeanAbsoluteError, Huber>;
using AnySum = SumOfLosses<std::vector<AnyLoss<float>>>;
}  // namespace

TEST_CASE("SumOfLosses satisfies the loss contract", "[loss]") {
  check_loss<float>(Squares{{0.5, 0.125, 2}}, random_matrix<float>);
  check_loss<float>(SumOfLosses<SoftmaxCrossEntropy, KLDivergence>{{1, 0.3}}, chainrule::testing::random_distributions<float>);
}

TEST_CASE("SumOfLosses by hand: 1/2 of the squares and 1/8 of the distances", "[loss]") {
  // errors 1/2 and -2: J = (1/8 + 2)/2 and (1/2 + 2)/2 as means over two outputs
  const SumOfLosses<MeanSquaredError, MeanAbsoluteError> loss{{0.5, 0.125}};
  const Matrix<float> y_hat{{1.5}, {0}}, y{{1}, {2}};
  const double squares = loss_value(MeanSquaredError{}, y_hat, y);
  CHECK(squares == Approx((0.25 + 4) / 2));
  CHECK(loss_value(loss, y_hat, y) == 0.5 * squares + 0.125 * 1.25);
  CHECK(equal(loss_gradient(loss, y_hat, y), matrix<float>({{0.5 * 0.5 + 0.125 * 0.5}, {0.5 * -2 - 0.125 * 0.5}})));
}

TEST_CASE("SumOfLosses takes labels where each loss does, and columns of any length", "[loss]") {
  const SumOfLosses<SoftmaxCrossEntropy, SoftmaxCrossEntropy> loss{{1, 0.5}, {}, {.label_smoothing = 0.5}};
  Random random{Seed{1}};
  for (const Index rows : {2, 5, 700, 3000}) {  // more than one column, and less than one, fit into the memory on the stack
    const Matrix<float> z = random_matrix<float>(rows, 37, random);
    const std::vector<int> y = chainrule::testing::random_labels(37, rows, random);
    const Matrix<float> apart = loss_gradient(SoftmaxCrossEntropy{}, z, y) + 0.5f * loss_gradient(SoftmaxCrossEntropy{0.5}, z, y);
    CHECK((loss_gradient(loss, z, y) - apart).cwiseAbs().maxCoeff() < 1e-8f);
    CHECK(loss_value(loss, z, y) == Approx(loss_value(SoftmaxCrossEntropy{}, z, y) + 0.5 * loss_value(SoftmaxCrossEntropy{0.5}, z, y)));
    // a sample has the same gradient wherever it stands in the batch
    const Matrix<float> turned = z.rowwise().reverse();
    const std::vector<int> turned_y(y.rbegin(), y.rend());
    CHECK(equal(loss_gradient(loss, turned, turned_y), Matrix<float>(loss_gradient(loss, z, y).rowwise().reverse())));
  }
}

TEST_CASE("SumOfLosses known at run time gives the bits of one whose types are known", "[loss]") {
  const Squares fixed{{0.5, 0.125, 2}, {}, {}, {.delta = 0.5}};
  const AnyLoss<float> any = AnySum{{0.5, 0.125, 2}, {MeanSquaredError{}, MeanAbsoluteError{}, Huber{.delta = 0.5}}};
  Random random{Seed{1}};
  const Matrix<float> z = random_matrix<float>(3, 9, random), y = random_matrix<float>(3, 9, random);
  CHECK(loss_value(any, z, y) == loss_value(fixed, z, y));
  CHECK(equal(loss_gradient(any, z, y), loss_gradient(fixed, z, y)));
  CHECK(equal(loss_gradient_jvp(any, z, y, z), loss_gradient_jvp(fixed, z, y, z)));
  CHECK(equal(linked(any, z), z));
  CHECK(any.describe() == describe(fixed));
  CHECK_FALSE(any.on_logits());
}

TEST_CASE("SumOfLosses refuses losses of different predictions, and other numbers of weights", "[loss]") {
  CHECK_THROWS_SAYING((AnySum{{1, 1}, {SoftmaxCrossEntropy{}, Huber{}}}), ValueError,
                      "SumOfLosses: SoftmaxCrossEntropy and Huber make different predictions of the outputs");
  CHECK_THROWS_SAYING((AnySum{{1, 1}, {SoftmaxCrossEntropy{}, Squares{}}}), ValueError, "make different predictions");
  CHECK_THROWS_SAYING((AnySum{{1, 1}, {GaussianNLL{.minimum_variance = 1}, GaussianNLL{}}}), ValueError,
                      "do not say that they make the same");
  CHECK_NOTHROW(AnySum{{1, 1}, {ClassWeighted<SoftmaxCrossEntropy>{1, 2}, KLDivergence{}}});
  CHECK_THROWS_SAYING((AnySum{{1}, {Huber{}, Huber{}}}), ValueError, "there are 1 weights for 2 losses");
  CHECK_THROWS_SAYING((AnySum{{}, {}}), ValueError, "there are 0 weights for 0 losses");
  CHECK_THROWS_SAYING((Squares{{1, -1, 1}}), ValueError, "SumOfLosses: weight must be at least 0 and finite, got -1");
}
