#include <chainrule/training/fit_options.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("a type-erased metric keeps name and value") {
  using M = Metric<float, Labels<int>>;
  const M of_object = accuracy;
  CHECK(of_object.name == "accuracy");
  const M top = TopKAccuracy{2};
  CHECK(top.name == "top_2_accuracy");
  const M own{"largest", [](const ConstMatrixView<float>& y_hat, const Labels<int>&) { return double{y_hat.maxCoeff()}; }};
  CHECK(own.name == "largest");
  const Eigen::MatrixXf y_hat = (Eigen::MatrixXf(3, 2) << 0.5f, 0.25f, 0.375f, 0.25f, 0.125f, 0.5f).finished();
  const std::vector<int> y{1, 2};
  const auto view = detail::const_view<float>(y_hat);
  CHECK(of_object.value(view, y) == 0.5);
  CHECK(top.value(view, y) == 1);
  CHECK(own.value(view, y) == 0.5);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<int, M>);
}

TEST_CASE("the type of the options follows from the type of the data") {
  const Dataset<float> labelled;
  const RegressionDataset<double> numbers;
  STATIC_REQUIRE(std::is_same_v<detail::OptionsFor<float, decltype(labelled)>, FitOptions<float, Labels<int>>>);
  STATIC_REQUIRE(std::is_same_v<detail::OptionsFor<double, decltype(numbers)>, FitOptions<double, ConstMatrixView<double>>>);
  CHECK_FALSE(FitOptions<float, Labels<int>>{}.validation.has_value());
  CHECK(FitOptions<float, Labels<int>>{}.threads == 1);
}
