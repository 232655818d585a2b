#include <chainrule/data/dataset.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("a view of a data set, or of any memory, copies nothing") {
  const Dataset<float> data{Eigen::MatrixXf::Ones(2, 3), {0, 1, 0}, Eigen::VectorXf::Ones(3)};
  const DataView view = data;
  STATIC_REQUIRE(std::is_same_v<decltype(view), const DataView<float, Labels<int>>>);
  CHECK(view.features.data() == data.features.data());
  CHECK(view.targets.data() == data.targets.data());
  CHECK(view.weights.data() == data.weights.data());
  CHECK(view.size() == 3);

  const double numbers[6] = {1, 2, 3, 4, 5, 6};
  const Eigen::Map<const Eigen::MatrixXd> x(numbers, 2, 3);
  const Eigen::RowVectorXd y = Eigen::RowVectorXd::Zero(3);
  const DataView of_map{x, y};
  STATIC_REQUIRE(std::is_same_v<decltype(of_map), const DataView<double, ConstMatrixView<double>>>);
  CHECK(of_map.features.data() == numbers);
  CHECK(of_map.weights.size() == 0);
  const std::vector<double> weights{1, 2, 3};
  CHECK(DataView{x, y, weights}.weights[2] == 3);
}

TEST_CASE("a data set with too few targets or too many weights is an error") {
  const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(2, 3);
  const std::vector<int> two{0, 1};
  const std::vector<int> three{0, 1, 1};
  CHECK_THROWS_SAYING((DataView{x, two}), ShapeError, "3 samples, but targets for 2");
  const Eigen::VectorXf four = Eigen::VectorXf::Ones(4);
  CHECK_THROWS_SAYING((DataView{x, three, four}), ShapeError, "3 samples, but 4 weights");
}

TEST_CASE("a DataView takes temporaries that are views, and none that owns its numbers") {
  const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(2, 3);
  const std::vector<int> y{0, 1, 1};
  const DataView view{x.leftCols(2), std::span(y).first(2)};
  CHECK((view.features.data() == x.data() && view.targets.data() == y.data()));
  using detail::may_be_viewed;
  STATIC_REQUIRE((may_be_viewed<const Eigen::MatrixXf&>() && may_be_viewed<std::vector<int>&>() && may_be_viewed<std::span<int>>()));
  STATIC_REQUIRE((may_be_viewed<Eigen::Map<const Eigen::MatrixXf>>() && may_be_viewed<Eigen::Ref<Eigen::MatrixXf>>()));
  STATIC_REQUIRE((!may_be_viewed<Eigen::MatrixXf>() && !may_be_viewed<const Eigen::VectorXi>() && !may_be_viewed<std::vector<float>>()));
  STATIC_REQUIRE(!may_be_viewed<Eigen::Ref<const Eigen::MatrixXf>>());  // a Ref of const numbers may own a copy
}
