#include <chainrule/training/detail/epoch_runner.hpp>
#include <chainrule/training/trainer.hpp>

#include <chainrule/activations/relu.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/class_weighted.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/sgd.hpp>
#include <limits>
#include <string>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;

namespace {

using Net = Network<double, MeanSquaredError, Dense<1, 1>>;

/// y = 3 x - 1 at ten x.
RegressionDataset<double> line() {
  RegressionDataset<double> data;
  data.features = Eigen::RowVectorXd::LinSpaced(10, -1, 1);
  data.targets = (3 * data.features.array() - 1).matrix();
  return data;
}

/// Keeps the reason why the training stopped.
struct StopReason {
  std::string reason;
  void training_ended(const Progress& run) { reason = run.stopped_because; }
};

/// SGD with momentum that sets the last parameter to -infinity in step `fails_in`.
struct Failing {
  static constexpr std::string_view name = "Failing";
  double learning_rate = 0.1;
  std::uint64_t fails_in = 0;
  Index moments() const { return 1; }
  template <HasParameters N>
  auto make_state(const N& net) const {
    return OptimizerState(net, moments());
  }
  template <class Theta, class Gradient, class Scalar>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar>& state) const {
    SGD{.learning_rate = learning_rate, .momentum = 0.9}.step(theta, gradient, state);
    if (state.steps == fails_in) theta[theta.size() - 1] = -std::numeric_limits<Scalar>::infinity();
  }
};

/// Counts the steps after which it was called, and those whose parameters were not finite.
template <class N>
struct LooksAtNet {
  Index calls = 0, not_finite = 0;
  void batch_ended(const Run<N>& run) {
    ++calls;
    not_finite += run.net.parameters().allFinite() ? 0 : 1;
  }
};

/// theta after `steps` steps of the rule over the samples of the line, again and again, one at a time; step k has the rate 1/(10 k).
template <class N, class Rule>
Eigen::VectorXd after_steps(N net, Rule rule, int steps) {
  const RegressionDataset<double> data = line();
  auto state = rule.make_state(net);
  auto work = net.make_workspace(1);
  auto dJ = net.make_gradients();
  for (int k = 0; k < steps; ++k) {
    const Eigen::MatrixXd x = data.features.col(k % 10), y = data.targets.col(k % 10);
    rule.learning_rate = 0.1 * (1.0 / (k + 1));
    net.forward(x, work);
    net.backward(x, y, work, dJ);
    rule.step(net.parameters(), dJ, state);
  }
  return net.parameters();
}

/// The line, `times` times.
RegressionDataset<double> repeated_line(int times) {
  const RegressionDataset<double> once = line();
  RegressionDataset<double> data;
  data.features = once.features.replicate(1, times);
  data.targets = once.targets.replicate(1, times);
  return data;
}

}  // namespace

TEST_CASE("fit learns a line from an Eigen map of the user's memory") {
  const RegressionDataset<double> data = line();
  Net net{Seed{1}};
  Trainer trainer{net, SGD{.learning_rate = 0.5}};
  const Eigen::Map<const Eigen::MatrixXd> x(data.features.data(), 1, 10);
  trainer.fit(DataView{x, data.targets}, {.epochs = 100, .batch_size = 5});
  CHECK(std::abs(net.layer<0>().weight(0, 0) - 3) < 1e-6);
  CHECK(std::abs(net.layer<0>().bias[0] + 1) < 1e-6);
}

TEST_CASE("a sample of weight 0 has no effect, and one of weight 3 counts as three samples") {
  RegressionDataset<double> data = line();
  data.weights = Eigen::VectorXd::Constant(10, 1);
  data.weights[2] = 3;
  data.weights[7] = 0;
  Net weighted_net{Seed{1}};
  Trainer{weighted_net, SGD{.learning_rate = 0.1}}.fit(data, {.epochs = 3, .batch_size = 10});

  RegressionDataset<double> repeated;
  repeated.features.resize(1, 11);
  repeated.targets.resize(1, 11);
  for (Index k = 0, j = 0; j < 10; ++j)
    for (int times = 0; times < static_cast<int>(data.weights[j]); ++times, ++k) {
      repeated.features(0, k) = data.features(0, j);
      repeated.targets(0, k) = data.targets(0, j) + 100 * (j == 7);
    }
  Net net{Seed{1}};
  Trainer{net, SGD{.learning_rate = 0.1}}.fit(repeated, {.epochs = 3, .batch_size = 11});
  CHECK((weighted_net.parameters() - net.parameters()).norm() < 1e-12);
}

TEST_CASE(
    "losses that fit reports are weighted means over all samples, whatever the batch size, and its steps those of a loop of one's own") {
  using YesNo = Network<double, ClassWeighted<BinaryCrossEntropy>, Dense<2, 1>>;
  const ClassWeighted<BinaryCrossEntropy> loss{1, 39};
  Dataset<double> data;
  Random random{Seed{8}};
  data.features = chainrule_test::random_matrix<double>(2, 23, random);
  for (int j = 0; j < 23; ++j) data.targets.push_back(j == 5 || j == 6 ? 1 : 0);
  data.weights = Eigen::VectorXd::LinSpaced(23, 0, 3);

  // sum w_j J_j / sum w_j of the net as it is made, from the formula
  const YesNo start{Seed{2}, loss};
  long double sum = 0, total = 0;
  for (Index j = 0; j < 23; ++j) {
    const bool yes = j == 5 || j == 6;
    const long double w = static_cast<long double>(data.weights[j]) * (yes ? 39 : 1);
    const double z = start.layer<0>().weight.row(0).dot(data.features.col(j)) + start.layer<0>().bias[0];
    sum += w * std::log1p(std::exp(yes ? -static_cast<long double>(z) : static_cast<long double>(z)));
    total += w;
  }
  const double weighted_mean = static_cast<double>(sum / total);
  auto all = start.make_workspace(23);
  CHECK(std::abs(start.evaluate(data.features, weighted(data.targets, data.weights), all).loss - weighted_mean) < 1e-14);

  for (const Index size : {1, 2, 4, 10, 23}) {
    YesNo net = start;
    Trainer trainer{net, SGD{.learning_rate = 1e-300}};  // too small to change a parameter
    const History history = trainer.fit(data, {.epochs = 1, .batch_size = size, .validation = data});
    CHECK(std::abs(history["loss"][0] - weighted_mean) < 1e-14);
    CHECK(std::abs(history["validation_loss"][0] - weighted_mean) < 1e-14);
    CHECK(history["validation_accuracy"][0] == accuracy(net.predict(data.features), data.targets));
  }

  YesNo net = start, by_fit = start;
  const SGD rule{.learning_rate = 0.1};
  Trainer{by_fit, rule}.fit(data, {.epochs = 1, .batch_size = 4});
  auto work = net.make_workspace(4);
  auto dJ = net.make_gradients();
  auto state = rule.make_state(net);
  Batches batches{data, 4, {.seed = derived_seed(Seed{}, 0), .mean_weight = net.mean_weight(weighted(data.targets, data.weights))}};
  for (auto [x, y] : batches) {
    net.forward(x, work);
    net.backward(x, y, work, dJ);
    rule.step(net.parameters(), dJ, state);
  }
  CHECK(net.parameters() == by_fit.parameters());
  data.weights.setZero();
  data.weights[3] = 1;
  const ClassWeighted<BinaryCrossEntropy> only_yes{0, 1};
  YesNo nothing{Seed{2}, only_yes};
  CHECK_THROWS_SAYING((Trainer{nothing, rule}.fit(data, {})), ValueError, "fit: all weights of the samples are 0");
}

TEST_CASE("EpochRunner makes a team if more than one thread is requested") {
  Net net{Seed{1}};
  const SGD rule;
  auto state = rule.make_state<double>(net.parameters().size());
  const detail::StepsOfEpoch steps{5, 1, 5, 2, 10};
  detail::EpochRunner<Net, SGD> one_thread(net, rule, state, steps, Seed{1}, 1, {});
  CHECK(one_thread.workspace().team() == nullptr);
  detail::EpochRunner<Net, SGD> three_threads(net, rule, state, steps, Seed{1}, 3, {});
  REQUIRE(three_threads.workspace().team() != nullptr);
  CHECK(three_threads.workspace().team()->threads() == 3);
}

TEST_CASE("a step of several batches that diverges in its second one keeps the parameters and running statistics before it") {
  using WithStatistics = Network<double, MeanSquaredError, Dense<1, 1>, BatchNorm<>>;
  RegressionDataset<double> data = line();
  data.targets(7) = 1e200;
  WithStatistics net{Seed{1}};
  const WithStatistics before = net;
  CHECK_THROWS_SAYING(Trainer(net, SGD{}).fit(data, {.batch_size = 5, .accumulate = 2, .shuffle = false}), DivergenceError,
                      "training stopped in epoch 1, batch 1 of 1", "the loss is inf");
  CHECK(net.parameters() == before.parameters());
  CHECK(net.buffers() == before.buffers());
}

TEST_CASE("a training that diverges throws an explanation and keeps the parameters of the last finite step") {
  const RegressionDataset<double> data = line();
  Net net{Seed{1}};
  Trainer trainer{net, SGD{.learning_rate = 1e20}};
  StopReason stop;
  History seen;
  CHECK_THROWS_SAYING(trainer.fit(data, {.epochs = 50, .batch_size = 5}, stop, seen), DivergenceError, "training stopped in epoch ",
                      ", batch ", " of 2", "the loss is inf", "the learning rate, 1e+20 here, is too large", "clip_norm",
                      "parameters are those of the last finite step");
  CHECK(net.parameters().allFinite());
  CHECK(stop.reason == "it diverged");
  CHECK(seen.epochs() >= 1);
}

// Squares of 1e200 overflow; the learning rate has had no effect yet.
TEST_CASE("a training that diverges at its first batch names the targets, the inputs or the parameters") {
  RegressionDataset<double> data = line();
  Net net{Seed{1}};
  Trainer trainer{net, SGD{}};
  data.targets(0, 3) = 1e200;
  CHECK_THROWS_SAYING(trainer.fit(data, {.batch_size = 10}), DivergenceError, "epoch 1, batch 1 of 1: the loss is inf",
                      "The targets of this batch are as large as 1e+200", "The parameters are as they were before the training");
  data = line();
  data.features(0, 3) = -1e180;
  CHECK_THROWS_SAYING(trainer.fit(data, {.batch_size = 10}), DivergenceError, "The inputs of this batch are as large as 1e+180");
  data = line();
  net.layer<0>().bias[0] = 1e170;
  CHECK_THROWS_SAYING(trainer.fit(data, {.batch_size = 10}), DivergenceError,
                      "No step has been made yet, so the learning rate is not the cause", "the parameters are as large as 1e+170");
  net.layer<0>().bias[0] = -std::numeric_limits<double>::infinity();
  CHECK_THROWS_SAYING(trainer.fit(data, {.batch_size = 10}), DivergenceError,
                      "The parameters were not finite before this step, first layer<0>.bias(0, 0), which is -inf");
}

TEST_CASE("fit undoes a step that makes a parameter infinite") {
  const RegressionDataset<double> data = line();
  Net net{Seed{1}};
  Trainer trainer{net, SGD{.learning_rate = 1e308}};
  net.layer<0>().weight(0, 0) = 1e3;
  const double weight = net.layer<0>().weight(0, 0);
  CHECK_THROWS_SAYING(trainer.fit(data, {.epochs = 1, .batch_size = 5}), DivergenceError, "epoch 1, batch 1 of 2",
                      "a step made a parameter that is not finite", "layer<0>.weight(0, 0), which is ");
  CHECK(net.layer<0>().weight(0, 0) == weight);
}

// J = (w x)^2 with w = 1e-60 and x = 1e200 is 1e280, but dJ/dw = 2 w x^2 is infinite.
TEST_CASE("fit makes no step along a gradient that is not finite, with fused and with separate steps") {
  RegressionDataset<double> data;
  data.features = Eigen::MatrixXd::Constant(1, 4, 1e200);
  data.targets = Eigen::MatrixXd::Zero(1, 4);
  const double clip_value = GENERATE(0.0, 1.0);
  for (const SGD rule : {SGD{}, SGD{.momentum = 0.9}}) {
    CAPTURE(clip_value, rule.momentum);
    Net net{Seed{1}};
    net.layer<0>().weight(0, 0) = 1e-60;
    Trainer trainer{net, rule};
    CHECK_THROWS_SAYING(trainer.fit(data, {.epochs = 1, .batch_size = 2, .clip_value = clip_value}), DivergenceError,
                        "epoch 1, batch 1 of 2", "the gradient is not finite, first dJ/d layer<0>.weight(0, 0), which is inf");
    CHECK((net.layer<0>().weight(0, 0) == 1e-60 && net.layer<0>().bias[0] == 0));
    CHECK(trainer.state().steps == 0);
  }
}

TEST_CASE("fit with plain SGD gives the same bits as a hand-written loop") {
  const RegressionDataset<double> data = line();
  Net by_fit{Seed{1}}, net{Seed{1}};
  Trainer trainer{by_fit, SGD{.learning_rate = 0.1}};
  trainer.fit(data, {.epochs = 2, .batch_size = 4, .shuffle = false});

  const SGD rule{.learning_rate = 0.1};
  auto state = rule.make_state(net);
  auto work = net.make_workspace(4);
  auto dJ = net.make_gradients();
  for (int epoch = 0; epoch < 2; ++epoch)
    for (const auto& [first, count] : {std::pair{0, 4}, {4, 4}, {8, 2}}) {
      const Eigen::MatrixXd x = data.features.middleCols(first, count), y = data.targets.middleCols(first, count);
      net.forward(x, work);
      net.backward(x, y, work, dJ);
      rule.step(net.parameters(), dJ, state);
    }
  CHECK(by_fit.parameters() == net.parameters());
  CHECK(trainer.state().steps == state.steps);
}

TEST_CASE("a DivergenceError names the first activation that is not finite") {
  Network<float, MeanSquaredError, Dense<2, 2, ReLU>, Dense<2, 1>> net{Seed{1}};
  net.layer<0>().weight << 1, 0, 3e38f, 3e38f;
  RegressionDataset<float> data;
  data.features = Eigen::MatrixXf::Constant(2, 4, 2);
  data.targets = Eigen::MatrixXf::Zero(1, 4);
  Trainer trainer{net, SGD{}};
  CHECK_THROWS_SAYING(trainer.fit(data, {.epochs = 1, .batch_size = 4, .shuffle = false}), DivergenceError,
                      "in the output of layer<0> (Dense), unit 1 of sample 0 of the batch, which is inf");
}

// Steps are checked in groups of 64, so these fail within a group. The schedule counts its calls: a repeated step keeps its rate.
TEST_CASE("a training that diverges at any step leaves the parameters of the step before, as a hand-written loop has them") {
  RegressionDataset<double> data = repeated_line(20);
  for (const int failing : {1, 2, 64, 65, 100, 199, 200}) {
    CAPTURE(failing);
    const auto place = "batch " + std::to_string(failing) + " of 200";
    const auto options = [] {
      return FitOptions<double, ConstMatrixView<double>>{
          .epochs = 1, .batch_size = 1, .shuffle = false, .schedule = [calls = 0](double) mutable { return 1.0 / ++calls; }};
    };
    data.targets(0, failing - 1) = 1e200;
    {
      Net net{Seed{1}};
      const Eigen::VectorXd before = after_steps(net, SGD{}, failing - 1);
      Trainer trainer{net, SGD{.learning_rate = 0.1}};
      CHECK_THROWS_SAYING(trainer.fit(data, options()), DivergenceError, place.c_str(), "the loss is inf",
                          "The targets of this batch are as large");
      CHECK(net.parameters() == before);
      CHECK(trainer.state().steps == static_cast<std::uint64_t>(failing - 1));
    }
    data.targets(0, failing - 1) = line().targets(0, (failing - 1) % 10);

    // A bias of -infinity before a ReLU gives a finite J, so only the parameters show it.
    for (const bool looks : {false, true}) {
      using Rectified = Network<double, MeanSquaredError, Dense<1, 1>, Dense<1, 1, ReLU>>;
      Rectified net{Seed{4}};
      const Eigen::VectorXd before = after_steps(net, Failing{}, failing - 1);
      Trainer trainer{net, Failing{.fails_in = static_cast<std::uint64_t>(failing)}};
      LooksAtNet<Rectified> observer;
      auto fails = [&] { looks ? trainer.fit(data, options(), observer) : trainer.fit(data, options()); };
      CHECK_THROWS_SAYING(fails(), DivergenceError, place.c_str(), "a step made a parameter that is not finite, first layer<1>.bias(0, 0)");
      CHECK(net.parameters() == before);
      CHECK((observer.calls == (looks ? failing - 1 : 0) && observer.not_finite == 0));
    }
  }
}
