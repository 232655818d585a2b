#include <chainrule/data/batches.hpp>

#include <algorithm>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// A data set whose sample i is (i, 10 i) with label i and weight i / 8.
Dataset<float> numbered(int samples) {
  Dataset<float> data;
  data.features.resize(2, samples);
  data.weights.resize(samples);
  for (int i = 0; i < samples; ++i) {
    data.features.col(i) << static_cast<float>(i), static_cast<float>(10 * i);
    data.targets.push_back(i);
    data.weights[i] = static_cast<float>(i) / 8;
  }
  return data;
}

/// Returns the labels of all batches of an epoch; checks the sizes of the batches, and that features and weights match the labels.
template <class BatchesType>
std::vector<int> labels_of_epoch(BatchesType& batches, Index epoch, const std::vector<Index>& sizes) {
  batches.start_epoch(epoch);
  std::vector<int> labels;
  std::size_t batch = 0;
  bool together = true;
  for (auto [x, y] : batches) {
    together =
        together && batch < sizes.size() && x.cols() == sizes[batch++] && std::ssize(y.targets) == x.cols() && y.weights.size() == x.cols();
    for (Index k = 0; k < x.cols(); ++k) {
      const int label = y.targets[static_cast<std::size_t>(k)];
      together = together && x(0, k) == static_cast<float>(label) && x(1, k) == 10 * x(0, k) && y.weights[k] == x(0, k) / 8;
      labels.push_back(label);
    }
  }
  CHECK(together);
  CHECK(batch == sizes.size());
  return labels;
}

}  // namespace

TEST_CASE("batches hold every sample once per epoch, in an order that depends on seed and epoch alone") {
  const Dataset<float> data = numbered(10);
  Batches batches{data, 4, {.seed = Seed{3}}};
  CHECK(batches.batches() == 3);
  CHECK(batches.samples() == 10);
  const std::vector<int> first = labels_of_epoch(batches, 0, {4, 4, 2});
  CHECK(first == std::vector<int>{5, 8, 4, 3, 0, 6, 1, 9, 2, 7});  // literal, because every compiler must give it
  const std::vector<int> second = labels_of_epoch(batches, 1, {4, 4, 2});
  CHECK(second == std::vector<int>{5, 6, 2, 1, 3, 9, 7, 4, 8, 0});
  CHECK(labels_of_epoch(batches, 0, {4, 4, 2}) == first);
  Batches other_seed{data, 4, {.seed = Seed{4}}};
  CHECK(labels_of_epoch(other_seed, 0, {4, 4, 2}) != first);
}

TEST_CASE("batches without shuffling view the data itself, and drop_last leaves out a short last batch") {
  const Dataset<float> data = numbered(10);
  Batches batches{data, 4, {.shuffle = false, .drop_last = true}};
  CHECK(batches.batches() == 2);
  CHECK(batches.samples() == 8);
  CHECK(labels_of_epoch(batches, 5, {4, 4}) == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(batches[1].x.data() == data.features.col(4).data());
}

TEST_CASE("batches of blocks of a matrix, with targets that are numbers and without weights") {
  const Eigen::MatrixXd memory = Eigen::MatrixXd::Random(5, 9);
  const auto x = memory.topRows(3);
  const auto y = memory.bottomRows(2);
  for (const bool shuffled : {true, false}) {
    Batches batches{DataView{x, y}, 2, {.shuffle = shuffled}};
    batches.start_epoch(1);
    Index place = 0;
    bool right = true;
    for (auto [batch_x, batch_y] : batches)
      for (Index k = 0; k < batch_x.cols(); ++k) {
        const Index i = batches.order()[static_cast<std::size_t>(place++)];
        right = right && batch_x.col(k) == x.col(i) && batch_y.targets.col(k) == y.col(i) && batch_y.weights.size() == 0;
      }
    CHECK(right);
    CHECK(place == 9);
  }
}

TEST_CASE("each batch says the mean weight of all samples, so that a weight means the same in every batch") {
  Dataset<float> data = numbered(10);
  for (const bool shuffled : {true, false}) {
    Batches batches{data, 4, {.shuffle = shuffled}};
    for (auto [x, y] : batches) CHECK(y.mean_weight == 45.0 / 8 / 10);
    CHECK((Batches{data, 4, {.shuffle = shuffled, .mean_weight = 3}})[2].y.mean_weight == 3);
  }
  data.weights.setZero();
  CHECK_THROWS_SAYING((Batches{data, 4}), ValueError, "batches: all weights of the samples are 0");
  data.weights.resize(0);
  CHECK((Batches{data, 4})[0].y.mean_weight == 0);
}

TEST_CASE("a batch size below 1 or above the number of samples is an error") {
  const Dataset<float> data = numbered(3);
  CHECK_THROWS_SAYING((Batches{data, 0}), ShapeError, "batch size must be at least 1, got 0");
  CHECK_THROWS_SAYING((Batches{data, 4}), ShapeError, "the batch size is 4", "only 3 samples");
}

TEST_CASE("a batch that an epoch does not have, and batches that were moved to another object, are errors") {
  const Dataset<float> data = numbered(10);
  Batches batches{data, 4};
  CHECK_THROWS_SAYING(batches[3], ValueError, "there is no batch 3", "an epoch has 3");
  CHECK_THROWS_SAYING(batches[-1], ValueError, "there is no batch -1");
  Batches moved = std::move(batches);
  batches.start_epoch(1);  // NOLINT(bugprone-use-after-move)
  CHECK_THROWS_SAYING(batches[0], StateError, "batches: these batches were moved to another object");
  CHECK(moved[2].x.cols() == 2);
}

TEST_CASE("batches have 0 for features that are subnormal, and copy unshuffled data only where there are such features") {
  Dataset<float> data = numbered(5);
  data.features.col(3) << 1e-39f, -1.5e-38f;
  for (const bool shuffle : {false, true}) {
    Batches batches{data, 2, {.shuffle = shuffle}};
    int seen = 0;
    for (auto [x, y] : batches)
      for (Index k = 0; k < x.cols(); ++k) {
        const int label = y.targets[static_cast<std::size_t>(k)];
        const Eigen::Vector2f expected = label == 3 ? Eigen::Vector2f(0, -1.5e-38f) : Eigen::Vector2f(data.features.col(label));
        CHECK((x.col(k) == expected && y.weights[k] == static_cast<float>(label) / 8));
        ++seen;
      }
    CHECK(seen == 5);
  }
}
