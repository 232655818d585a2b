#include <chainrule/activations/tanh.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/sgd.hpp>
#include <chainrule/selection/find_learning_rate.hpp>

#include "support/catch.hpp"
#include "support/rings.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

using Net = Network<float, SoftmaxCrossEntropy, BatchNorm<2>, Dense<Dynamic, Dynamic, Tanh>, Dense<Dynamic, Dynamic>>;

Net untrained() { return Net{Seed{1}, BatchNorm<2>{}, {2, 8}, {8, 2}}; }

}  // namespace

TEST_CASE("find_learning_rate makes the steps of a loop with a rate that grows exponentially, and gives the network its bits back") {
  const auto data = rings<float>(100, 1);
  Net net = untrained();
  const Vector<float> parameters = net.parameters(), buffers = net.buffers();
  const auto curve = find_learning_rate(net, SGD{}, data, {.batch_size = 30, .seed = Seed{3}}, {.lowest = 1e-4, .highest = 1, .steps = 9});
  CHECK(net.parameters() == parameters);
  CHECK(net.buffers() == buffers);
  REQUIRE(curve.points.size() == 9);
  CHECK(curve.stopped_because.empty());

  Net other = untrained();
  auto work = other.make_workspace(30);
  auto dJ = other.make_gradients();
  SGD rule{};
  auto state = rule.make_state(other);
  Batches batches(data, 30, {.seed = derived_seed(Seed{3}, 0)});
  double mean = 0;
  for (Index i = 0; i < 9; ++i) {
    if (i % 4 == 0) batches.start_epoch(i / 4);
    const auto [x, y] = batches[i % 4];
    rule.learning_rate = 1e-4 * std::pow(1e4, static_cast<double>(i) / 8);
    other.forward(x, work);
    const auto J = static_cast<double>(other.loss(y, work));
    other.backward(x, y, work, dJ);
    rule.step(other.parameters(), dJ, state);
    mean = 0.98 * mean + 0.02 * J;
    const auto& point = curve.points[static_cast<std::size_t>(i)];
    CHECK(point.learning_rate == Approx(rule.learning_rate).epsilon(1e-14));
    CHECK(point.loss == Approx(J).epsilon(1e-6));
    CHECK(point.smoothed == Approx(mean / (1 - std::pow(0.98, static_cast<double>(i + 1)))).epsilon(1e-6));
  }
}

TEST_CASE("find_learning_rate stops where the smoothed loss has grown, and at numbers that are not finite") {
  const auto data = rings<float>(64, 1);
  Net net = untrained();
  const Vector<float> parameters = net.parameters();
  const auto grown = find_learning_rate(net, SGD{}, data, {}, {.lowest = 1e-3, .highest = 1e4, .steps = 60, .smoothing = 0.5});
  CHECK(grown.points.size() < 60);
  CHECK_THAT(grown.stopped_because, ContainsSubstring("the smoothed loss has grown to "));
  const auto& last = grown.points.back();
  double lowest = last.smoothed;
  for (const auto& point : grown.points) lowest = (std::min)(lowest, point.smoothed);
  CHECK(last.smoothed > 4 * lowest);
  CHECK(grown.points[grown.points.size() - 2].smoothed <= 4 * lowest);

  CHECK(net.parameters() == parameters);

  net.layer<1>().weight(0, 0) = std::nanf("");
  const auto diverged = find_learning_rate(net, SGD{}, data, {});
  CHECK(diverged.points.empty());
  CHECK_THAT(diverged.stopped_because, ContainsSubstring("training stopped in epoch 1, batch 1 of 2"));
  CHECK_THAT(diverged.to_string(), ContainsSubstring("no step was made: training stopped"));
  CHECK(net.layer<1>().weight(1, 0) == parameters[5]);
}

TEST_CASE("A learning-rate curve suggests the rate at which the loss falls most steeply") {
  LearningRateCurve curve;
  const double losses[] = {2, 1.9, 1.85, 1.6, 1.0, 0.9, 3};  // NumPy's gradient of all: -.1 -.075 -.15 -.425 -.35 1 2.1
  for (int i = 0; i < 7; ++i) curve.points.push_back({std::pow(10.0, i - 5), losses[i], losses[i]});
  CHECK(curve.suggestion(0, 1) == 1e-2);
  CHECK(curve.suggestion(0, 0) == 1e-2);
  CHECK(curve.suggestion(4, 0) == 1e-1);  // -.1 at the first, 1.0 and 2.1 at the others
  CHECK_THROWS_SAYING(curve.suggestion(), ValueError, "only 0 of 7 steps are left");
  CHECK_THROWS_SAYING(curve.suggestion(5, 0), ValueError, "falls at no rate from 1 to 10");
  const std::string text = curve.to_string(4);
  CHECK_THAT(text, ContainsSubstring(" rate  loss  smoothed\n"));
  CHECK_THAT(text, ContainsSubstring("only 0 of 7 steps are left"));
  CHECK_THAT(curve.to_csv(), ContainsSubstring("learning_rate,loss,smoothed\n1e-05,2,2\n"));
}

TEST_CASE("find_learning_rate refuses impossible ranges before anything has changed") {
  const auto data = rings<float>(8, 1);
  Net net = untrained();
  const auto find = [&](LearningRateRange range) { return find_learning_rate(net, SGD{}, data, {}, range); };
  CHECK_THROWS_SAYING(find({.lowest = 0}), ValueError, "lowest must be above 0 and below highest, and their quotient finite, got 0 and 10");
  CHECK_THROWS_SAYING(find({.lowest = 20}), ValueError, "got 20 and 10");
  CHECK_THROWS_SAYING(find({.steps = 1}), ValueError, "steps must be at least 2, got 1");
  CHECK_THROWS_SAYING(find({.smoothing = 1}), ValueError, "smoothing must be at least 0 and below 1, got 1");
  CHECK_THROWS_SAYING(find({.diverges = 1}), ValueError, "diverges must be above 1, got 1");
  const Dataset<float> empty{Matrix<float>(2, 0), {}};
  CHECK_THROWS_AS(find_learning_rate(net, SGD{}, empty, {}), ShapeError);
}
