#include <chainrule/metrics/detail/ranked_scores.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("Metrics of rankings get the scores of class 1 of two classes, and of each of more classes") {
  const std::vector<int> y{1, 0, 2};
  const Eigen::MatrixXd scores{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
  std::vector<double> positives;
  const auto note = [&](const auto& ranked) {
    for (const auto& one : ranked)
      if (one.is_positive) positives.push_back(one.score);
    return static_cast<double>(positives.size());
  };
  const auto labels = detail::metric_view(y);
  CHECK(detail::mean_over_ranked_classes("m", "curve", true, detail::metric_view(scores), labels, detail::UnitWeights{}, note) ==
        2);  // mean of 1, 2 and 3
  CHECK(positives == std::vector<double>{2, 4, 9});
  const std::vector<int> only_yes{1, 1, 1};
  const Eigen::RowVectorXd row = scores.row(1);
  const auto view = detail::metric_view(row);
  const auto yes = detail::metric_view(only_yes);
  CHECK(detail::mean_over_ranked_classes("m", "curve", false, view, yes, detail::UnitWeights{}, note) == 6);
  CHECK_THROWS_SAYING(detail::mean_over_ranked_classes("m", "curve", true, view, yes, detail::UnitWeights{}, note), ValueError,
                      "m: no sample is of class 0", "it has no curve");
}
