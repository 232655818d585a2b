#include <chainrule/training/detail/evaluator.hpp>

#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"
#include "support/rings.hpp"

using namespace chainrule;
using chainrule_test::rings;

TEST_CASE("Evaluator names its quantities in order and measures whole sets although it predicts in batches") {
  using Net = Network<double, SoftmaxCrossEntropy, Dense<2, 2>>;
  Net net{Seed{1}};
  const Dataset<double> train = rings<double>(23, 1);
  const Dataset<double> test = rings<double>(11, 2);
  const auto zero_share = [](const ConstMatrixView<double>&, const Labels<int>& y) {
    return static_cast<double>(std::count(y.begin(), y.end(), 0)) / static_cast<double>(y.size());
  };
  using Options = FitOptions<double, Labels<int>>;
  detail::Evaluator<Net, Labels<int>> evaluator(
      net, train, Options{.validation = test, .metrics = {accuracy, {"zero_share", zero_share}}, .training_metrics = true});
  Run<Net> run(net);
  run.quantities = evaluator.quantities();
  run.loss = 7;
  auto work = net.make_workspace(5);
  evaluator.measure(run, work, 0.5);
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

TEST_CASE("Evaluator measures only the loss without a validation set and training metrics") {
  using Net = Network<double, SoftmaxCrossEntropy, Dense<2, 2>>;
  const Net net{Seed{1}};
  const Dataset<double> train = rings<double>(4, 1);
  const detail::Evaluator<Net, Labels<int>> evaluator(net, train, FitOptions<double, Labels<int>>{});
  CHECK(evaluator.quantities().size() == 1);
}

TEST_CASE("Evaluator refuses a metric that does not fit the data before the training") {
  using Net = Network<double, SoftmaxCrossEntropy, Dense<2, 2>>;
  const Net net{Seed{1}};
  const Dataset<double> train = rings<double>(4, 1);
  const FitOptions<double, Labels<int>> options{.validation = train, .metrics = {TopKAccuracy{3}}};
  CHECK_THROWS_SAYING((detail::Evaluator<Net, Labels<int>>(net, train, options)), ValueError, "k is 3", "only 2 classes");
}
