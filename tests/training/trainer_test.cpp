#include <chainrule/training/trainer.hpp>

#include <chainrule/activations/relu.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/optimizers/sgd.hpp>
#include <chainrule/training/early_stopping.hpp>
#include <chainrule/training/interrupt.hpp>

#include "support/catch.hpp"
#include "support/rings.hpp"

using namespace chainrule;
using chainrule_test::rings;

namespace {

using Net = Network<float, SoftmaxCrossEntropy, Dense<2, 16>, BatchNorm<>, Activate<ReLU>, Dropout<>, Dense<16, 2>>;

// 100 samples make four batches of up to 32; the last has 4 samples.
const Dataset<float> train = rings<float>(100, 1);
const Dataset<float> validation = rings<float>(50, 2);

Net trained(Index epochs, Seed seed) {
  Net net{Seed{1}};
  Trainer trainer{net, Adam{.learning_rate = 0.01}};
  trainer.fit(train, {.epochs = epochs, .seed = seed});
  return net;
}

bool same(const Net& a, const Net& b) { return a.parameters() == b.parameters() && a.buffers() == b.buffers(); }

}  // namespace

TEST_CASE("fit gives the same bits as the loop in its documentation") {
  const Seed seed{7};
  const auto schedule = [](double time) { return 1 / (1 + time); };
  Net by_fit{Seed{1}};
  Trainer trainer{by_fit, Adam{.learning_rate = 0.01}};
  const History history = trainer.fit(train, {.epochs = 3,
                                              .validation = validation,
                                              .seed = seed,
                                              .schedule = schedule,
                                              .clip_norm = 0.5,
                                              .clip_value = 0.2,
                                              .l1 = 1e-3,
                                              .l2 = 1e-2});

  Net net{Seed{1}};
  Adam rule;
  auto state = rule.make_state(net);
  Batches batches{train, 32, {.seed = derived_seed(seed, 0)}};
  auto work = net.make_workspace(32);
  auto dJ = net.make_gradients();
  work.set_seed(derived_seed(seed, 1));
  const L1 l1{1e-3};
  const L2 l2{1e-2};
  const auto penalty = [&] {
    return static_cast<double>(l1.value(net.parameters(), state.segments())) +
           static_cast<double>(l2.value(net.parameters(), state.segments()));
  };
  for (Index epoch = 0; epoch < 3; ++epoch) {
    batches.start_epoch(epoch);
    double sum = 0;
    Index batch = 0;
    for (auto [x, y] : batches) {
      net.forward(x, work);
      const double J = static_cast<double>(net.loss(y, work)) + penalty();
      net.backward(x, y, work, dJ);
      l1.add_gradient(net.parameters(), dJ, state.segments());
      l2.add_gradient(net.parameters(), dJ, state.segments());
      clip_by_value(dJ, 0.2);
      clip_by_norm(dJ, 0.5);
      rule.learning_rate = 0.01 * schedule(static_cast<double>(epoch) + static_cast<double>(batch++) / 4);
      rule.step(net.parameters(), dJ, state);
      net.update_statistics(work);
      sum += J * static_cast<double>(x.cols());
    }
    const std::size_t row = static_cast<std::size_t>(epoch);
    CHECK(history["loss"][row] == sum / 100);
    CHECK(history.rows()[row].learning_rate == rule.learning_rate);
  }
  CHECK(same(by_fit, net));
  CHECK(work.step() == 12);
  CHECK(trainer.state().steps == 12);

  // loss and accuracy of the whole validation set, measured after the last epoch
  auto all = net.make_workspace(50);
  const auto [J, y_hat] = net.evaluate(validation.features, validation.targets, all);
  CHECK(std::abs(history["validation_loss"].back() - (static_cast<double>(J) + penalty())) < 1e-6);
  CHECK(history["validation_accuracy"].back() == accuracy(y_hat, validation.targets));
}

TEST_CASE("the same seed gives the same bits with dropout and shuffling, and another seed gives others") {
  const Net net = trained(3, Seed{5});
  CHECK(same(net, trained(3, Seed{5})));
  CHECK_FALSE(same(net, trained(3, Seed{6})));
}

TEST_CASE("any number of threads trains to the same bits") {
  const auto fit = [](Index threads) {
    Net net{Seed{1}};
    History seen;
    Trainer{net, Adam{.learning_rate = 0.01}}.fit(train, {.epochs = 2, .validation = validation, .threads = threads}, seen);
    return std::pair{net, seen["validation_loss"]};
  };
  const auto [net, losses] = fit(1);
  for (const Index threads : {2, 3}) {
    CAPTURE(threads);
    const auto [other, other_losses] = fit(threads);
    CHECK(same(net, other));
    CHECK(losses == other_losses);
  }
}

TEST_CASE("a second fit continues where the first one ended") {
  Net net{Seed{1}};
  Trainer trainer{net, Adam{.learning_rate = 0.01}};
  trainer.fit(train, {.epochs = 1, .seed = Seed{5}});
  trainer.fit(train, {.epochs = 2, .seed = Seed{5}});
  CHECK(trainer.epochs_done() == 3);
  CHECK(same(net, trained(3, Seed{5})));
}

TEST_CASE("a training learns, EarlyStopping restores the best epoch, History records all epochs") {
  Net net{Seed{1}};
  Trainer trainer{net, Adam{.learning_rate = 0.02}};
  EarlyStopping stopping{.patience = 10};
  History seen;
  const History history = trainer.fit(
      train, {.epochs = 200, .batch_size = 20, .validation = validation, .metrics = {accuracy}, .training_metrics = true}, stopping, seen);
  CHECK(history.names() == std::vector<std::string>{"loss", "accuracy", "validation_loss", "validation_accuracy"});
  CHECK(history.epochs() < 200);
  CHECK(history.epochs() == stopping.best.epoch + 10);
  CHECK_THAT(history.stopped_because, chainrule_test::ContainsSubstring("validation_loss has not improved for 10 epochs"));
  CHECK(history["accuracy"].back() > 0.85);
  CHECK(seen["validation_loss"] == history["validation_loss"]);
  auto work = net.make_workspace(50);
  CHECK(std::abs(static_cast<double>(net.evaluate(validation.features, validation.targets, work).loss) - stopping.best.value) < 1e-6);
}

TEST_CASE("an observer stops a training after a batch or an epoch") {
  Net net{Seed{1}};
  Trainer trainer{net, Adam{}};
  struct AfterSixBatches {
    Index seen = 0;
    void batch_ended(Run<Net>& run) {
      if (++seen == 6) run.stop("six");
    }
  } after_six;
  const History partial = trainer.fit(train, {.epochs = 5}, after_six);
  CHECK(after_six.seen == 6);
  CHECK(partial.epochs() == 1);  // the second epoch was not completed
  CHECK(partial.stopped_because == "six");
  CHECK(trainer.epochs_done() == 1);

  const History two = trainer.fit(train, {.epochs = 5}, [](const auto& run) { return run.epoch < 2; });
  CHECK(two.epochs() == 2);
}

TEST_CASE("a signal during the last validation stops, and an observer that throws at the end leaves all in order") {
  Net net{Seed{1}};
  Trainer trainer{net, Adam{}};
  int measured = 0;  // once before the training and once after each epoch
  const auto interrupts = [&measured](const ConstMatrixView<float>&, const Labels<int>&) {
    if (++measured == 3) std::raise(SIGINT);
    return 0.0;
  };
  const History history = trainer.fit(train, {.epochs = 2, .validation = validation, .metrics = {{"m", interrupts}}}, Interrupt{});
  CHECK(history.epochs() == 2);
  CHECK(history.stopped_because == "interrupted");

  struct CannotWrite {
    void training_ended(const Progress&) const { throw ValueError("cannot write"); }
  };
  History seen;
  const auto handler = std::signal(SIGINT, SIG_DFL);
  CHECK_THROWS_SAYING(trainer.fit(train, {.epochs = 1}, Interrupt{}, CannotWrite{}, seen), ValueError, "cannot write");
  CHECK(seen.epochs() == 1);
  CHECK(trainer.epochs_done() == 3);
  CHECK(std::signal(SIGINT, handler) == SIG_DFL);
}

TEST_CASE("an observer reduces the learning rate") {
  Net net{Seed{1}};
  Trainer trainer{net, Adam{.learning_rate = 0.5}};
  const History history = trainer.fit(train, {.epochs = 3}, [](auto& run) { run.learning_rate_factor *= 0.5; });
  CHECK(history.rows()[0].learning_rate == 0.5);
  CHECK(history.rows()[2].learning_rate == 0.125);
}

TEST_CASE("a schedule may fall to rates that float cannot hold, which then are 0") {
  Net net{Seed{1}};
  const Vector<float> before = net.parameters();
  const auto schedule = [](double) { return 1e-60; };
  CHECK_NOTHROW(Trainer(net, Adam{}).fit(train, {.epochs = 1, .batch_size = 50, .schedule = schedule}));
  CHECK(net.parameters() == before);
}

namespace {

/// A rule of the user's that steps through all of theta by itself.
struct StepsAll {
  static constexpr std::string_view name = "StepsAll";
  double learning_rate = 0.1;
  Index moments() const { return 0; }
  template <HasParameters N>
  auto make_state(const N& net) const {
    return OptimizerState(net, moments());
  }
  template <class Theta, class Gradient, class Scalar>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar>& state) const {
    for (Index i = 0; i < theta.size(); ++i) theta.data()[i] -= static_cast<Scalar>(learning_rate) * gradient.data()[i] + Scalar{1};
    ++state.steps;
  }
};

}  // namespace

TEST_CASE("fit keeps what is frozen, follows an observer that lets it learn, and refuses a rule that steps through all of theta") {
  Net net = trained(1, Seed{5});  // layer 0: 48 parameters; the BatchNorm has statistics
  Trainer trainer{net, Adam{.weight_decay = 0.1, .decay_biases = true}};
  net.freeze(0);
  net.freeze(1);
  const Net before = net;
  trainer.fit(train, {.epochs = 3, .l1 = 1e-3, .l2 = 1e-2}, [&](Progress& run) {
    CHECK((net.parameters().head(80) == before.parameters().head(80)) == (run.epoch < 3));
    CHECK((net.buffers() == before.buffers()) == (run.epoch < 3));
    CHECK(net.parameters().tail(34) != before.parameters().tail(34));
    if (run.epoch == 2) net.unfreeze();
  });
  CHECK(net.frozen() == nullptr);

  net.freeze(0);
  const Net frozen = net;
  CHECK_THROWS_SAYING(Trainer(net, StepsAll{}).fit(train, {.epochs = 1}), StateError, "StepsAll: its step changes frozen parameters",
                      "formula_step");
  net.freeze("weight");
  net.freeze("bias");
  CHECK_THROWS_SAYING(trainer.fit(train, {}), ValueError, "all parameters of the network are frozen", "unfreeze");
  CHECK(same(net, frozen));
}

TEST_CASE("fit takes a batch_size above the data as the number of samples, and says so") {
  const auto fit = [](Index batch_size, History& seen) {
    Net net{Seed{1}};
    Trainer{net, Adam{.learning_rate = 0.01}}.fit(train, {.epochs = 2, .batch_size = batch_size, .drop_last = true}, seen);
    return net;
  };
  History all, more;
  CHECK(same(fit(100, all), fit(101, more)));
  CHECK(all.notes.empty());
  REQUIRE(more.notes.size() == 1);
  CHECK(more.notes[0] == "batch_size is 101, but there are only 100 samples, so each step is made with all of them");
}

TEST_CASE("accumulate makes the steps of the large batch: its bits with two batches of 256, else but for rounding") {
  using Plain = Network<float, SoftmaxCrossEntropy, Dense<2, 20, ReLU>, Dense<20, 2>>;
  const Dataset<float> data = rings<float>(1536, 3);
  const auto trained = [](const Dataset<float>& of, FitOptions<float, Labels<int>> options, History& history) {
    Plain net{Seed{1}};
    options.epochs = 2;
    options.schedule = [](double time) { return 1 / (1 + time); };
    options.clip_norm = 0.3;
    options.l2 = 1e-3;
    Trainer trainer{net, SGD{.learning_rate = 0.1, .momentum = 0.9}};
    history = trainer.fit(of, options);
    CHECK(trainer.state().steps == 6);
    return net;
  };
  History of_large, of_parts;
  const Plain large = trained(data, {.batch_size = 512}, of_large);
  CHECK(trained(data, {.batch_size = 256, .accumulate = 2}, of_parts).parameters() == large.parameters());
  CHECK(std::abs(of_parts["loss"].back() - of_large["loss"].back()) < 1e-6);
  CHECK(trained(data, {.batch_size = 256, .accumulate = 2, .threads = 3}, of_parts).parameters() == large.parameters());
  CHECK((trained(data, {.batch_size = 32, .accumulate = 16}, of_parts).parameters() - large.parameters()).norm() < 1e-5f);

  // samples with weights; batches of 7, of which the last one of the last step has 5
  Dataset<float> weighted_data = rings<float>(110, 3);
  weighted_data.weights = Vector<float>::LinSpaced(110, 0.f, 3.f);
  const Plain of_42 = trained(weighted_data, {.batch_size = 42}, of_large);
  CHECK((trained(weighted_data, {.batch_size = 7, .accumulate = 6}, of_parts).parameters() - of_42.parameters()).norm() < 1e-5f);
  CHECK(std::abs(of_parts["loss"].back() - of_large["loss"].back()) < 1e-6);
}

TEST_CASE("accumulate gives the bits of a loop that adds gradients, draws masks and updates statistics for each batch") {
  Net by_fit{Seed{1}}, net{Seed{1}};
  Adam rule{.learning_rate = 0.01};
  Trainer trainer{by_fit, rule};
  const History history =
      trainer.fit(train, {.epochs = 2, .batch_size = 16, .accumulate = 4, .shuffle = false, .drop_last = false, .seed = Seed{5}});
  auto state = rule.make_state(net);
  auto work = net.make_workspace(16);
  auto dJ = net.make_gradients(), dJ_of_batch = net.make_gradients();
  work.set_seed(derived_seed(Seed{5}, 1));
  Batches batches{train, 16, {.shuffle = false}};  // 64 samples in a step, then 36, the last batch of which has 4
  for (std::uint64_t steps = 0; steps < 4; ++steps) {
    work.set_step(4 * steps);
    const Index first = steps % 2 == 0 ? 0 : 4, end = steps % 2 == 0 ? 4 : 7;
    for (Index i = first; i < end; ++i) {
      const auto [x, y] = batches[i];
      const float share = static_cast<float>(static_cast<double>(x.cols()) / (i < 4 ? 64 : 36));
      net.forward(x, work);
      net.backward(x, y, work, dJ_of_batch);
      net.update_statistics(work);
      if (i == first)
        dJ.flat() = share * dJ_of_batch.flat();
      else
        kernels::add_multiple<float>(dJ.flat().size(), share, std::as_const(dJ_of_batch).flat().data(), dJ.flat().data());
    }
    rule.step(net.parameters(), dJ, state);
  }
  CHECK(same(by_fit, net));
  CHECK(trainer.state().steps == 4);

  Net dropped{Seed{1}}, none{Seed{1}};
  History seen;
  Trainer{dropped, rule}.fit(train, {.epochs = 1, .batch_size = 33, .accumulate = 2, .drop_last = true}, seen,
                             [](const auto& run) { CHECK((run.batches == 1 && run.samples == 66)); });
  CHECK_THROWS_SAYING(Trainer(none, rule).fit(train, {.batch_size = 33, .accumulate = 2}), ShapeError, "last batch would have 1");
  const History whole = Trainer{none, rule}.fit(train, {.epochs = 1, .batch_size = 50, .accumulate = 3});
  REQUIRE(whole.notes.size() == 1);
  CHECK(whole.notes[0] == "accumulate is 3 batches of 50, but there are only 100 samples, so each step is made with all of them");
}

TEST_CASE("fit says why a loss begins far above that of a constant prediction, log 2 for two classes, in its first fit alone") {
  const FitOptions<float, Labels<int>> once{.epochs = 1};
  Net net{Seed{1}};
  Trainer trainer{net, Adam{.learning_rate = 0.01}};
  net.layer<4>().weight *= 100;
  const History large_weights = trainer.fit(train, once);
  REQUIRE(large_weights.notes.size() == 1);
  CHECK_THAT(large_weights.notes[0],
             chainrule_test::ContainsSubstring("times that of a constant prediction, 0.693, before the first step"));
  CHECK_THAT(large_weights.notes[0], chainrule_test::ContainsSubstring("initialize the network with smaller weights"));
  CHECK(trainer.fit(train, once).notes.empty());
}

TEST_CASE("fit says that a learning rate is too large where it raises the loss in the first epoch") {
  Net net{Seed{1}};
  const History history = Trainer{net, Adam{.learning_rate = 30}}.fit(train, {.epochs = 2});
  REQUIRE(history.notes.size() == 1);
  CHECK_THAT(history.notes[0], chainrule_test::ContainsSubstring("the learning rate, 30, is probably too large: try a tenth of it"));
}

TEST_CASE("fit refuses wrong options and data with an explanation, before anything has changed") {
  Net net{Seed{1}};
  const Net before = net;
  Trainer trainer{net, Adam{}};
  CHECK_THROWS_SAYING(trainer.fit(train, {.batch_size = 0}), ShapeError, "the batch size must be at least 1, got 0");
  CHECK_THROWS_SAYING(trainer.fit(train, {.batch_size = 33}), ShapeError, "needs batches of at least 2 samples",
                      "an epoch's last batch would have 1", ".drop_last");
  CHECK_NOTHROW(Trainer(net, Adam{.learning_rate = 0}).fit(train, {.epochs = 1, .batch_size = 33, .drop_last = true}));
  net = before;
  CHECK_THROWS_SAYING(trainer.fit(train, {.epochs = 0}), ValueError, "epochs must be at least 1, got 0");
  CHECK_THROWS_SAYING(trainer.fit(train, {.accumulate = 0}), ValueError, "fit: accumulate must be at least 1, got 0");
  CHECK_THROWS_SAYING(trainer.fit(train, {.threads = 0}), ValueError, "fit: threads must be 1 to 1024, got 0");
  CHECK_THROWS_SAYING(trainer.fit(train, {.threads = 2000}), ValueError, "got 2000");
  CHECK_THROWS_SAYING(trainer.fit(train, {.clip_norm = -1}), ValueError, "clip_norm must be at least 0 and finite, got -1");
  CHECK_THROWS_SAYING(trainer.fit(train, {.clip_norm = 1e-50}), ValueError, "fit: clip_norm is 1e-50, which as a float is 0");
  CHECK_THROWS_SAYING(Trainer(net, Adam{.learning_rate = 1e-50}).fit(train, {}), ValueError,
                      "Adam: learning_rate is 1e-50, which as a float is 0");
  CHECK_THROWS_SAYING(trainer.fit(train, {}, EarlyStopping{}), ValueError, "give fit a .validation set");
  const Dataset<float> other_shape{Eigen::MatrixXf::Zero(3, 4), {0, 1, 0, 1}};
  CHECK_THROWS_SAYING(trainer.fit(train, {.validation = other_shape}), ShapeError, "fit, validation set: x has 3 rows", "2 inputs");
  Dataset<float> bad = train;
  bad.features(1, 17) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_SAYING(trainer.fit(bad, {}), ValueError, "fit: x(1, 17) is nan", "sample 17");
  bad = train;
  bad.targets[17] = 2;
  CHECK_THROWS_SAYING(trainer.fit(bad, {}), ValueError, "the label of sample 17 is 2");
  bad.targets.pop_back();
  CHECK_THROWS_SAYING(trainer.fit(bad, {}), ShapeError, "100 samples, but targets for 99");
  bad = train;
  bad.weights = Eigen::VectorXf::Zero(100);
  CHECK_THROWS_SAYING(trainer.fit(bad, {}), ValueError, "all weights of the samples are 0");
  bad.weights[3] = -1;
  CHECK_THROWS_SAYING(trainer.fit(bad, {}), ValueError, "the weight of sample 3 is -1");
  CHECK(same(net, before));
  CHECK(trainer.epochs_done() == 0);
}
