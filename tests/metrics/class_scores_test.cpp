#include <chainrule/metrics/class_scores.hpp>

#include "support/catch.hpp"

using namespace chainrule;
using detail::AverageScore;
using detail::ClassCounts;

TEST_CASE("precision, recall and F1 of a class") {
  const ClassCounts counts{.correct = 3, .predicted = 5, .actual = 4};
  CHECK(counts.precision() == 3.0 / 5);
  CHECK(counts.recall() == 3.0 / 4);
  CHECK(counts.f1() == 6.0 / 9);
}

TEST_CASE("a score with denominator 0 is 0") {
  CHECK(ClassCounts{.correct = 0, .predicted = 0, .actual = 4}.precision() == 0);
  CHECK(ClassCounts{.correct = 0, .predicted = 3, .actual = 0}.recall() == 0);
  CHECK(ClassCounts{}.f1() == 0);
}

TEST_CASE("macro averages classes, weighted averages samples, micro sums the counts; classes that never occur are left out") {
  const auto average = [](ClassAverage how) {
    AverageScore result(how, &ClassCounts::recall);
    for (const ClassCounts& one : {ClassCounts{3, 5, 4}, ClassCounts{0, 2, 0}, ClassCounts{}, ClassCounts{4, 9, 12}}) result.add(one);
    return result.value();
  };
  CHECK(average(ClassAverage::macro) == chainrule_test::Approx((0.75 + 0 + 1.0 / 3) / 3).epsilon(1e-15));
  CHECK(average(ClassAverage::weighted) == 7.0 / 16);
  CHECK(average(ClassAverage::micro) == 7.0 / 16);
}
