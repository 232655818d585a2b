#include <chainrule/chainrule.hpp>
#include <fstream>
#include <limits>

#include "page.hpp"

using namespace chainrule;

void messages::training(Page& page) {
  page.section("Optimizers");
  Network<float, SquaredError, Dense<4, 8, Tanh>, Dense<8, 1>> net{Seed{1}};
  auto dJ = net.make_gradients();

  page.mistake("", [&] {
    SGD sgd{.learning_rate = 0.1, .momentum = 0.9};
    sgd.step(net.parameters(), dJ);
  });
  page.mistake("", [&] {
    SGD sgd{.learning_rate = 0.1, .nesterov = true};
    auto state = sgd.make_state(net);
    sgd.step(net.parameters(), dJ, state);
  });
  page.mistake("", [&] {
    Adam adam{.learning_rate = -0.001};
    auto state = adam.make_state(net);
    adam.step(net.parameters(), dJ, state);
  });
  page.mistake("", [&] {
    Adam adam{.beta1 = 1};
    auto state = adam.make_state(net);
    adam.step(net.parameters(), dJ, state);
  });
  page.mistake("", [&] {
    Network<float, SquaredError, Dense<4, 1>> other{Seed{1}};
    Adam adam;
    auto state = adam.make_state(other);
    adam.step(net.parameters(), dJ, state);
  });
  page.mistake("", [&] {
    auto state = SGD{.momentum = 0.9}.make_state(net);
    Adam{}.step(net.parameters(), dJ, state);
  });
  page.mistake("", [&] {
    Network<float, SquaredError, Dense<4, 1>> other{Seed{1}};
    SGD{}.step(net.parameters(), other.make_gradients());
  });

  page.section("Training with a Trainer");
  Dataset<float> data;
  data.features = Eigen::MatrixXf::Ones(4, 33);
  data.targets.assign(33, 1);
  Network<float, SoftmaxCrossEntropy, Dense<4, 8, Tanh>, Dense<8, 2>> classifier{Seed{1}};
  Trainer trainer{classifier, Adam{}};

  page.mistake("", [&] { trainer.fit(data, {.epochs = 0}); });
  page.mistake("", [&] { trainer.fit(data, {.batch_size = 0}); });
  page.mistake("", [&] { trainer.fit(data, {.clip_norm = -1}); });
  page.mistake("", [&] { trainer.fit(data, {.epochs = 5}, EarlyStopping{}); });
  page.mistake("", [&] { trainer.fit(data, {.epochs = 5, .validation = data}, EarlyStopping{.monitor = "validation_f1"}); });
  page.mistake("", [&] { trainer.fit(data, {.epochs = 5, .schedule = Cosine{.period = 0}}); });
  page.mistake("", [&] {
    History history = trainer.fit(data, {.epochs = 1});
    history["accuracy"];
  });
  page.mistake("", [&] {
    Dataset<float> three_classes = data;
    three_classes.targets[7] = 2;
    trainer.fit(three_classes, {.epochs = 1});
  });
  page.mistake("", [&] {
    Dataset<float> missing = data;
    missing.features(0, 32) = std::numeric_limits<float>::quiet_NaN();
    trainer.fit(missing, {.epochs = 1});
  });
  page.mistake("", [&] {
    Network<float, SoftmaxCrossEntropy, Dense<4, 8>, BatchNorm<>, Activate<Tanh>, Dense<8, 2>> normalized{Seed{1}};
    Trainer{normalized, Adam{}}.fit(data, {.epochs = 1, .batch_size = 32});
  });
  page.mistake("", [] {
    RegressionDataset<float> line{Eigen::RowVectorXf::LinSpaced(8, 1, 8), Eigen::RowVectorXf::LinSpaced(8, 2, 16)};
    Network<float, SquaredError, Dense<1, 1, Identity, Zeros>> slope{Seed{1}};
    Trainer{slope, SGD{.learning_rate = 1e30}}.fit(line, {.epochs = 5, .batch_size = 8});
  });

  page.section("All samples in each step");

  page.mistake("", [&] { minimize(classifier, data, LBFGS{}, {.iterations = 0}); });
  page.mistake("", [&] { minimize(classifier, data, LBFGS{.c1 = 0.9, .c2 = 0.1}); });
  page.mistake("", [&] {
    Network<float, SoftmaxCrossEntropy, Dense<4, 8>, Dropout<>, Dense<8, 2>> random{Seed{1}};
    auto J = objective(random, data);
  });
  page.mistake("", [&] {
    auto J = objective(classifier, data);
    Eigen::VectorXf theta = Eigen::VectorXf::Zero(10);
    J(theta);
  });

  page.section("Checkpoints");

  page.mistake("", [&] { trainer.fit(data, {.epochs = 1}, Checkpoint{.path = ""}); });
  page.mistake("", [&] { trainer.fit(data, {.epochs = 1}, Checkpoint{.path = "no/such/folder/run.checkpoint"}); });
  page.mistake("To start again from the beginning, delete the file or set `.resume = false`.", [&] {
    trainer.fit(data, {.epochs = 1, .batch_size = 11}, Checkpoint{.path = "run.checkpoint"});
    trainer.fit(data, {.epochs = 2, .batch_size = 33}, Checkpoint{.path = "run.checkpoint"});
  });
  page.mistake("", [&] {
    auto state = SGD{}.make_state(classifier);
    save_checkpoint("loop.checkpoint", classifier, state);
    auto state_of_adam = Adam{}.make_state(classifier);
    load_checkpoint("loop.checkpoint", classifier, state_of_adam);
  });
  page.mistake("", [&] {
    std::ofstream("broken.checkpoint") << "chainrule";
    auto state = SGD{}.make_state(classifier);
    load_checkpoint("broken.checkpoint", classifier, state);
  });
}
