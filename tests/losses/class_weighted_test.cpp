#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/class_weighted.hpp>
#include <chainrule/losses/hinge.hpp>
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
  check_gradient_jvp_of_loss(by_class, y_hat, y);
  check_mean_over_batch(by_class, y_hat, y);
  check_memory_layout(by_class, y_hat, y);

  // class weights must equal a weight per sample, taken from its class
  const auto y_view = detail::target_view<double>(y);
  const auto of_sample = [&](Index j) { return weights[classes[static_cast<std::size_t>(j)]]; };
  CHECK(loss_value(by_class, y_hat, y) == detail::weighted_value(loss, detail::const_view<double>(y_hat), y_view, of_sample, 1.0));

  const ClassWeighted<L> all_one({1, 1, 1}, loss);
  const bool ones_are_none = equal(loss_gradient(all_one, y_hat, y), loss_gradient(loss, y_hat, y));
  CHECK(ones_are_none);
  const bool same_link = equal(linked(all_one, y_hat), linked(loss, y_hat));
  CHECK(same_link);
  const bool same_link_jvp = equal(linked_tangent(all_one, linked(loss, y_hat), y_hat), linked_tangent(loss, linked(loss, y_hat), y_hat));
  CHECK(same_link_jvp);
}

const double ln4 = std::log(4);

}  // namespace

TEST_CASE("ClassWeighted with labels, by hand: J = sum w(class) J_j / batch") {
  // softmax((ln 3, 0)) = (3/4, 1/4), so J_j = ln(4/3) for class 0 and ln 4 for class 1
  const Matrix<double> z{{std::log(3), std::log(3)}, {0, 0}};
  const ClassWeighted<SoftmaxCrossEntropy> loss{1, 5};
  const std::vector<int> y{0, 1};
  CHECK(loss_value(loss, z, y) == Approx((std::log(4.0 / 3) + 5 * ln4) / 2).epsilon(1e-14));
  CHECK(loss_gradient(loss, z, y).isApprox(Matrix<double>{{-0.25 / 2, 5 * 0.75 / 2}, {0.25 / 2, -5 * 0.75 / 2}}, 1e-14));
}

TEST_CASE("ClassWeighted with one row of targets, by hand: a target above 1/2 is class 1") {
  const Matrix<double> y_hat{{2, 0, 4}};
  const Matrix<double> y{{0.5, 1, 1}};  // classes 0, 1, 1; J_j = 9/8, 1/2, 9/2
  const ClassWeighted<SquaredError> loss{1, 3};
  CHECK(loss_value(loss, y_hat, y) == Approx((1.125 + 3 * 0.5 + 3 * 4.5) / 3).epsilon(1e-14));
  CHECK(loss_gradient(loss, y_hat, y).isApprox(Matrix<double>{{1.5 / 3, -3.0 / 3, 9.0 / 3}}, 1e-14));
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
  check_class_weights_of(SoftmaxCrossEntropy{}, y_hat, distributions, classes);
  check_class_weights_of(SoftmaxCrossEntropy{}, y_hat, std::vector<int>{0, 2, 1, 1, 2}, {0, 2, 1, 1, 2});
}

TEST_CASE("a class of weight 0 does not count, and a batch of only that class has loss and gradient 0") {
  const Matrix<double> z{{1, 2}, {3, 4}};
  const ClassWeighted<SoftmaxCrossEntropy> loss{0, 2};
  const std::vector<int> both{0, 1};
  CHECK(loss_value(loss, z, both) == loss_value(SoftmaxCrossEntropy{}, Matrix<double>(z.col(1)), std::vector<int>{1}));  // 2 J_1/2
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
  CHECK(net.mean_weight(y) == 11.0 / 3);
  CHECK(net.mean_weight(weighted(y, w)) == 22.0 / 3);
  CHECK(net.loss(y, work) == Approx((std::log(4.0 / 3) + 10 * ln4) / 3).epsilon(1e-14));
  CHECK(net.loss(weighted(y, w, 22.0 / 3), work) == Approx((2 * std::log(4.0 / 3) + 20 * ln4) / 22).epsilon(1e-14));
  auto dJ = net.make_gradients();
  net.backward(x, weighted(y, w, 22.0 / 3), work, dJ);
  // sum w_j (p - y_j) / sum w_j = (2 (-1/4) + 20 (3/4))/22
  CHECK(dJ.layer<0>().bias[0] == Approx(14.5 / 22).epsilon(1e-14));
  // evaluate takes the mean weight of its own samples
  CHECK(net.evaluate(x, y, work).loss == Approx((std::log(4.0 / 3) + 10 * ln4) / 11).epsilon(1e-14));
  CHECK(net.evaluate(x, weighted(y, w), work).loss == Approx((2 * std::log(4.0 / 3) + 20 * ln4) / 22).epsilon(1e-14));
  const std::vector<double> zeros{0, 0, 0};
  CHECK_THROWS_SAYING(net.evaluate(x, weighted(y, zeros), work), ValueError, "evaluate: all weights of the samples are 0");
  CHECK(net.predict(x)(0, 0) == Approx(0.75).epsilon(1e-14));
}

// PyTorch's BCEWithLogitsLoss(pos_weight=w, reduction="sum") is sum of w_i y ln(1 + e^-z) + (1 - y) ln(1 + e^z); here over the batch of 2.
TEST_CASE("with several labels at once ClassWeighted<BinaryCrossEntropy> weighs the yes of each output, as PyTorch's pos_weight") {
  const ClassWeighted<BinaryCrossEntropy> loss{3, 0.5, 1};
  const Matrix<double> z{{0.5, -2}, {1, 0.25}, {-1, 3}};
  const Matrix<double> y{{1, 1}, {1, 0}, {0, 0.25}};  // the first sample has two labels
  const auto expected = [&](auto entry) {
    double sum = 0;
    for (Index j = 0; j < 2; ++j)
      for (Index i = 0; i < 3; ++i) sum += entry(z(i, j), y(i, j), loss.class_weights()[i]);
    return sum / 2;
  };
  CHECK_NOTHROW(check_target(loss, z, y));
  CHECK(loss_value(loss, z, y) == Approx(expected([](double a, double b, double w) {
                                    return w * b * std::log1p(std::exp(-a)) + (1 - b) * std::log1p(std::exp(a));
                                  })).epsilon(1e-14));
  check_gradient_of_loss(loss, z, y);
  check_gradient_jvp_of_loss(loss, z, y);
  check_mean_over_batch(loss, z, y);
  check_memory_layout(loss, z, y);

  // weights of samples multiply them, and only weights of samples are in the mean weight
  const std::vector<double> w{2, 6};
  const auto weighted_y = weighted(y, w, 4);
  CHECK(loss.total_weight(weighted_y) == 8);
  const double first = loss_value(loss, Matrix<double>(z.col(0)), Matrix<double>(y.col(0)));
  const double second = loss_value(loss, Matrix<double>(z.col(1)), Matrix<double>(y.col(1)));
  CHECK(detail::loss_value(loss, detail::const_view<double>(z), weighted_y) == Approx((2 * first + 6 * second) / 8).epsilon(1e-14));

  const ClassWeighted<BinaryCrossEntropy> ones{1, 1, 1};
  CHECK(loss_value(ones, z, y) == Approx(loss_value(BinaryCrossEntropy{}, z, y)).epsilon(1e-14));
  CHECK_THROWS_SAYING(check_target(ClassWeighted<BinaryCrossEntropy>{1, 2}, z, y), ShapeError, "there are 2 class weights");

  // far from 0, e^z is not formed
  const Matrix<float> far = matrix<float>({{1e4f}, {-1e4f}, {-1e4f}});
  CHECK(loss_value(ClassWeighted<BinaryCrossEntropy>{3, 0.5, 1}, far, matrix<float>({{0}, {1}, {0}})) == 15000);
}

TEST_CASE("with several labels at once ClassWeighted<Hinge> weighs the yes of each output") {
  const ClassWeighted<Hinge> loss{3, 0.5};
  const Matrix<double> z{{0.5, -2}, {0.25, 0.5}};
  const Matrix<double> y{{1, -1}, {-1, 1}};
  CHECK(loss_value(loss, z, y) == (3 * 0.5 + 0 + 1.25 + 0.5 * 0.5) / 4);
  CHECK(loss_gradient(loss, z, y) == Matrix<double>{{-0.75, 0}, {0.25, -0.125}});
  CHECK(loss_gradient_jvp(loss, z, y, z).isZero(0));
}

TEST_CASE("ClassWeighted gives labels 0 and 1 of one output the weights of no and yes") {
  const Matrix<double> z{{1, -2, 0.5}};
  const ClassWeighted<BinaryCrossEntropy> loss{1, 39};
  CHECK_NOTHROW(check_target(loss, z, std::vector<int>{0, 1, 1}));
  CHECK(loss_value(loss, z, std::vector<int>{0, 1, 1}) == loss_value(loss, z, Matrix<double>{{0, 1, 1}}));
  CHECK(loss_gradient(loss, z, std::vector<int>{0, 1, 1}) == loss_gradient(loss, z, Matrix<double>{{0, 1, 1}}));
}

TEST_CASE("ClassWeighted refuses a target whose class is not known, because two rows are the largest") {
  const ClassWeighted<SquaredError> loss{1, 2, 3};
  const Matrix<double> z = Matrix<double>::Zero(3, 2);
  CHECK_NOTHROW(check_target(loss, z, Matrix<double>{{1, 0}, {0, 1}, {0, 0}}));
  CHECK_THROWS_SAYING(check_target(loss, z, Matrix<double>{{1, 0}, {0, 1}, {0, 1}}), ValueError,
                      "ClassWeighted: the largest target of sample 1 is in rows 1 and 2", "ClassWeighted<BinaryCrossEntropy>");
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
