#include <chainrule/data/subset.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("a subset has the samples in the order of the indices, with targets, weights and names") {
  const Dataset<float> data{Matrix<float>{{1, 2, 3}, {10, 20, 30}}, {7, 8, 9}, Eigen::Vector3f(0.5f, 1, 2), {"a", "b"}, {"x"}};
  const Dataset<float> picked = subset(data, {2, 0, 2});
  CHECK(picked.features == Matrix<float>{{3, 1, 3}, {30, 10, 30}});
  CHECK(picked.targets == std::vector<int>{9, 7, 9});
  CHECK(picked.weights == Eigen::Vector3f(2, 0.5f, 2));
  CHECK(picked.feature_names == data.feature_names);
  CHECK(picked.target_names == data.target_names);
  CHECK(subset(data, {}).size() == 0);

  const RegressionDataset<double> numbers{Matrix<double>{{1, 2}}, Matrix<double>{{3, 4}, {5, 6}}};
  CHECK(subset(numbers, {1}).targets == Matrix<double>{{4}, {6}});
  CHECK(subset(numbers, {1}).weights.size() == 0);
}

TEST_CASE("an index out of range, or a data set with too few targets, is an error") {
  Dataset<float> data{Matrix<float>{{1, 2, 3}}, {7, 8, 9}};
  CHECK_THROWS_SAYING(subset(data, {0, 3}), ValueError, "subset: there is no sample 3; the 3 samples are counted from 0");
  CHECK_THROWS_SAYING(subset(data, {-1}), ValueError, "there is no sample -1");
  data.targets.pop_back();
  CHECK_THROWS_SAYING(subset(data, {0}), ShapeError, "3 samples, but targets for 2");
}
