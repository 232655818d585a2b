#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/class_weighted.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>
#include <limits>

#include "support/loss_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

/// Checks the properties that ClassWeighted must have with any loss. `classes` holds each sample's class.
template <class L, class Y>
void check_class_weights_of(const L& loss, const Matrix<double>& y_hat, const Y& y, const std::vector<std::size_t>& classes) {
  static_assert(Loss<ClassWeighted<L>>);
  const std::vector<double> weights{0.5, 3, 1};
  const ClassWeighted<L> by_class(weights, loss);
  CHECK_NOTHROW(check_target(by_class, y_hat, y));
  check_gradient_of_loss(by_class, y_hat, y);
  check_mean_over_batch(by_class, y_hat, y);
  check_memory_layout(by_class, y_hat, y);

  // class weights must equal a weight per sample, taken from its class
  const auto y_view = detail::target_view<double>(y);
  const auto of_sample = [&](Index j) { return weights[classes[static_cast<std::size_t>(j)]]; };
  CHECK(loss_value(by_class, y_hat, y) == detail::weighted_value(loss, detail::const_view<double>(y_hat), y_view, of_sample));

  const ClassWeighted<L> all_one({1, 1, 1}, loss);
  const bool ones_are_none = equal(loss_gradient(all_one, y_hat, y), loss_gradient(loss, y_hat, y));
  CHECK(ones_are_none);
  const bool same_link = equal(linked(all_one, y_hat), linked(loss, y_hat));
  CHECK(same_link);
}

const double ln4 = std::log(4);

}  // namespace

TEST_CASE("ClassWeighted with labels, by hand: J = sum w(class) J_j / sum w(class)") {
  // softmax((ln 3, 0)) = (3/4, 1/4), so J_j = ln(4/3) for class 0 and ln 4 for class 1
  const Matrix<double> z{{std::log(3), std::log(3)}, {0, 0}};
  const ClassWeighted<SoftmaxCrossEntropy> loss{1, 5};
  const std::vector<int> y{0, 1};
  CHECK(loss_value(loss, z, y) == Approx((std::log(4.0 / 3) + 5 * ln4) / 6).epsilon(1e-14));
  CHECK(loss_gradient(loss, z, y).isApprox(Matrix<double>{{-0.25 / 6, 5 * 0.75 / 6}, {0.25 / 6, -5 * 0.75 / 6}}, 1e-14));
}

TEST_CASE("ClassWeighted with one row of targets, by hand: a target above 1/2 is class 1") {
  const Matrix<double> y_hat{{2, 0, 4}};
  const Matrix<double> y{{0.5, 1, 1}};  // classes 0, 1, 1; J_j = 9/8, 1/2, 9/2
  const ClassWeighted<SquaredError> loss{1, 3};
  CHECK(loss_value(loss, y_hat, y) == Approx((1.125 + 3 * 0.5 + 3 * 4.5) / 7).epsilon(1e-14));
  CHECK(loss_gradient(loss, y_hat, y).isApprox(Matrix<double>{{1.5 / 7, -3.0 / 7, 9.0 / 7}}, 1e-14));
}

TEST_CASE("ClassWeighted works with every loss") {
  Random random{Seed{1}};
  const auto y_hat = random_matrix<double>(3, 5, random);
  const auto distributions = random_distributions<double>(3, 5, random);
  std::vector<std::size_t> classes(5);
  for (Index j = 0; j < 5; ++j) {
    Index row = 0;
    distributions.col(j).maxCoeff(&row);
    classes[static_cast<std::size_t>(j)] = static_cast<std::size_t>(row);
  }
  check_class_weights_of(SquaredError{}, y_hat, distributions, classes);
  check_class_weights_of(MeanSquaredError{}, y_hat, distributions, classes);
  check_class_weights_of(BinaryCrossEntropy{}, y_hat, distributions, classes);
  check_class_weights_of(SoftmaxCrossEntropy{}, y_hat, distributions, classes);
  check_class_weights_of(SoftmaxCrossEntropy{}, y_hat, std::vector<int>{0, 2, 1, 1, 2}, {0, 2, 1, 1, 2});
}

TEST_CASE("a class of weight 0 does not count, and a batch of only that class has loss and gradient 0") {
  const Matrix<double> z{{1, 2}, {3, 4}};
  const ClassWeighted<SoftmaxCrossEntropy> loss{0, 2};
  const std::vector<int> both{0, 1};
  CHECK(loss_value(loss, z, both) == loss_value(SoftmaxCrossEntropy{}, Matrix<double>(z.col(1)), std::vector<int>{1}));
  CHECK(loss_gradient(loss, z, both).col(0).isZero(0));
  const std::vector<int> none{0, 0};
  CHECK(loss_value(loss, z, none) == 0);
  CHECK(loss_gradient(loss, z, none).isZero(0));
}

TEST_CASE("class weights and sample weights multiply") {
  Network<double, ClassWeighted<SoftmaxCrossEntropy>, Dense<2, 2>> net{Seed{1}, {{1, 5}}};
  net.parameters().setZero();
  net.layer<0>().bias[0] = std::log(3);
  CHECK(net.loss_function().class_weights() == Eigen::Vector2d(1, 5));
  auto work = net.make_workspace(3);
  const Matrix<double> x = Matrix<double>::Ones(2, 3);
  const std::vector<int> y{0, 1, 1};
  const std::vector<double> w{2, 1, 3};
  net.forward(x, work);
  CHECK(net.loss(y, work) == Approx((std::log(4.0 / 3) + 10 * ln4) / 11).epsilon(1e-14));
  CHECK(net.loss(weighted(y, w), work) == Approx((2 * std::log(4.0 / 3) + 20 * ln4) / 22).epsilon(1e-14));
  auto dJ = net.make_gradients();
  net.backward(x, weighted(y, w), work, dJ);
  // sum w_j (p - y_j) / sum w_j = (2 (-1/4) + 20 (3/4))/22
  CHECK(dJ.layer<0>().bias[0] == Approx(14.5 / 22).epsilon(1e-14));
  CHECK(net.evaluate(x, weighted(y, w), work).loss == Approx((2 * std::log(4.0 / 3) + 20 * ln4) / 22).epsilon(1e-14));
  CHECK(net.predict(x)(0, 0) == Approx(0.75).epsilon(1e-14));
}

TEST_CASE("ClassWeighted's constructor rejects weights that are negative, not finite or all 0") {
  using Weighted = ClassWeighted<SquaredError>;
  CHECK_THROWS_SAYING((Weighted{1, -2}), ValueError, "ClassWeighted: the weight of class 1 is -2, but weights are finite and at least 0");
  CHECK_THROWS_SAYING((Weighted{std::numeric_limits<double>::quiet_NaN(), 1}), ValueError, "the weight of class 0 is nan");
  CHECK_THROWS_SAYING((Weighted{1, std::numeric_limits<double>::infinity()}), ValueError, "the weight of class 1 is inf");
  CHECK_THROWS_SAYING((Weighted{0, 0}), ValueError, "ClassWeighted: all class weights are 0, so nothing would be learned");
  CHECK_THROWS_SAYING(Weighted(std::vector<double>{}), ValueError, "all class weights are 0");
}

TEST_CASE("ClassWeighted rejects targets with another number of classes than weights, and targets that its loss rejects") {
  const Matrix<float> z = Matrix<float>::Zero(3, 2);
  const std::vector<int> labels{0, 2};
  const ClassWeighted<SoftmaxCrossEntropy> two{1, 2};
  const ClassWeighted<SoftmaxCrossEntropy> three{1, 2, 3};
  CHECK_NOTHROW(check_target(three, z, labels));
  CHECK_THROWS_SAYING(check_target(two, z, labels), ShapeError, "ClassWeighted: there are 2 class weights, but the targets have 3 classes");
  CHECK_THROWS_SAYING(check_target(two, z, matrix<float>({{1, 0}, {0, 1}, {0, 0}})), ShapeError, "there are 2 class weights");
  CHECK_THROWS_SAYING(check_target(ClassWeighted<SoftmaxCrossEntropy>{}, z, labels), ShapeError, "there are 0 class weights");
  CHECK_THROWS_SAYING(check_target(three, z, std::vector<int>{0, 3}), ValueError, "the label of sample 1 is 3");
  const ClassWeighted<BinaryCrossEntropy> yes_or_no{1, 2};
  CHECK_NOTHROW(check_target(yes_or_no, matrix<float>({{0, 0}}), matrix<float>({{0, 1}})));
  CHECK_THROWS_SAYING(check_target(ClassWeighted<BinaryCrossEntropy>{1}, matrix<float>({{0}}), matrix<float>({{1}})), ShapeError,
                      "there are 1 class weights, but the targets have 2 classes");
  CHECK_THROWS_SAYING(check_target(yes_or_no, matrix<float>({{0}}), matrix<float>({{2}})), ValueError, "takes probabilities");
}
