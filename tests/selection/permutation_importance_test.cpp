#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/metrics/regression.hpp>
#include <chainrule/network.hpp>
#include <chainrule/selection/permutation_importance.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

using Net = Network<float, SquaredError, Dense<4, 1>>;

/// y = 3 x_0 + x_1 - x_2, where x_1 = x_2, so that both permuted together change nothing; x_3 does not count.
Net linear() {
  Net net{Seed{1}};
  net.layer<0>().weight << 3, 1, -1, 0;
  return net;
}

RegressionDataset<float> samples_of(Index samples) {
  Random random{Seed{2}};
  RegressionDataset<float> data{Matrix<float>(4, samples), Matrix<float>(1, samples), {}, {"a", "b", "c", "d"}};
  for (Index j = 0; j < samples; ++j) {
    for (Index i = 0; i < 4; ++i) data.features(i, j) = static_cast<float>(random.normal());
    data.features(2, j) = data.features(1, j);
    data.targets(0, j) = 3 * data.features(0, j);
  }
  return data;
}

struct NotANumber {
  static constexpr std::string_view name = "nan_for_others";
  static constexpr bool larger_is_better = true;
  double operator()(const ConstMatrixView<float>& y_hat, const ConstMatrixView<float>& y) const {
    return (y_hat - y).cwiseAbs().maxCoeff() < 1e-3f ? 1 : std::nan("");
  }
};

}  // namespace

TEST_CASE("Permutation importance is the rise of an error by the permuted values, with its spread") {
  const auto data = samples_of(300);
  const Net net = linear();
  const auto importance = permutation_importance(net, data, mse, {.repeats = 3, .seed = Seed{5}});
  CHECK(importance.metric == "mse");
  CHECK(importance.score == Approx(0).margin(1e-10));
  REQUIRE(importance.rows.size() == 4);
  const double factors[] = {3, 1, 1, 0};
  for (Index i = 0; i < 4; ++i) {
    const auto& row = importance.rows[static_cast<std::size_t>(i)];
    CHECK(row.name == std::string(1, static_cast<char>('a' + i)));
    REQUIRE(row.scores.size() == 3);
    double mean = 0, squares = 0;
    for (Index repeat = 0; repeat < 3; ++repeat) {
      Random random{derived_seed(derived_seed(Seed{5}, static_cast<std::uint64_t>(i)), static_cast<std::uint64_t>(repeat))};
      std::vector<Index> order(300);
      for (Index j = 0; j < 300; ++j) order[static_cast<std::size_t>(j)] = j;
      shuffle(order.begin(), order.end(), random);
      double expected = 0;  // mean of (factor (x_i of another sample - x_i))^2
      for (Index j = 0; j < 300; ++j)
        expected += std::pow(factors[i] * (data.features(i, order[static_cast<std::size_t>(j)]) - data.features(i, j)), 2) / 300;
      CHECK(row.scores[static_cast<std::size_t>(repeat)] == Approx(expected).epsilon(1e-5).margin(1e-10));
      mean += expected / 3;
      squares += expected * expected / 3;
    }
    CHECK(row.mean == Approx(mean).epsilon(1e-5).margin(1e-10));
    CHECK(row.deviation == Approx(std::sqrt((std::max)(squares - mean * mean, 0.0))).epsilon(1e-3).margin(1e-9));
  }
  const std::string text = importance.to_string();
  CHECK(text.find("\na ") < text.find("\nb "));
  CHECK_THAT(text, ContainsSubstring("feature  importance  deviation\n"));

  const auto better = permutation_importance(net, data, r2, {.repeats = 1, .seed = Seed{5}});  // larger is better
  CHECK(better.rows[0].mean == Approx(better.score - better.rows[0].scores[0]));
  CHECK(better.rows[0].mean > 1);
}

TEST_CASE("Permutation importance moves the features of a group together, with the same bits for any number of threads") {
  const auto data = samples_of(300);
  const Net net = linear();
  const PermutationImportanceOptions options{.repeats = 2, .groups = {{"both", {1, 2}}}};
  const auto importance = permutation_importance(net, data, mse, options);
  REQUIRE(importance.rows.size() == 3);
  CHECK(importance.rows[0].name == "both");
  CHECK(importance.rows[0].mean == Approx(0).margin(1e-10));
  CHECK(importance.rows[2].features == std::vector<Index>{3});
  auto shared = options;
  shared.threads = 3;
  const auto with_threads = permutation_importance(net, data, mse, shared);
  for (std::size_t i = 0; i < 3; ++i) CHECK(with_threads.rows[i].scores == importance.rows[i].scores);
}

TEST_CASE("Permutation importance remembers what is done in a file of its own network and data") {
  const TemporaryFolder folder;
  const auto data = samples_of(50);
  const Net net = linear();
  std::vector<SelectionProgress> calls;
  PermutationImportanceOptions options{.repeats = 2, .path = folder.path("importance")};
  const auto whole = permutation_importance(net, data, mse, options);
  options.progress = [&](const SelectionProgress& progress) { calls.push_back(progress); };
  const auto again = permutation_importance(net, data, mse, options);
  CHECK(calls.empty());
  CHECK(again.rows[0].scores == whole.rows[0].scores);
  Net other = linear();
  other.parameters()[0] = 2;
  CHECK_THROWS_SAYING(permutation_importance(other, data, mse, options), ValueError, "has the result of a permutation for other data");
  options.repeats = 3;
  CHECK_THROWS_SAYING(permutation_importance(net, data, mse, options), ValueError, "it is for 8 results, but now there are 12");
  options.path.clear();
  permutation_importance(net, data, mse, options);
  REQUIRE(calls.size() == 12);
  CHECK(calls.back().done == 12);
  CHECK(calls.back().seconds_left == 0);
  CHECK_THAT(calls.front().last, ContainsSubstring("a: mse "));
}

TEST_CASE("Permutation importance weighs samples, reports scores that are not finite and refuses what it cannot do") {
  auto data = samples_of(20);
  const Net net = linear();
  const auto unknown = permutation_importance(net, data, NotANumber{}, {.repeats = 1});
  CHECK(unknown.score == 1);
  CHECK(std::isnan(unknown.rows[0].mean));
  CHECK(unknown.rows[3].mean == 0);
  CHECK(unknown.to_string().find("\nd ") < unknown.to_string().find("\na "));

  data.targets(0, 0) += 100;
  data.weights = Vector<float>::Ones(20);
  data.weights[0] = 0;  // without its weight the first sample would decide the score
  CHECK(permutation_importance(net, data, mse, {.repeats = 1}).score < 1e-10);
  CHECK_THROWS_SAYING(permutation_importance(net, data, NotANumber{}), ValueError, "nan_for_others does not take weighted(y, w)");

  const auto refused = [&](std::vector<FeatureGroup> groups) {
    return permutation_importance(net, data, mse, {.groups = std::move(groups)});
  };
  CHECK_THROWS_SAYING(refused({{"city", {}}}), ValueError, "the group \"city\" has no feature");
  CHECK_THROWS_SAYING(refused({{"city", {4}}}), ValueError, "\"city\" has the feature 4, but the 4 features are counted from 0");
  CHECK_THROWS_SAYING(refused({{"city", {1}}, {"town", {1}}}), ValueError, "feature 1 is twice in groups, in \"city\" and \"town\"");
  CHECK_THROWS_SAYING(permutation_importance(net, data, mse, {.repeats = 0}), ValueError, "repeats must be 1 to 1000000, got 0");
  CHECK_THROWS_SAYING(permutation_importance(net, data, mse, {.threads = 0}), ValueError, "threads must be 1 to 1024, got 0");
  const RegressionDataset<float> empty{Matrix<float>(4, 0), Matrix<float>(1, 0)};
  CHECK_THROWS_SAYING(permutation_importance(net, empty, mse), ShapeError, "the data are empty");
  const RegressionDataset<float> narrow{Matrix<float>::Zero(3, 5), Matrix<float>::Zero(1, 5)};
  CHECK_THROWS_SAYING(permutation_importance(net, narrow, mse), ShapeError, "has 4 inputs, but the data have 3 features");
}
