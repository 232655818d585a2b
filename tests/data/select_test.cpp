#include <chainrule/data/select.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("selected samples in the order asked for, with all that goes with them") {
  const Dataset<float> data{Matrix<float>{{1, 2, 3}, {10, 20, 30}}, {7, 8, 9}, Eigen::Vector3f(0.5f, 1, 2), {"a", "b"}, {"x"}};
  const Dataset<float> picked = select(data, {2, 0, 2});
  CHECK(picked.features == Matrix<float>{{3, 1, 3}, {30, 10, 30}});
  CHECK(picked.targets == std::vector<int>{9, 7, 9});
  CHECK(picked.weights == Eigen::Vector3f(2, 0.5f, 2));
  CHECK(picked.feature_names == data.feature_names);
  CHECK(picked.target_names == data.target_names);
  CHECK(select(data, {}).size() == 0);

  const RegressionDataset<double> numbers{Matrix<double>{{1, 2}}, Matrix<double>{{3, 4}, {5, 6}}};
  CHECK(select(numbers, {1}).targets == Matrix<double>{{4}, {6}});
  CHECK(select(numbers, {1}).weights.size() == 0);
}

TEST_CASE("a sample that is not there, and a data set that does not fit together, are refused") {
  Dataset<float> data{Matrix<float>{{1, 2, 3}}, {7, 8, 9}};
  CHECK_THROWS_SAYING(select(data, {0, 3}), ValueError, "there is no sample 3", "the 3 samples are counted from 0");
  CHECK_THROWS_SAYING(select(data, {-1}), ValueError, "there is no sample -1");
  data.targets.pop_back();
  CHECK_THROWS_SAYING(select(data, {0}), ShapeError, "3 samples, but targets for 2");
}
