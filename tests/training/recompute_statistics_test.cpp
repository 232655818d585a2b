#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/training/recompute_statistics.hpp>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

Dataset<double, Matrix<double>> numbers(Index samples) {
  return {3 * Matrix<double>::Random(2, samples), Matrix<double>::Zero(2, samples)};
}

/// Mean, variance with divisor samples - 1, and count: what a BatchNorm of x keeps after batches of these sizes.
Vector<double> expected(const Matrix<double>& x, const std::vector<Index>& batches) {
  Vector<double> all = Vector<double>::Zero(5);
  Index first = 0;
  for (const Index n : batches) {
    const Matrix<double> part = x.middleCols(first, n);
    const Vector<double> mean = part.rowwise().mean();
    const double share = static_cast<double>(n) / static_cast<double>(first + n);
    all.head(2) += share * (mean - all.head(2));
    all.segment(2, 2) +=
        share * ((part.colwise() - mean).array().square().rowwise().sum().matrix() / static_cast<double>(n - 1) - all.segment(2, 2));
    first += n;
  }
  all[4] = static_cast<double>(batches.size());
  return all;
}

}  // namespace

TEST_CASE("recompute_statistics makes the running statistics the mean over the batches of the data, whatever they were") {
  AnyNetwork<double> net{Seed{1}, SquaredError{}, {BatchNorm<Dynamic>{2}, Residual<BatchNorm<Dynamic>>{BatchNorm<Dynamic>{2}}}};
  const auto data = numbers(21);
  net.buffers().setConstant(100);
  net.buffers()[4] = 7;
  recompute_statistics(net, data, 8);  // 8, 8 and 5 samples
  Vector<double> first = expected(data.features, {8, 8, 5});
  first[4] += 7;
  CHECK(Vector<double>(net.buffers().head(5)).isApprox(first, 1e-13));
  CHECK(net.buffers().segment(5, 2).norm() < 1e-13);  // the first BatchNorm has made the means 0
  CHECK((net.buffers().segment(7, 2).array() > 0.9).all());
  CHECK((net.buffers().segment(7, 2).array() < 1.3).all());

  recompute_statistics(net, numbers(17), 8);  // a last batch of one sample is left out
  CHECK(net.buffers()[4] == 12);
}

TEST_CASE("recompute_statistics that throws has changed nothing") {
  AnyNetwork<double> net{Seed{1}, SquaredError{}, {BatchNorm<Dynamic>{2}}};
  auto data = numbers(20);
  recompute_statistics(net, data);
  const Vector<double> before = net.buffers();
  data.features(1, 19) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(recompute_statistics(net, data, 5), ValueError, "nan");
  CHECK(before == net.buffers());
  CHECK_THROWS_SAYING(recompute_statistics(net, numbers(1)), ShapeError, "recompute_statistics: it needs at least 2 samples, got 1");
  CHECK_THROWS_SAYING(recompute_statistics(net, numbers(20), 1), ShapeError, "BatchNorm cannot learn from a batch of one sample");
  CHECK_THROWS_SAYING(recompute_statistics(net, numbers(20), 0), ShapeError, "max_batch must be at least 1, got 0");
  auto work = net.make_workspace(20);
  net.forward(numbers(20).features, work);
  CHECK_THROWS_SAYING(net.update_statistics(work, 1.5), ValueError, "update_statistics: share must be above 0 and at most 1, got 1.5");
}
