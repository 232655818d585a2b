#include <chainrule/activations/tanh.hpp>
#include <chainrule/inspect/gradient_flow_recorder.hpp>
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

TEST_CASE("GradientFlowRecorder records every few steps and does not change the training", "[gradient_flow_recorder]") {
  const auto data = chainrule_test::rings<float>(60, 1);
  Classifier net{Seed{1}}, unobserved{Seed{1}};
  cr::GradientFlowRecorder recorder{net, data.features.leftCols(30), std::vector<int>(data.targets.begin(), data.targets.begin() + 30), 4};
  cr::Trainer trainer{net, cr::Adam{}};
  trainer.fit(data, {.epochs = 2, .batch_size = 10}, recorder);
  cr::Trainer{unobserved, cr::Adam{}}.fit(data, {.epochs = 2, .batch_size = 10});
  CHECK(net.parameters() == unobserved.parameters());

  std::vector<Index> steps;
  for (const auto& record : recorder.records) steps.push_back(record.step);
  CHECK(steps == std::vector<Index>{0, 4, 8, 12});
  CHECK(std::isnan(recorder.records[0].flow.layers[0].update_norm));
  CHECK(recorder.records[1].flow.layers[0].update_norm > 0);
  CHECK(recorder.records[3].flow.layers[0].weight_norm == Approx(net.layer<0>().weight.norm()));
  const cr::GradientFlow last =
      cr::gradient_flow(net, data.features.leftCols(30), std::vector<int>(data.targets.begin(), data.targets.begin() + 30));
  CHECK(recorder.records[3].flow.layers[0].gradient_norm == last.layers[0].gradient_norm);
  CHECK_THROWS_AS((cr::GradientFlowRecorder{net, data.features, data.targets, 0}), cr::ValueError);
}

TEST_CASE("GradientFlowRecorder measures the update of one step", "[gradient_flow_recorder]") {
  const auto data = chainrule_test::rings<float>(60, 1);
  Classifier net{Seed{1}};
  struct ParametersAfterEachStep {
    std::vector<cr::Vector<float>> theta;
    void training_started(const cr::Run<Classifier>& run) { theta.push_back(run.net.parameters()); }
    void batch_ended(const cr::Run<Classifier>& run) { theta.push_back(run.net.parameters()); }
  } steps;
  cr::GradientFlowRecorder recorder{net, data.features, data.targets, 5};
  cr::Trainer trainer{net, cr::Adam{}};
  trainer.fit(data, {.epochs = 2, .batch_size = 10}, recorder, steps);
  REQUIRE(recorder.records.size() == 3);  // after steps 0, 5 and 10
  const auto update = [&](std::size_t step) { return (steps.theta[step] - steps.theta[step - 1]).head(16).norm(); };
  CHECK(recorder.records[1].flow.layers[0].update_norm == Approx(update(5)));
  CHECK(recorder.records[2].flow.layers[0].update_norm == Approx(update(10)));
}
