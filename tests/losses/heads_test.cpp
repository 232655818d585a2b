#include <chainrule/activations/relu.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/data/one_hot.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/gaussian_nll.hpp>
#include <chainrule/losses/heads.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>

#include "support/loss_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

using ThreeHeads = Heads<Head<SoftmaxCrossEntropy, 3>, Head<Huber, 2>, Head<GaussianNLL, 4>>;
using AnyHeads = Heads<std::vector<Head<AnyLoss<float>>>>;

/// Targets of ThreeHeads: probabilities, two numbers, and two numbers.
template <class Scalar>
Matrix<Scalar> make_targets(Index rows, Index cols, Random& random) {
  Matrix<Scalar> y(rows, cols);
  y.topRows(3) = chainrule::testing::random_distributions<Scalar>(3, cols, random);
  y.bottomRows(rows - 3) = random_matrix<Scalar>(rows - 3, cols, random);
  return y;
}

AnyHeads at_run_time(const ThreeHeads& heads) {
  std::vector<Head<AnyLoss<float>>> list;
  detail::for_each_layer(heads.heads(), [&](const auto& head) { list.emplace_back(head.outputs(), head.weight(), head.loss()); });
  return AnyHeads{list};
}

}  // namespace

TEST_CASE("Heads of a classification, a regression and a variance satisfy the loss contract", "[loss]") {
  check_loss<float>(ThreeHeads{0.5, {2, Huber{.delta = 0.5}}, 3}, make_targets<float>, {.positive = false, .max_output = 60});
}

TEST_CASE("Heads by hand: J = ln(4/3) + 1/2 1, each link on its own rows", "[loss]") {
  // softmax((ln 3, 0)) = (3/4, 1/4); Huber of the error 3/2 is 3/2 - 1/2 = 1, and its slope 1
  const Heads<Head<SoftmaxCrossEntropy, 2>, Head<Huber, 1>> loss{1, 0.5};
  const Matrix<float> z{{std::log(3.0f)}, {0}, {2}}, y{{1}, {0}, {0.5}};
  CHECK(loss_value(loss, z, y) == Approx(std::log(4.0 / 3) + 0.5).epsilon(1e-6));
  CHECK(loss_gradient(loss, z, y).isApprox(Matrix<float>{{-0.25}, {0.25}, {0.5}}, 1e-6f));
  CHECK(linked(loss, z).isApprox(Matrix<float>{{0.75}, {0.25}, {2}}, 1e-6f));
  // the Jacobian of softmax is p_i (delta_ik - p_k): 3/16 on the diagonal, -3/16 beside it
  CHECK(linked_tangent(loss, linked(loss, z), Matrix<float>{{16, 0}, {0, 16}, {5, 6}})
            .isApprox(Matrix<float>{{3, -3}, {-3, 3}, {5, 6}}, 1e-6f));
}

TEST_CASE("Heads known at run time give the bits of those whose types are known", "[loss]") {
  const ThreeHeads fixed{0.5, {2, Huber{.delta = 0.5}}, 3};
  const AnyHeads dynamic = at_run_time(fixed);
  const AnyLoss<float> any = dynamic;
  Random random{Seed{1}};
  const Matrix<float> z = random_matrix<float>(9, 5, random), y = make_targets<float>(7, 5, random);
  const Matrix<float> d = random_matrix<float>(9, 5, random);
  CHECK(loss_value(any, z, y) == loss_value(fixed, z, y));
  CHECK(equal(loss_gradient(any, z, y), loss_gradient(fixed, z, y)));
  CHECK(equal(loss_gradient_jvp(any, z, y, d), loss_gradient_jvp(fixed, z, y, d)));
  CHECK(equal(linked(any, z), linked(fixed, z)));
  CHECK(equal(linked_tangent(any, linked(fixed, z), d), linked_tangent(fixed, linked(fixed, z), d)));
  CHECK(any.on_logits());
  CHECK(any.target_rows(9) == 7);
  CHECK(any.has_gradient_jvp());
  CHECK(any.has_link_jvp());
  CHECK(any.describe() == fixed.describe());
}

TEST_CASE("Heads with a weight of 0 leave the gradient of the others, whatever they predict", "[loss]") {
  const Heads<Head<SquaredError, 1>, Head<SquaredError, 1>> loss{1, 0};
  const Matrix<float> y_hat{{3}, {1e38f}}, y{{1}, {-1e38f}};
  CHECK(loss_value(loss, y_hat, y) == 2);
  CHECK(equal(loss_gradient(loss, y_hat, y), matrix<float>({{2}, {0}})));
}

TEST_CASE("Heads whose losses are sums of squares have residuals, so that LevenbergMarquardt takes them", "[loss]") {
  using Loss = Heads<Head<SquaredError, 1>, Head<MeanSquaredError, 2>>;
  const Loss loss{1, 0.25};
  const Matrix<float> y_hat{{3, 0}, {1, 2}, {0, 5}}, y{{1, 1}, {1, 0}, {2, 1}};
  Matrix<float> r(3, 2), slopes(3, 2);
  loss.residuals(detail::const_view<float>(y_hat), detail::const_view<float>(y), detail::mutable_view<float>(r),
                 detail::mutable_view<float>(slopes));
  CHECK(r.squaredNorm() / 4 == Approx(loss_value(loss, y_hat, y)).epsilon(1e-6));
  CHECK((r.cwiseProduct(slopes) / 2).isApprox(loss_gradient(loss, y_hat, y), 1e-6f));
  CHECK(AnyLoss<float>(loss).has_residuals());
  CHECK_FALSE(AnyLoss<float>(at_run_time(ThreeHeads{})).has_residuals());
}

TEST_CASE("A network of two heads learns classes and a value at once", "[loss]") {
  using Loss = Heads<Head<SoftmaxCrossEntropy, 2>, Head<MeanSquaredError, 1>>;
  Network<float, Loss, Dense<2, 3>> net{Seed{1}, Loss{1, 0.5}};
  Random random{Seed{2}};
  const Matrix<float> x = random_matrix<float>(2, 6, random);
  Matrix<float> y(3, 6);
  y << one_hot<float>(std::vector<int>{0, 1, 1, 0, 1, 0}, 2), x.row(0) * 2;
  auto work = net.make_workspace(6);
  auto dJ = net.make_gradients();
  const float before = net.evaluate(x, y, work).loss;
  for (int step = 0; step < 50; ++step) {
    net.forward(x, work);
    net.backward(x, y, work, dJ);
    net.parameters() -= 0.5f * dJ.flat();
  }
  CHECK(net.evaluate(x, y, work).loss < 0.9f * before);
  const Matrix<float> y_hat = net.predict(x);
  CHECK(y_hat.topRows(2).colwise().sum().isApproxToConstant(1, 1e-6f));  // probabilities

  // the weight of a sample multiplies the losses of all heads
  const Vector<float> w = Vector<float>::Constant(6, 2);
  net.forward(x, work);
  CHECK(net.loss(weighted(y, w), work) == Approx(2 * net.loss(y, work)).epsilon(1e-6));
}

TEST_CASE("Heads name the head in errors, and say how many outputs they need", "[loss]") {
  const ThreeHeads loss;
  const Matrix<float> z = Matrix<float>::Zero(9, 1);
  Matrix<float> y = Matrix<float>::Zero(7, 1);
  CHECK_THROWS_SAYING(check_target(loss, z, y), ValueError, "head 0: target: the probabilities of sample 0 sum to 0");
  y(0, 0) = 1;
  y(4, 0) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_SAYING(check_target(loss, z, y), ValueError, "head 1: target: y(1, 0)");
  CHECK_THROWS_SAYING((Head<SoftmaxCrossEntropy, 3>{-1}), ValueError, "Head: weight must be at least 0 and finite, got -1");
  CHECK_THROWS_SAYING((Head<SoftmaxCrossEntropy>{1}), ShapeError, "Head: SoftmaxCrossEntropy needs at least 2 outputs");
  CHECK_THROWS_SAYING(AnyHeads{std::vector<Head<AnyLoss<float>>>{}}, ShapeError, "Heads: it needs at least one head");
  CHECK_THROWS_SAYING((AnyNetwork<float>{Seed{1}, loss, {Dense<Dynamic, Dynamic>{2, 8}}}), ShapeError,
                      "AnyNetwork: the heads have 9 outputs together, but the last layer has 8");
  CHECK_THROWS_SAYING((make_network<float>(Seed{1}, loss, Dense<Dynamic, Dynamic>{2, 8})), ShapeError,
                      "Network: the heads have 9 outputs together, but the last layer has 8");
  CHECK_THROWS_SAYING((AnyNetwork<float>{Seed{1}, at_run_time(loss), {Dense<Dynamic, Dynamic, ReLU>{2, 9}}}), ValueError,
                      "Heads works on logits");
}
