#include <chainrule/training/detail/scores.hpp>

#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"
#include "support/rings.hpp"

using namespace chainrule;
using chainrule_test::rings;

TEST_CASE("scores: names in their order, and values of whole sets though predicted in pieces") {
  using Net = Network<double, SoftmaxCrossEntropy, Dense<2, 2>>;
  Net net{Seed{1}};
  const Dataset<double> train = rings<double>(23, 1);
  const Dataset<double> test = rings<double>(11, 2);
  const auto zero_share = [](const ConstMatrixView<double>&, const Labels<int>& y) {
    return static_cast<double>(std::count(y.begin(), y.end(), 0)) / static_cast<double>(y.size());
  };
  detail::Scores<Net, Labels<int>> scores(
      net, train, {.validation = test, .metrics = {accuracy, {"zero_share", zero_share}}, .training_metrics = true});
  Run<Net> run(net);
  run.quantities = scores.quantities();
  run.loss = 7;
  auto work = net.make_workspace(5);
  scores.measure(run, work, 0.5);
  CHECK(run.quantities.size() == 6);
  CHECK(run.quantities[0].name == "loss");
  CHECK(run.value("loss") == 7);
  CHECK(run.value("accuracy") == accuracy(net.predict(train.features), train.targets));
  CHECK(run.value("zero_share") == zero_share(detail::const_view<double>(train.features), train.targets));
  CHECK(run.value("validation_accuracy") == accuracy(net.predict(test.features), test.targets));
  CHECK(run.value("validation_zero_share") == zero_share(detail::const_view<double>(test.features), test.targets));
  auto whole = net.make_workspace(11);
  CHECK(std::abs(run.value("validation_loss") - 0.5 - net.evaluate(test.features, test.targets, whole).loss) < 1e-12);
}

TEST_CASE("scores: without validation and wishes only the loss") {
  using Net = Network<double, SoftmaxCrossEntropy, Dense<2, 2>>;
  const Net net{Seed{1}};
  const Dataset<double> train = rings<double>(4, 1);
  const detail::Scores<Net, Labels<int>> scores(net, train, {});
  CHECK(scores.quantities().size() == 1);
}

TEST_CASE("scores: a metric that cannot be says so before anything is trained") {
  using Net = Network<double, SoftmaxCrossEntropy, Dense<2, 2>>;
  const Net net{Seed{1}};
  const Dataset<double> train = rings<double>(4, 1);
  const FitOptions<double, Labels<int>> options{.validation = train, .metrics = {TopKAccuracy{3}}};
  CHECK_THROWS_SAYING((detail::Scores<Net, Labels<int>>(net, train, options)), ValueError, "k is 3", "only 2 classes");
}
