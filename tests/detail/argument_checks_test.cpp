#include <chainrule/core/detail/sequence.hpp>
#include <chainrule/detail/argument_checks.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using detail::checked_input;

namespace {

/// A loss with two outputs for each target, such as a mean and a deviation.
struct HalfAsMany : SquaredError {
  static constexpr Index target_rows(Index outputs) { return outputs / 2; }
};

using Fixed = detail::Sequence<Dense<2, 4>>;
using AtRunTime = detail::Sequence<Dense<Dynamic, Dynamic>>;

const Matrix<float> y_hat = Matrix<float>::Zero(4, 3);

/// The checks of net.loss(y, work) for a net whose outputs are y_hat.
template <class LossType, class Sequence = Fixed, class Y>
auto checked_target(const Y& y) {
  return detail::checked_target<float, LossType, Sequence>("loss", LossType{}, y, detail::const_view<float>(y_hat), "x");
}

}  // namespace

TEST_CASE("checked_input wants a row for each input, at least one sample and finite numbers, and does not copy x") {
  const Fixed sequence{{Dense<2, 4>{}}};
  const Matrix<float> x{{1, 2}, {3, 4}};
  CHECK(checked_input<float>("predict", sequence, x).data() == x.data());
  CHECK(checked_input<float>("predict", sequence, x.rightCols(1)).data() == x.data() + 2);
  const AtRunTime three{{Dense<Dynamic, Dynamic>{3, 4}}};
  CHECK_THROWS_SAYING(checked_input<float>("predict", three, x), ShapeError, "predict: x has 2 rows, but the network has 3 inputs");
  CHECK_THROWS_SAYING(checked_input<float>("predict", sequence, x.leftCols(0)), ShapeError, "predict: the batch is empty");
  const Matrix<float> bad = x.array() / 0;
  CHECK_THROWS_SAYING(checked_input<float>("predict", sequence, bad), ValueError, "predict: x(0, 0) is inf");
}

TEST_CASE("checked_target wants as many rows as the network has outputs, unless the loss has its own target_rows") {
  CHECK(detail::target_rows<SquaredError>(4) == 4);
  CHECK(detail::target_rows<HalfAsMany>(4) == 2);
  CHECK(detail::target_rows<HalfAsMany>(Dynamic) == Dynamic);
  const auto rows = [](Index n) { return Matrix<float>::Zero(n, 3).eval(); };
  CHECK_NOTHROW(checked_target<SquaredError>(rows(4)));
  CHECK_NOTHROW(checked_target<HalfAsMany>(rows(2)));
  CHECK_NOTHROW(checked_target<HalfAsMany>(Matrix<float, 2, 3>::Zero().eval()));
  CHECK_THROWS_SAYING(checked_target<SquaredError>(rows(2)), ShapeError, "loss: y has 2 rows, but the network has 4 outputs");
  CHECK_THROWS_SAYING(checked_target<HalfAsMany>(rows(4)), ShapeError, "loss: y has 4 rows, but the network has 2 targets");
  CHECK_THROWS_SAYING((checked_target<HalfAsMany, AtRunTime>(rows(4))), ShapeError, "loss: y has 4 rows, but the network has 2 targets");
  CHECK_NOTHROW(checked_target<HalfAsMany, AtRunTime>(rows(2)));
}

TEST_CASE("checked_target wants as many samples as x has, in a matrix, in labels, and with weights") {
  const Matrix<float> two = Matrix<float>::Zero(4, 2);
  CHECK_THROWS_SAYING(checked_target<SquaredError>(two), ShapeError, "loss: y has 2 samples, but x had 3");
  CHECK_THROWS_SAYING(checked_target<SoftmaxCrossEntropy>(std::vector<int>{0, 1}), ShapeError, "loss: y has 2 samples, but x had 3");
  const std::vector<float> ones{1, 1};
  CHECK_THROWS_SAYING(checked_target<SquaredError>(weighted(two, ones)), ShapeError, "loss: y has 2 samples");
}

TEST_CASE("labels as floating-point numbers are refused with the conversion to integers") {
  const Eigen::MatrixXf row = Eigen::RowVector3f{0, 3, 1};
  const Eigen::VectorXf column = row.transpose();
  CHECK_THROWS_SAYING((checked_target<SoftmaxCrossEntropy, AtRunTime>(row)), ShapeError, "loss: y is 1 x 3, but it must be 4 x 3",
                      "Eigen::VectorXi labels = y.reshaped().cast<int>();");
  CHECK_THROWS_SAYING((checked_target<SoftmaxCrossEntropy, AtRunTime>(column)), ShapeError, "loss: y is 3 x 1, but it must be 4 x 3");
  CHECK_THROWS_SAYING((checked_target<SquaredError, AtRunTime>(row)), ShapeError, "loss: y has 1 rows, but the network has 4 outputs");
  const Eigen::VectorXi labels = row.reshaped().cast<int>();
  CHECK_NOTHROW(checked_target<SoftmaxCrossEntropy>(labels));

  const Matrix<float> one_output = Matrix<float>::Zero(1, 3);
  CHECK_THROWS_SAYING(
      (detail::checked_target<float, SquaredError, AtRunTime>("loss", {}, column, detail::const_view<float>(one_output), "x")), ShapeError,
      "loss: y is a column of 3 numbers, but one column is one sample; pass a row: y.transpose().eval()");
}

TEST_CASE("checked_target checks weights, and the targets that they belong to") {
  const Matrix<float> y = Matrix<float>::Zero(4, 3);
  const std::vector<float> two{1, 2};
  const std::vector<float> negative{1, 2, -1};
  const std::vector<float> good{1, 2, 0};
  CHECK_THROWS_SAYING(checked_target<SquaredError>(weighted(y, two)), ShapeError, "target: there are 2 weights for 3 samples");
  CHECK_THROWS_SAYING(checked_target<SquaredError>(weighted(y, negative)), ValueError, "the weight of sample 2 is -1");
  CHECK_NOTHROW(checked_target<SquaredError>(weighted(y, good)));
  const std::vector<int> labels{0, 4, 1};
  CHECK_THROWS_SAYING(checked_target<SoftmaxCrossEntropy>(weighted(labels, good)), ValueError, "the label of sample 1 is 4");
  CHECK(checked_target<SquaredError>(weighted(y, good)).weights.data() == good.data());
}
