#include <chainrule/activations/tanh.hpp>
#include <chainrule/inspect/watch_gradients.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/training/trainer.hpp>
#include <cmath>

#include "support/catch.hpp"
#include "support/rings.hpp"

namespace cr = chainrule;
using chainrule_test::Approx;
using cr::Dense;
using cr::Index;
using cr::Seed;

namespace {

using Classifier = cr::Network<float, cr::SoftmaxCrossEntropy, Dense<2, 8, cr::Tanh>, cr::Dropout<>, Dense<8, 2>>;

}  // namespace

TEST_CASE("WatchGradients looks every so many steps, and changes nothing", "[watch_gradients]") {
  const auto data = chainrule_test::rings<float>(60, 1);
  Classifier net{Seed{1}}, alone{Seed{1}};
  cr::WatchGradients watch{net, data.features.leftCols(30), std::vector<int>(data.targets.begin(), data.targets.begin() + 30), 4};
  cr::Trainer trainer{net, cr::Adam{}};
  trainer.fit(data, {.epochs = 2, .batch_size = 10}, watch);
  cr::Trainer{alone, cr::Adam{}}.fit(data, {.epochs = 2, .batch_size = 10});
  CHECK(net.parameters() == alone.parameters());

  std::vector<Index> steps;
  for (const auto& look : watch.seen) steps.push_back(look.step);
  CHECK(steps == std::vector<Index>{0, 4, 8, 12});
  CHECK(std::isnan(watch.seen[0].flow.layers[0].update_norm));
  CHECK(watch.seen[1].flow.layers[0].update_norm > 0);
  CHECK(watch.seen[3].flow.layers[0].weight_norm == Approx(net.layer<0>().weight.norm()));
  const cr::GradientFlow last =
      cr::gradient_flow(net, data.features.leftCols(30), std::vector<int>(data.targets.begin(), data.targets.begin() + 30));
  CHECK(watch.seen[3].flow.layers[0].gradient_norm == last.layers[0].gradient_norm);
  CHECK_THROWS_AS((cr::WatchGradients{net, data.features, data.targets, 0}), cr::ValueError);
}

TEST_CASE("WatchGradients measures the update of one step", "[watch_gradients]") {
  const auto data = chainrule_test::rings<float>(60, 1);
  Classifier net{Seed{1}};
  struct Steps {
    std::vector<cr::Vector<float>> theta;
    void training_started(const cr::Run<Classifier>& run) { theta.push_back(run.net.parameters()); }
    void batch_ended(const cr::Run<Classifier>& run) { theta.push_back(run.net.parameters()); }
  } steps;
  cr::WatchGradients watch{net, data.features, data.targets, 5};
  cr::Trainer trainer{net, cr::Adam{}};
  trainer.fit(data, {.epochs = 2, .batch_size = 10}, watch, steps);
  REQUIRE(watch.seen.size() == 3);  // 0, 5, 10
  const auto update = [&](std::size_t step) { return (steps.theta[step] - steps.theta[step - 1]).head(16).norm(); };
  CHECK(watch.seen[1].flow.layers[0].update_norm == Approx(update(5)));
  CHECK(watch.seen[2].flow.layers[0].update_norm == Approx(update(10)));
}
