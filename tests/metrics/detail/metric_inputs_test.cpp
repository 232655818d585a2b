#include <array>
#include <chainrule/metrics/accuracy.hpp>
#include <chainrule/metrics/average_precision.hpp>
#include <chainrule/metrics/brier_score.hpp>
#include <chainrule/metrics/calibration.hpp>
#include <chainrule/metrics/detail/metric_inputs.hpp>
#include <chainrule/metrics/log_loss.hpp>
#include <chainrule/metrics/precision_recall.hpp>
#include <chainrule/metrics/regression.hpp>
#include <chainrule/metrics/roc_auc.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;
using detail::class_of;
using detail::metric_view;

namespace {

template <class Predictions, class Targets>
Index checked(const Predictions& y_hat, const Targets& y) {
  return detail::checked_classes("metric", metric_view(y_hat), metric_view(y));
}

}  // namespace

TEST_CASE("the class of a column is its largest row, the first among equals") {
  const Eigen::MatrixXf p{{0.25f, 0.5f, 0.25f, 0}, {0.5f, 0.5f, 0.25f, -1}, {0.25f, 0, 0.5f, 0}};
  const auto view = metric_view(p);
  CHECK(class_of(view, 0) == 1);
  CHECK(class_of(view, 1) == 0);
  CHECK(class_of(view, 2) == 2);
  CHECK(class_of(view, 3) == 0);
  CHECK(class_of(metric_view(p.middleRows(1, 2)), 1) == 0);  // a block, whose columns are not contiguous
  CHECK(detail::class_count(view) == 3);
}

TEST_CASE("the class of one row is 1 for at least one half") {
  const Eigen::RowVectorXd p{{0, 0.4999, 0.5, 1}};
  const auto view = metric_view(p);
  CHECK(class_of(view, 1) == 0);
  CHECK(class_of(view, 2) == 1);
  CHECK(class_of(view, 3) == 1);
  CHECK(detail::class_count(view) == 2);
}

TEST_CASE("a label of any integer type is its class") {
  CHECK(class_of(metric_view(std::vector<int>{2, 0, 1}), 0) == 2);
  CHECK(class_of(metric_view(std::array<unsigned char, 2>{7, 255}), 1) == 255);
  CHECK(class_of(metric_view(Eigen::VectorX<long>{{4, 3}}), 1) == 3);
}

TEST_CASE("the number of classes is the number of rows, or the largest label + 1 where both are labels") {
  const Eigen::MatrixXf p = Eigen::MatrixXf::Zero(5, 3);
  const Eigen::RowVectorXf yes = Eigen::RowVectorXf::Zero(3);
  const std::vector<int> labels{0, 1, 0};
  CHECK(checked(p, labels) == 5);
  CHECK(checked(labels, p) == 5);
  CHECK(checked(p, p) == 5);
  CHECK(checked(yes, labels) == 2);
  CHECK(checked(labels, labels) == 2);
  CHECK(checked(labels, std::vector<unsigned char>{0, 1, 200}) == 201);
}

TEST_CASE("different numbers of samples, or no samples, are a ShapeError") {
  const Eigen::MatrixXf p = Eigen::MatrixXf::Zero(3, 4);
  CHECK_THROWS_SAYING(checked(p, std::vector<int>{0, 1, 2}), ShapeError, "metric: y_hat has 4 samples, but y has 3",
                      "one column is one sample");
  CHECK_THROWS_SAYING(checked(p, std::vector<int>{}), ShapeError, "y has 0");
  CHECK_THROWS_SAYING(checked(Eigen::MatrixXf(3, 0), std::vector<int>{}), ShapeError, "metric: there are no samples");
  CHECK_THROWS_SAYING(checked(Eigen::MatrixXf(0, 2), std::vector<int>{0, 1}), ShapeError, "metric: y_hat has no rows");
}

TEST_CASE("different numbers of rows are a ShapeError") {
  CHECK_THROWS_SAYING(checked(Eigen::MatrixXf(Eigen::MatrixXf::Zero(3, 2)), Eigen::MatrixXf(Eigen::MatrixXf::Zero(2, 2))), ShapeError,
                      "metric: y_hat has 3 rows, but y has 2");
}

TEST_CASE("a label out of range is a ValueError that names the sample") {
  const Eigen::MatrixXf p = Eigen::MatrixXf::Zero(3, 2);
  const Eigen::RowVectorXf yes = Eigen::RowVectorXf::Zero(2);
  CHECK_THROWS_SAYING(checked(p, std::vector<int>{0, 3}), ValueError, "metric: the label of sample 1 in y is 3", "must be 0 to 2");
  CHECK_THROWS_SAYING(checked(p, std::vector<int>{-1, 0}), ValueError, "the label of sample 0 in y is -1");
  CHECK_THROWS_SAYING(checked(yes, std::vector<int>{0, 2}), ValueError, "must be 0 to 1");
  CHECK_THROWS_SAYING(checked(std::vector<int>{0, -1}, std::vector<int>{0, 1}), ValueError, "the label of sample 1 in y_hat is -1");
  CHECK_THROWS_SAYING(checked(std::vector<int>{0, 1}, std::vector<unsigned long long>{0, ~0ull}), ValueError,
                      "in y is 18446744073709551615, but labels must be 0 to 999999");
}

TEST_CASE("NaN, infinity and targets outside 0 to 1 are a ValueError that names the position") {
  Eigen::MatrixXd p = Eigen::MatrixXd::Zero(3, 2);
  Eigen::MatrixXd y = p;
  y(2, 1) = 7;
  CHECK_THROWS_SAYING(checked(p, y), ValueError, "metric: y(2, 1) is 7", "probability, from 0 to 1");
  y(2, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(checked(p, y), ValueError, "metric: y(2, 1) is nan");
  p(1, 1) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_SAYING(checked(p, y), ValueError, "metric: y_hat(1, 1) is inf (output 1 of sample 1)");
}

// Weights 2, 1, 0, 3 and 1 stand for copies of the samples.
TEST_CASE("every metric counts a sample of weight w as w samples") {
  const Eigen::MatrixXd p{{0.5, 0.25, 0.125, 0.25, 0.1}, {0.25, 0.5, 0.5, 0.25, 0.3}, {0.25, 0.25, 0.375, 0.5, 0.6}};
  const Eigen::MatrixXd numbers{{1, 2, 100, 0.5, -1}, {0, 1, 100, 2, 1}}, predicted{{1.5, 2, 0, 1, -2}, {0.5, 1, 0, 2, 0}};
  const std::vector<int> y{0, 2, 1, 1, 2}, yes{0, 1, 0, 1, 0};
  const std::vector<double> w{2, 1, 0, 3, 1};
  const std::vector<Index> copies{0, 0, 1, 3, 3, 3, 4};
  const auto columns = [&](const Eigen::MatrixXd& m) {
    Eigen::MatrixXd some(m.rows(), 7);
    for (Index i = 0; i < 7; ++i) some.col(i) = m.col(copies[static_cast<std::size_t>(i)]);
    return some;
  };
  const auto labels = [&](const std::vector<int>& all) {
    std::vector<int> some;
    for (const Index j : copies) some.push_back(all[static_cast<std::size_t>(j)]);
    return some;
  };
  const Eigen::MatrixXd copied_p = columns(p), copied_predicted = columns(predicted), copied_numbers = columns(numbers);
  const auto check_classes = [&](const auto& metric) {
    CAPTURE(std::string(metric.name));
    CHECK(metric(p, weighted(y, w)) == Approx(metric(copied_p, labels(y))).epsilon(1e-14));
  };
  check_classes(accuracy);
  check_classes(TopKAccuracy{2});
  check_classes(macro_precision);
  check_classes(macro_recall);
  check_classes(macro_f1);
  check_classes(micro_f1);
  check_classes(log_loss);
  check_classes(brier_score);
  check_classes(expected_calibration_error);
  const auto check_yes = [&](const auto& metric) {
    CAPTURE(std::string(metric.name));
    CHECK(metric(p.row(1), weighted(yes, w)) == Approx(metric(copied_p.row(1), labels(yes))).epsilon(1e-14));
  };
  check_yes(precision);
  check_yes(recall);
  check_yes(f1);
  check_yes(roc_auc);
  check_yes(average_precision);
  const auto check_numbers = [&](const auto& metric) {
    CAPTURE(std::string(metric.name));
    CHECK(metric(predicted, weighted(numbers, w)) == Approx(metric(copied_predicted, copied_numbers)).epsilon(1e-14));
  };
  check_numbers(mse);
  check_numbers(mae);
  check_numbers(rmse);
  check_numbers(r2);
}

TEST_CASE("metrics refuse weights that are negative, too few or all 0, and rankings a class without weight") {
  const Eigen::RowVectorXd p{{0.25, 0.75}};
  const std::vector<int> y{0, 1};
  const std::vector<double> negative{1, -1}, one{1}, zero{0, 0}, only_no{1, 0};
  CHECK_THROWS_SAYING(accuracy(p, weighted(y, negative)), ValueError, "the weight of sample 1 is -1");
  CHECK_THROWS_SAYING(accuracy(p, weighted(y, one)), ShapeError, "there are 1 weights for 2 samples");
  CHECK_THROWS_SAYING(accuracy(p, weighted(y, zero)), ValueError, "accuracy: the weights of the samples sum to 0");
  CHECK_THROWS_SAYING(f1(p, weighted(y, zero)), ValueError, "f1: the weights of the samples sum to 0");
  CHECK_THROWS_SAYING(roc_auc(p, weighted(y, only_no)), ValueError, "roc_auc: no sample is of class 1");
}
