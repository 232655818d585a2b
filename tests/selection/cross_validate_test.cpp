#include <algorithm>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/data/preprocessing.hpp>
#include <chainrule/data/standardizer.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/normalize.hpp>
#include <chainrule/losses/class_weighted.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/selection/cross_validate.hpp>
#include <chainrule/selection/search.hpp>

#include "support/catch.hpp"
#include "support/rings.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

using Data = Dataset<float>;
using Net = Network<float, ClassWeighted<SoftmaxCrossEntropy>, Normalize<2>, Dense<2, 8, Tanh>, Dense<8, 2>>;
using Part = TrainingPart<Data>;
using Options = detail::CrossValidationOptionsFor<Data>;
using Make = std::function<Learner<Net, Adam, EarlyStopping>(Part&)>;

Data weighted_rings() {
  Data data = rings<float>(60, 1);
  data.weights.resize(60);
  for (Index j = 0; j < 60; ++j) data.weights[j] = 1 + static_cast<float>(j % 3);
  return data;
}

/// A network for the part, whose scaler and class weights are made from it alone.
Net net_for(const Part& part) {
  Net net{part.seed, {{1, static_cast<double>(part.train.size()) / 40}}};
  net.buffers<0>().set(Standardizer<float>(part.train.features));
  return net;
}
/// EarlyStopping that looks at the loss of the training.
EarlyStopping stopping() { return {.patience = 100, .monitor = "loss", .restore_best = false}; }

CrossValidation run(const Data& data, const std::vector<Fold>& folds, const Make& make, const Options& options) {
  return cross_validate(data, folds, make, options);
}

const Make standard = [](Part& part) { return Learner{net_for(part), Adam{.learning_rate = 0.05}, stopping()}; };

}  // namespace

TEST_CASE("cross_validate trains and measures each fold as a loop with fit does") {
  const Data data = weighted_rings();
  const auto folds = stratified_k_fold(data, 3, {.seed = Seed{4}});
  std::vector<Index> sizes;
  const auto result = run(data, folds,
                          [&](Part& part) {
                            sizes.push_back(part.train.size());
                            return standard(part);
                          },
                          {.fit = {.epochs = 4, .batch_size = 16, .seed = Seed{9}, .metrics = {accuracy}}});
  CHECK(sizes == std::vector<Index>{40, 40, 40});
  REQUIRE(result.folds().size() == 3);
  for (std::size_t f = 0; f < 3; ++f) {
    const Data train = subset(data, folds[f].train), validation = subset(data, folds[f].validation);
    const Seed seed = derived_seed(Seed{9}, f);
    Net net = net_for(Part{train, 0, seed, {}});
    Trainer trainer{net, Adam{.learning_rate = 0.05}};
    const History history =
        trainer.fit(train, {.epochs = 4, .batch_size = 16, .validation = validation, .seed = seed, .metrics = {accuracy}}, stopping());
    CHECK(result["loss"][f] == history["loss"].back());
    CHECK(result["validation_loss"][f] == history["validation_loss"].back());
    CHECK(result["validation_accuracy"][f] == history["validation_accuracy"].back());
    CHECK(result.folds()[f].epochs == 4);
  }
  const auto values = result["validation_loss"];
  const double mean = (values[0] + values[1] + values[2]) / 3;
  CHECK(result.mean("validation_loss") == Approx(mean).epsilon(1e-14));
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  CHECK(result.deviation("validation_loss") == Approx(std::sqrt(squares / 3)).epsilon(1e-12));
  CHECK_THROWS_SAYING(result["accuracy"], ValueError, "no quantity \"accuracy\"; there are: loss, validation_loss, validation_accuracy");
  CHECK_THAT(result.to_string(), ContainsSubstring("fold       epochs"));
  CHECK_THAT(result.to_string(), ContainsSubstring("\ndeviation "));
}

TEST_CASE("cross_validate fits a preparation to the training part alone and holds samples out of it for fit") {
  const Data data = weighted_rings();
  std::vector<Index> fitted, learned;
  const auto prepare = [&](const Data& train) {
    fitted.push_back(train.size());
    const Standardizer<float> scaler(train.features);
    return [scaler](const Data& part) {
      Data scaled = part;
      scaler.transform_in_place(scaled.features);
      return scaled;
    };
  };
  const Make make = [&](Part& part) {
    learned.push_back(part.train.size());
    Learner learner = standard(part);
    std::get<0>(learner.observers).monitor = "validation_loss";
    return learner;
  };
  const auto result = cross_validate(data, k_fold(data, 2), prepare, make, {.fit = {.epochs = 2}, .held_out = 0.2});
  CHECK(fitted == std::vector<Index>{30, 30});
  CHECK(learned == std::vector<Index>{24, 24});
  CHECK(detail::is_finite(result.mean("validation_loss")));
}

TEST_CASE("cross_validate takes a table, whose preprocessing is fitted in each fold anew") {
  std::vector<std::vector<std::string>> rows;
  const Data data = weighted_rings();
  for (Index i = 0; i < 20; ++i)
    rows.push_back({std::to_string(data.features(0, i)), std::to_string(data.features(1, i)), i % 2 == 0 ? "yes" : "no"});
  const Table table({"a", "b", "label"}, rows);
  const auto folds = stratified_k_fold(table, "label", 2);
  std::vector<Index> fitted;
  const auto prepare = [&](const Table& train) {
    fitted.push_back(train.size());
    Preprocessing preprocessing({.label = "label"});
    preprocessing.fit(train);
    return [preprocessing](const Table& part) { return preprocessing.dataset<float>(part); };
  };
  const auto result = cross_validate(table, folds, prepare, standard, {.fit = {.epochs = 2}});
  CHECK(fitted == std::vector<Index>{10, 10});
  const auto transform = prepare(subset(table, folds[0].train));
  const Data train = transform(subset(table, folds[0].train)), validation = transform(subset(table, folds[0].validation));
  Net net = net_for(Part{train, 0, derived_seed(Seed{}, 0), {}});
  Trainer trainer{net, Adam{.learning_rate = 0.05}};
  const auto history = trainer.fit(train, {.epochs = 2, .validation = validation, .seed = derived_seed(Seed{}, 0)}, stopping());
  CHECK(result["validation_loss"][0] == history["validation_loss"].back());
}

TEST_CASE("cross_validate gives the same bits with threads and after a stop") {
  const TemporaryFolder folder;
  const Data data = weighted_rings();
  const auto folds = stratified_k_fold(data, 4);
  Options options{.fit = {.epochs = 3, .batch_size = 16}};
  const auto whole = run(data, folds, standard, options);
  options.threads = 3;
  CHECK(run(data, folds, standard, options)["validation_loss"] == whole["validation_loss"]);

  options.threads = 1;
  options.path = folder.path("folds");
  Index calls = 0;
  const Make stops = [&](Part& part) {
    if (++calls == 3) throw std::runtime_error("power failure");
    return standard(part);
  };
  CHECK_THROWS_WITH(run(data, folds, stops, options), "power failure");
  std::vector<std::string> lines;
  options.progress = [&](const SelectionProgress& progress) {
    lines.push_back(detail::text_of(progress.done, "/", progress.total, " ", progress.last));
  };
  const auto resumed = run(data, folds, standard, options);
  CHECK(resumed["validation_loss"] == whole["validation_loss"]);
  REQUIRE(lines.size() == 2);
  CHECK_THAT(lines[0], ContainsSubstring("3/4 fold 2: validation_loss "));

  const Make other = [](Part& part) { return Learner{net_for(part), Adam{.learning_rate = 0.06}, stopping()}; };
  CHECK_THROWS_SAYING(run(data, folds, other, options), ValueError, "has the result of fold 0 for other data, another network");
  Data changed = data;
  changed.targets[0] = 1 - changed.targets[0];
  CHECK_THROWS_SAYING(run(changed, folds, standard, options), ValueError, "has the result of fold");
  CHECK_THROWS_SAYING(run(data, k_fold(data, 5), standard, options), ValueError, "it is for 4 results, but now there are 5");
  options.path = folder.path("no_such_folder/folds");
  CHECK_THROWS_SAYING(run(data, folds, stops, options), ValueError, "cross_validate: cannot write");
  CHECK(calls == 3);  // noticed before the first fold
  options.path = folder.path("refused");
  CHECK_THROWS_AS(run(
                      data, folds, [](Part&) -> Learner<Net, Adam, EarlyStopping> { throw 1; }, options),
                  int);
  options.progress = {};
  CHECK(run(data, k_fold(data, 2), standard, options).folds().size() == 2);  // a file without results is of no call yet
  options.path = folder.path("folds");
  folder.file("folds", "x");
  CHECK_THROWS_SAYING(run(data, folds, standard, options), ValueError, "expected to begin with \"chainrule selection\"");
}

TEST_CASE("A training that diverges is reported, does not end the others and is never the best candidate") {
  const Data data = weighted_rings();
  const auto folds = k_fold(data, 2);
  const Make make = [](Part& part) {
    Learner learner = standard(part);
    if (part.fold == 1) learner.net.layer<1>().weight.setConstant(std::nanf(""));
    return learner;
  };
  const auto result = run(data, folds, make, {.fit = {.epochs = 2}});
  CHECK(result.folds()[0].notes ==
        std::vector<std::string>{"batch_size is 32, but there are only 30 samples, so each step is made with all of them"});
  CHECK_THAT(result.to_string(), ContainsSubstring("\nnote: batch_size is 32"));
  CHECK(result.diverged() == 1);
  CHECK(std::isnan(result.mean("validation_loss")));
  CHECK(detail::is_finite(result["validation_loss"][0]));
  CHECK_THAT(result.to_string(), ContainsSubstring("fold 1 diverged: training stopped in epoch 1"));

  const auto make_candidate = [](const Candidate& candidate, Part& part) {
    Learner learner{net_for(part), Adam{.learning_rate = candidate["learning_rate"]}, stopping()};
    if (part.fold == 1 && candidate.text("start") == "nan") learner.net.layer<1>().weight.setConstant(std::nanf(""));
    return learner;
  };
  const auto candidates = grid({{"start", {"nan", "finite"}}, {"learning_rate", {1e-6, 0.05}}});
  detail::SearchOptionsFor<Data> options{.fit = {.epochs = 2}};
  const auto found = search(data, folds, candidates, make_candidate, options);
  REQUIRE(found.rows().size() == 4);
  CHECK(found.best() == found.rows()[0].candidate);
  CHECK(found.rows()[0].score == found.rows()[0].result.mean("validation_loss"));
  CHECK(found.rows()[0].score < found.rows()[1].score);
  const std::size_t slow = found.best() == candidates[2] ? 0 : 1;
  CHECK(found.rows()[slow].candidate == candidates[2]);
  CHECK(found.rows()[1 - slow].candidate == candidates[3]);
  CHECK(found.rows()[1 - slow].result["validation_loss"] == run(data, folds, standard, {.fit = {.epochs = 2}})["validation_loss"]);
  CHECK(found.rows()[2].candidate == candidates[0]);
  CHECK(std::isnan(found.rows()[3].score));
  CHECK_THAT(found.to_string(), ContainsSubstring("start   learning_rate  validation_loss"));
  CHECK_THAT(found.to_string(), ContainsSubstring("1 of 2\n"));

  options.threads = 2;
  options.monitor = "validation_accuracy";
  options.larger_is_better = true;
  const auto by_accuracy = search(data, folds, candidates, make_candidate, options);
  CHECK(by_accuracy.rows()[0].score >= by_accuracy.rows()[1].score);
  const std::size_t first = by_accuracy.best() == found.best() ? 0 : 1;
  CHECK(by_accuracy.rows()[first].result["validation_loss"] == found.rows()[0].result["validation_loss"]);
  const auto none = search(data, folds, {candidates[0]}, make_candidate, options);
  CHECK_THROWS_SAYING(none.best(), ValueError, "validation_accuracy is not finite for any of them: their trainings diverged");

  options.monitor = "validation_f1";
  CHECK_THROWS_SAYING(search(data, folds, candidates, make_candidate, options), ValueError,
                      "monitors \"validation_f1\", which is not measured; there are: loss, validation_loss, validation_accuracy");
  CHECK_THROWS_SAYING(search(data, folds, {}, make_candidate, options), ValueError, "search: there are no candidates");
}

TEST_CASE("cross_validate refuses folds that are empty, out of range, share samples or have one class to learn from") {
  const Data data = weighted_rings();
  const auto refused = [&](std::vector<Fold> folds) { return run(data, folds, standard, {}); };
  CHECK_THROWS_SAYING(refused({}), ValueError, "there are no folds; k_fold(data, 5)");
  CHECK_THROWS_SAYING(refused({{{}, {1}}}), ValueError, "the training part of fold 0 is empty");
  CHECK_THROWS_SAYING(refused({{{0, 1, 2}, {3}}, {{1}, {}}}), ValueError, "the validation part of fold 1 is empty");
  CHECK_THROWS_SAYING(refused({{{0}, {60}}}), ValueError, "fold 0 has the sample 60, but the 60 samples are counted from 0");
  CHECK_THROWS_SAYING(refused({{{0, 1}, {1}}}), ValueError, "sample 1 is in both parts of fold 0");
  Fold one_class;
  for (Index i = 0; i < 60; ++i) (data.targets[static_cast<std::size_t>(i)] == 0 ? one_class.train : one_class.validation).push_back(i);
  CHECK_THROWS_SAYING(refused({one_class}), ValueError, "all samples to learn from in fold 0 are of class 0", "stratified_k_fold");
  CHECK_THROWS_SAYING(run(Data{Matrix<float>(2, 0), {}}, {{{0}, {1}}}, standard, {}), ShapeError, "cross_validate: the data are empty");
  CHECK_THROWS_SAYING(run(data, k_fold(data, 2), standard, {.fit = {.validation = data}}), ValueError, "fit.validation must be empty");
  CHECK_THROWS_SAYING(run(data, k_fold(data, 2), standard, {.held_out = 1.5}), ValueError, "share of samples for testing");
  CHECK_THROWS_SAYING(run(data, k_fold(data, 2), standard, {.threads = 0}), ValueError, "cross_validate: threads must be 1 to 1024, got 0");
}

TEST_CASE("A file of results is refused where held-out samples, frozen parameters or an observer's settings are others") {
  const TemporaryFolder folder;
  Data data = rings<float>(60, 1);
  const auto folds = stratified_k_fold(data, 2, {.seed = Seed{4}});
  const Options options{.fit = {.epochs = 2, .batch_size = 16}, .held_out = 0.5, .path = folder.path("results")};
  Matrix<float> learned;
  const Make remember = [&](Part& part) {
    if (part.fold == 0) learned = part.train.features;
    return standard(part);
  };
  const CrossValidation first = run(data, folds, remember, options);
  CHECK(run(data, folds, standard, options).mean("validation_loss") == first.mean("validation_loss"));

  CHECK_THROWS_SAYING(run(
                          data, folds,
                          [](Part& part) {
                            Net net = net_for(part);
                            net.freeze("1.bias");
                            return Learner{net, Adam{.learning_rate = 0.05}, stopping()};
                          },
                          options),
                      ValueError, "fold 0");
  CHECK_THROWS_SAYING(run(
                          data, folds,
                          [](Part& part) {
                            EarlyStopping other = stopping();
                            other.minimum_improvement = 0.5;
                            return Learner{net_for(part), Adam{.learning_rate = 0.05}, other};
                          },
                          options),
                      ValueError, "fold 0");
  const auto is_learned = [&](Index sample) {
    for (Index j = 0; j < learned.cols(); ++j)
      if (learned.col(j) == data.features.col(sample)) return true;
    return false;
  };
  const auto& part = folds[0].train;
  const auto held_out = std::find_if(part.begin(), part.end(), [&](Index sample) { return !is_learned(sample); });
  REQUIRE(held_out != part.end());
  data.features.col(*held_out) *= -3;
  CHECK_THROWS_SAYING(run(data, folds, standard, options), ValueError, "fold 0");
}

TEST_CASE("cross_validate refuses a preparation that leaves no sample") {
  const Data data = rings<float>(20, 1);
  const auto prepare = [](const Data&) { return [](const Data& part) { return subset(part, std::vector<Index>{}); }; };
  CHECK_THROWS_SAYING(cross_validate(data, k_fold(data, 2), prepare, standard, {.fit = {.epochs = 1}}), ShapeError,
                      "the preparation has left no sample");
}
