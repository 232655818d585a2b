#include <chainrule/core/view.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// Checks that a loss computes the same for rows 1 and 2 of three as for a copy of these rows, and writes no other row.
template <class L>
void check_rows(const L& loss) {
  const Eigen::MatrixXd y_hat{{9, 9}, {1.5, -0.25}, {0.5, 3}}, y{{9, 9}, {0.75, 0.5}, {0.25, 0.5}};
  const Eigen::MatrixXd y_hat_copy = y_hat.bottomRows(2), y_copy = y.bottomRows(2);
  CHECK(loss.value(view(y_hat.bottomRows(2)), view(y.bottomRows(2))) == loss.value(view(y_hat_copy), view(y_copy)));

  Eigen::MatrixXd dJ = Eigen::MatrixXd::Constant(3, 2, 7), dJ_copy(2, 2);
  loss.gradient(view(y_hat.bottomRows(2)), view(y.bottomRows(2)), mutable_view(dJ.bottomRows(2)));
  loss.gradient(view(y_hat_copy), view(y_copy), mutable_view(dJ_copy));
  CHECK(dJ.bottomRows(2) == dJ_copy);
  CHECK((dJ.row(0).array() == 7).all());

  Eigen::MatrixXd z = y_hat, z_copy = y_hat_copy;
  loss.link(mutable_view(z.bottomRows(2)));
  loss.link(mutable_view(z_copy));
  CHECK(z.bottomRows(2) == z_copy);
  CHECK(z.row(0) == y_hat.row(0));
}

}  // namespace

TEST_CASE("Losses that are called by hand take views of blocks of rows") {
  check_rows(Huber{});
  check_rows(BinaryCrossEntropy{});
  check_rows(SoftmaxCrossEntropy{});

  // errors of 0.5 and 3: 0.5^2/2 and 3 - 1/2, the mean of which is 1.3125
  const Eigen::MatrixXf y_hat{{9, 9}, {1.5f, -1}}, y{{0, 0}, {1, 2}};
  CHECK(Huber{}.value(view(y_hat.row(1)), view(y.row(1))) == 1.3125f);
}

TEST_CASE("A view to write to whose columns overlap is refused") {
  std::vector<float> numbers(4);
  Eigen::Map<Eigen::MatrixXf, 0, Eigen::OuterStride<>> overlapping(numbers.data(), 2, 3, Eigen::OuterStride<>(1));
  CHECK_THROWS_SAYING(mutable_view(overlapping), ShapeError, "they overlap");
  CHECK(view(overlapping).outerStride() == 1);
}
