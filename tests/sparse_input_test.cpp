#include <algorithm>
#include <chainrule/activations/relu.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/sparse_input.hpp>
#include <cmath>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

using Dyn = Dense<Dynamic, Dynamic, ReLU>;
using Fixed = Network<float, BinaryCrossEntropy, Dense<300, 130, ReLU>, Dense<130, 7, ReLU>, Dense<7, 1>>;
using RunTime = Network<float, BinaryCrossEntropy, Dyn, Dyn, Dense<Dynamic, Dynamic>>;

RunTime run_time_net(Index inputs, Index hidden) {
  RunTime net(Seed{3}, Dyn{inputs, hidden}, Dyn{hidden, 7}, Dense<Dynamic, Dynamic>{7, 1});
  net.layer<0>().bias.setLinSpaced(-1, 1);
  return net;
}

// some inputs of each 64, and the first and last
std::vector<int> some_of(Index inputs) {
  std::vector<int> active;
  for (int k = 0; k < inputs; k += 1 + k % 37) active.push_back(k);
  if (active.back() != inputs - 1) active.push_back(static_cast<int>(inputs) - 1);
  std::reverse(active.begin(), active.end());  // the order must not matter
  return active;
}

template <class Scalar>
Matrix<Scalar> dense(Index inputs, const std::vector<int>& active, Index samples = 1) {
  Matrix<Scalar> x = Matrix<Scalar>::Zero(inputs, samples);
  for (const int k : active) x.row(k).setOnes();
  return x;
}

}  // namespace

TEST_CASE("SparseInput predicts the bits of the dense net after refresh, with extents as types and as values") {
  Fixed fixed{Seed{3}};
  fixed.layer<0>().bias.setLinSpaced(-1, 1);
  const RunTime run_time = run_time_net(300, 130);
  const auto check = [](const auto& net) {
    SparseInput sparse(net);
    auto work = net.make_workspace(1), dense_work = net.make_workspace(1);
    std::vector<int> all(300);
    for (int k = 0; k < 300; ++k) all[static_cast<std::size_t>(k)] = k;
    for (const std::vector<int>& active : {std::vector<int>{}, std::vector<int>{299}, some_of(300), all}) {
      sparse.refresh(active);
      const Matrix<float> x = dense<float>(300, active);
      CHECK(sparse.predict(work) == net.predict(x, dense_work));
      CHECK(sparse.predict_raw(work) == net.predict_raw(x, dense_work));
      for (int k = 0; k < 300; ++k) CHECK(sparse.is_active(k) == (x(k, 0) == 1));
    }
    return sparse.predict(work)(0, 0);
  };
  CHECK(check(fixed) == check(run_time));
}

TEST_CASE("SparseInput sums z after refresh in the order of a batch, for any number of inputs and outputs") {
  const std::pair<Index, Index> extents[] = {{1, 2}, {12, 5}, {64, 40}, {65, 17}, {257, 127}, {700, 300}, {1500, 2}};
  for (const auto& [inputs, outputs] : extents) {
    CAPTURE(inputs, outputs);
    const RunTime net = run_time_net(inputs, outputs);
    SparseInput sparse(net);
    const std::vector<int> active = some_of(inputs);
    sparse.refresh(active);
    const Matrix<float> x = dense<float>(inputs, active, 2);
    auto work = net.make_workspace(2);
    net.forward(x, work);
    CHECK(sparse.z().cwiseMax(0.0f) == work.activation<0>().col(1));
  }
}

TEST_CASE("SparseInput adds and removes columns with one rounding each, and refresh takes the error away") {
  const RunTime net = run_time_net(300, 130);
  SparseInput sparse(net), fresh(net);
  std::vector<bool> active(300);
  Random random{Seed{5}};
  constexpr int changes = 2000;
  float largest = 0;
  for (int n = 0; n < changes; ++n) {
    const Index k = static_cast<Index>(random.uniform() * 300);
    const auto at = static_cast<std::size_t>(k);
    active[at] ? sparse.remove(k) : sparse.add(k);
    active[at] = !active[at];
    largest = std::max(largest, sparse.z().cwiseAbs().maxCoeff());
  }
  std::vector<int> left;
  Vector<long double> exact = net.layer<0>().bias.cast<long double>();
  for (int k = 0; k < 300; ++k)
    if (active[static_cast<std::size_t>(k)]) {
      left.push_back(k);
      exact += net.layer<0>().weight.col(k).cast<long double>();
    }
  REQUIRE(left.size() > 100);
  const long double error = (sparse.z().cast<long double>() - exact).cwiseAbs().maxCoeff();
  CHECK(error > 0);  // z was b at first, without any error
  CHECK(error <= changes * std::ldexp(1.0L, -24) * largest);
  fresh.refresh(left);
  CHECK(sparse.z() != fresh.z());
  sparse.refresh();
  CHECK(sparse.z() == fresh.z());
  auto work = net.make_workspace(1);
  CHECK(sparse.predict(work) == net.predict(dense<float>(300, left)));
}

TEST_CASE("SparseInput by hand: add, remove, refresh, and a copy goes its own way") {
  Network<double, SquaredError, DenseWithoutBias<3, 2, ReLU>> net{Seed{1}};
  net.layer<0>().weight << 1, -2, 4, 8, 16, -32;
  auto work = net.make_workspace<1>();
  SparseInput sparse(net);
  CHECK(sparse.predict(work) == Vector<double>{{0, 0}});
  sparse.add(1);
  sparse.add(0);
  CHECK(sparse.z() == Vector<double>{{-1, 24}});
  CHECK(sparse.predict(work) == Vector<double>{{0, 24}});
  auto copy = sparse;
  copy.remove(1);
  CHECK(copy.z() == Vector<double>{{1, 8}});
  CHECK(sparse.z() == Vector<double>{{-1, 24}});
  sparse = copy;
  sparse.refresh({2, 0});
  CHECK(sparse.z() == Vector<double>{{5, -24}});
  CHECK_FALSE(sparse.is_active(1));
  net.layer<0>().weight *= 2;  // as a training step would
  sparse.refresh();
  CHECK(sparse.predict(work) == Vector<double>{{10, 0}});
  CHECK(copy.is_active(0));
}

TEST_CASE("SparseInput makes the later layers predict: BatchNorm with its running statistics, on a team as alone") {
  Network<float, SquaredError, Dyn, BatchNorm<>, Dense<Dynamic, Dynamic>> net(Seed{1}, Dyn{140, 200}, BatchNorm<>{},
                                                                              Dense<Dynamic, Dynamic>{200, 3});
  SparseInput sparse(net);
  auto work = net.make_workspace(4);
  CHECK_THROWS_SAYING(sparse.predict(work), StateError, "BatchNorm");
  const Matrix<float> batch = Matrix<float>::Random(140, 4);
  net.forward(batch, work);
  net.update_statistics(work);
  const std::vector<int> active = some_of(140);
  sparse.refresh(active);
  CHECK(sparse.predict(work) == net.predict(dense<float>(140, active)));
  const Matrix<float> y = Matrix<float>::Zero(3, 4);
  CHECK_THROWS_AS(net.loss(y, work), StateError);  // the forward pass in the workspace is lost
}

TEST_CASE("SparseInput refuses what is no input, what is active already or not at all, and a net that was assigned to") {
  RunTime net = run_time_net(300, 130);
  SparseInput sparse(net);
  auto work = net.make_workspace(1);
  sparse.refresh({7, 8});
  const Vector<float> z = sparse.z();
  for (const Index k : {Index{-1}, Index{300}}) {
    CHECK_THROWS_SAYING(sparse.add(k), ValueError, "add: there is no input", "the network has 300");
    CHECK_THROWS_SAYING(sparse.remove(k), ValueError, "remove: there is no input");
    CHECK_THROWS_SAYING(sparse.refresh({1, k}), ValueError, "refresh: there is no input");
    CHECK_THROWS_SAYING(sparse.is_active(k), ValueError, "is_active: there is no input");
  }
  CHECK_THROWS_SAYING(sparse.add(7), ValueError, "add(7): this input is active already");
  CHECK_THROWS_SAYING(sparse.remove(1), ValueError, "remove(1): this input is not active");
  CHECK_THROWS_SAYING(sparse.refresh({1, 5, 1}), ValueError, "input 1 occurs twice");
  CHECK(sparse.z() == z);  // each call that throws has changed nothing
  CHECK(sparse.is_active(8));
  CHECK_FALSE(sparse.is_active(5));

  const RunTime other = run_time_net(300, 20);
  auto work_of_other = other.make_workspace(1);
  CHECK_THROWS_SAYING(sparse.predict(work_of_other), ShapeError, "predict: this workspace was made for another network");
  net.freeze(0);
  CHECK_THROWS_SAYING(sparse.predict(work), StateError, "call refresh() first");
  CHECK_THROWS_SAYING(sparse.add(1), StateError, "call refresh() first");
  CHECK_THROWS_SAYING(sparse.remove(7), StateError, "call refresh() first");
  sparse.refresh();
  CHECK(sparse.z() == z);
  net = run_time_net(300, 130);
  CHECK_THROWS_SAYING(sparse.predict_raw(work), StateError, "call refresh() first");
  net = other;
  CHECK_THROWS_SAYING(sparse.refresh(), ShapeError, "the first layer of the network now is 20 x 300", "it was 130 x 300");
  CHECK_THROWS_SAYING(sparse.refresh({1}), ShapeError, "make a new one");
  const RunTime moved = std::move(net);
  CHECK_THROWS_AS(sparse.add(1), StateError);
}
