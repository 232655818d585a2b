#include <algorithm>
#include <chainrule/data/split.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "support/catch.hpp"

using namespace chainrule;
using Indices = std::vector<Index>;

namespace {

/// A data set whose only feature is the index of the sample, with these labels.
Dataset<float> numbered(std::vector<int> labels) {
  const Index samples = static_cast<Index>(labels.size());
  Dataset<float> data{Matrix<float>(1, samples), std::move(labels)};
  for (Index i = 0; i < samples; ++i) data.features(0, i) = static_cast<float>(i);
  return data;
}

/// counts[c] labels of each class c, shuffled.
std::vector<int> labels_of_counts(const std::vector<int>& counts) {
  std::vector<int> labels;
  for (int c = 0; c < static_cast<int>(counts.size()); ++c)
    labels.insert(labels.end(), static_cast<std::size_t>(counts[static_cast<std::size_t>(c)]), c);
  Random random{Seed{7}};
  chainrule::shuffle(labels.begin(), labels.end(), random);
  return labels;
}

Indices numbers_below(Index n) {
  Indices numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), Index{0});
  return numbers;
}

Indices sorted_union(Indices a, const Indices& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::sort(a.begin(), a.end());
  return a;
}

Index count(const std::vector<int>& labels, const Indices& part, int label) {
  return std::count_if(part.begin(), part.end(), [&](Index i) { return labels[static_cast<std::size_t>(i)] == label; });
}

/// Whether `part` has the given share of each class, to within one sample.
bool keeps_shares(const std::vector<int>& labels, const Indices& part, double share) {
  return std::all_of(labels.begin(), labels.end(), [&](int label) {
    const double expected = share * static_cast<double>(std::count(labels.begin(), labels.end(), label));
    return std::abs(static_cast<double>(count(labels, part, label)) - expected) < 1;
  });
}

}  // namespace

TEST_CASE("a split without shuffling keeps the order and takes the last samples for testing") {
  const IndexSplit parts = split_indices(10, {.test_share = 0.3, .shuffle = false});
  CHECK(parts.train == Indices{0, 1, 2, 3, 4, 5, 6});
  CHECK(parts.test == Indices{7, 8, 9});
}

TEST_CASE("a split is reproducible: the same seed gives the same parts with every compiler") {
  const IndexSplit parts = split_indices(8, {.test_share = 0.25, .seed = Seed{42}});
  CHECK(parts.train == Indices{3, 2, 1, 0, 6, 4});
  CHECK(parts.test == Indices{5, 7});
  CHECK(split_indices(8, {.test_share = 0.25, .seed = Seed{43}}).train != parts.train);
}

TEST_CASE("every sample is in one part, and the test part has the rounded share of the samples") {
  for (const Index samples : {2, 3, 10, 101})
    for (const double share : {0.3, 0.5, 0.7}) {
      const IndexSplit parts = split_indices(samples, {.test_share = share, .seed = Seed{1}});
      CHECK(sorted_union(parts.train, parts.test) == numbers_below(samples));
      CHECK(std::abs(static_cast<double>(parts.test.size()) - share * static_cast<double>(samples)) <= 0.5 + 1e-9);
    }
}

TEST_CASE("more samples than memory can hold are refused") {
  const Index samples = Index{1} << 60;
  CHECK_THROWS_SAYING(k_fold(samples, 2), ShapeError, "k_fold: ", "more than memory can hold");
  CHECK_THROWS_SAYING(split_indices(samples), ShapeError, "split: ", "more than memory can hold");
}

TEST_CASE("a stratified split keeps the share of each class, small classes included") {
  const auto labels = labels_of_counts({50, 1, 7, 3, 39, 2, 1});
  for (const double share : {0.1, 0.2, 0.25, 0.5, 0.9})
    for (const bool shuffle : {true, false}) {
      const IndexSplit parts = stratified_split_indices(labels, {.test_share = share, .seed = Seed{3}, .shuffle = shuffle});
      CHECK(sorted_union(parts.train, parts.test) == numbers_below(103));
      CHECK(keeps_shares(labels, parts.test, share));
      CHECK(keeps_shares(labels, parts.train, 1 - share));
      for (const int label : {0, 1, 2, 3, 4, 5, 6}) CHECK(count(labels, parts.train, label) >= 1);
      // at 0.9 the classes of 1, 1, 2, 3 and 7 samples keep one each, the one of 50 keeps 5, and the one of 39 keeps 3
      CHECK(parts.test.size() == (share == 0.9 ? 90u : static_cast<std::size_t>(std::llround(share * 103))));
    }
}

TEST_CASE("a stratified split leaves no class without a sample to learn from, whatever the share") {
  for (const double share : {0.5, 0.6, 0.75, 0.9}) {
    const std::vector<int> labels{0, 0, 1, 1, 1, 2, 0, 1, 0, 0};
    const IndexSplit parts = stratified_split_indices(labels, {.test_share = share, .seed = Seed{2}});
    for (const int label : {0, 1, 2}) CHECK(count(labels, parts.train, label) >= 1);
    CHECK(keeps_shares(labels, parts.test, share));
  }
  const std::vector<int> one_of_each{0, 1, 2, 3};
  CHECK_THROWS_SAYING(stratified_split_indices(one_of_each, {.test_share = 0.5}), ValueError, "no class has more than one sample");
}

TEST_CASE("a class of one sample goes to the training part first") {
  const std::vector<int> labels{0, 0, 0, 1, 2, 3, 4};
  const IndexSplit parts = stratified_split_indices(labels, {.test_share = 0.15});
  CHECK(count(labels, parts.test, 0) == 1);
}

TEST_CASE("a stratified split without shuffling keeps the order") {
  const IndexSplit parts = stratified_split_indices(std::vector<int>{0, 1, 0, 1, 0, 1, 0, 1}, {.test_share = 0.25, .shuffle = false});
  CHECK(parts.train == Indices{0, 1, 2, 3, 4, 5});
  CHECK(parts.test == Indices{6, 7});
}

TEST_CASE("both parts of a split data set have their targets, weights and names") {
  Dataset<float> data = numbered({0, 1, 0, 1});
  data.weights = Vector<float>::LinSpaced(4, 1, 4);
  data.feature_names = {"number"};
  data.target_names = {"even", "odd"};
  const auto [train, test] = split(data, {.test_share = 0.25, .shuffle = false});
  CHECK(train.size() == 3);
  CHECK(test.size() == 1);
  CHECK(train.targets == std::vector<int>{0, 1, 0});
  CHECK(test.targets == std::vector<int>{1});
  CHECK((test.features(0, 0) == 3 && test.weights[0] == 4 && test.weights.size() == 1));
  CHECK(test.feature_names == data.feature_names);
  CHECK(test.target_names == data.target_names);
  const auto stratified = stratified_split(data, {.test_share = 0.5, .seed = Seed{5}});
  CHECK(stratified.test.targets.size() == 2);
  CHECK(stratified.test.targets[0] != stratified.test.targets[1]);
}

TEST_CASE("a regression data set is split with its targets") {
  const RegressionDataset<float> data{Matrix<float>{{0, 1, 2, 3}}, Matrix<float>{{0, 10, 20, 30}, {0, 1, 4, 9}}};
  const auto [train, test] = split(data, {.test_share = 0.5, .seed = Seed{5}});
  CHECK((train.size() == 2 && test.size() == 2));
  CHECK((test.targets(0, 1) == 10 * test.features(0, 1) && test.targets(1, 1) == test.features(0, 1) * test.features(0, 1)));
  CHECK(k_fold(data, 2).size() == 2);
}

TEST_CASE("each sample is in the validation part of one fold") {
  const auto folds = k_fold(8, 3, {.shuffle = false});
  CHECK(folds.size() == 3);
  CHECK(folds[0].validation == Indices{0, 1, 2});
  CHECK(folds[0].train == Indices{3, 4, 5, 6, 7});
  CHECK(folds[1].validation == Indices{3, 4, 5});
  CHECK(folds[2].validation == Indices{6, 7});
  CHECK(folds[2].train == Indices{0, 1, 2, 3, 4, 5});

  Indices all;
  for (const Fold& fold : k_fold(103, 5, {.seed = Seed{9}})) {
    CHECK((fold.validation.size() == 20 || fold.validation.size() == 21));
    CHECK(sorted_union(fold.train, fold.validation) == numbers_below(103));
    all = sorted_union(all, fold.validation);
  }
  CHECK(all == numbers_below(103));
}

TEST_CASE("folds are reproducible: the same seed gives the same folds with every compiler") {
  const auto folds = k_fold(6, 3, {.seed = Seed{42}});
  CHECK(folds[0].validation == Indices{1, 3});
  CHECK(folds[1].validation == Indices{2, 5});
  CHECK(folds[2].validation == Indices{0, 4});
  CHECK(k_fold(6, 6, {.seed = Seed{1}})[0].validation.size() == 1);  // leave one out
}

TEST_CASE("stratified folds keep the share of each class, and their sizes differ by at most one") {
  const auto labels = labels_of_counts({50, 6, 7, 39, 5, 8});
  for (const bool shuffle : {true, false}) {
    Indices all;
    for (const Fold& fold : stratified_k_fold(labels, 5, {.seed = Seed{2}, .shuffle = shuffle})) {
      CHECK(keeps_shares(labels, fold.validation, 0.2));
      CHECK((fold.validation.size() == 23));
      CHECK(sorted_union(fold.train, fold.validation) == numbers_below(115));
      all = sorted_union(all, fold.validation);
    }
    CHECK(all == numbers_below(115));
  }
}

TEST_CASE("an empty part, or a share outside (0, 1), is an error") {
  CHECK_THROWS_SAYING(split_indices(3, {.test_share = 0.1}), ValueError,
                      "split: with 3 samples and a share of 0.1 for testing, no sample would be for testing");
  CHECK_THROWS_SAYING(split_indices(3, {.test_share = 0.9}), ValueError, "every sample would be for testing");
  CHECK_THROWS_SAYING(split_indices(0), ValueError, "with 0 samples");
  CHECK_THROWS_SAYING(stratified_split_indices(std::vector<int>{}), ValueError, "stratified_split: with 0 samples");
  for (const double share : {0.0, 1.0, -0.5, 1.5, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_SAYING(split_indices(10, {.test_share = share}), ValueError,
                        "split: the share of samples for testing must be between 0 and 1");
}

TEST_CASE("too few or too many folds are an error") {
  CHECK_THROWS_SAYING(k_fold(10, 1), ValueError, "k_fold: the number of folds must be from 2 to 10, the number of samples, but is 1");
  CHECK_THROWS_SAYING(k_fold(10, 11), ValueError, "but is 11");
  CHECK_THROWS_SAYING(k_fold(10, -3), ValueError, "but is -3");
  CHECK_THROWS_SAYING(stratified_k_fold(std::vector<int>{0, 0, 4, 4, 4}, 3), ValueError,
                      "stratified_k_fold: class 0 has 2 samples, too few for one in each of 3 folds");
  Dataset<float> data = numbered({0, 0, 0, 1});
  data.target_names = {"even", "odd"};
  CHECK_THROWS_SAYING(stratified_k_fold(data, 2), ValueError, "class 1 (odd) has 1 samples");
}
