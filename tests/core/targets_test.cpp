#include <array>
#include <chainrule/core/targets.hpp>
#include <deque>
#include <list>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using detail::samples_of;
using detail::target_view;

namespace {

/// Whether target_view(y) is a view of the memory of y, as labels of the same integer type.
template <class Label, class Y>
bool seen_in_place(const Y& y) {
  const auto labels = target_view<float>(y);
  STATIC_REQUIRE(std::is_same_v<decltype(labels), const Labels<Label>>);
  return labels.data() == y.data() && labels.size() == static_cast<std::size_t>(y.size());
}

}  // namespace

TEST_CASE("target_view takes any contiguous range of any integers as labels, without a copy") {
  CHECK(seen_in_place<int>(std::vector<int>{0, 1, 2}));
  CHECK(seen_in_place<long>(std::vector<long>{0, 1, 2}));
  CHECK(seen_in_place<unsigned char>(std::vector<unsigned char>{0, 1, 2}));
  CHECK(seen_in_place<int>(std::array<int, 3>{0, 1, 2}));
  CHECK(seen_in_place<std::size_t>(std::array<std::size_t, 3>{0, 1, 2}));
  const std::vector<int> owner{0, 1, 2};
  CHECK(seen_in_place<int>(std::span<const int>(owner)));
  CHECK(seen_in_place<int>(std::span(owner).first(2)));
}

TEST_CASE("target_view takes an Eigen vector of integers as labels, without a copy") {
  const Eigen::VectorXi column = (Eigen::VectorXi(4) << 3, 1, 2, 0).finished();
  const Eigen::RowVectorXi row = column.transpose();
  CHECK(seen_in_place<int>(column));
  CHECK(seen_in_place<int>(row));
  CHECK(seen_in_place<int>(Eigen::Vector4i(3, 1, 2, 0)));
  CHECK(seen_in_place<int>(column.segment(1, 2)));
  CHECK(target_view<float>(column.segment(1, 2))[0] == 1);

  const std::array<unsigned char, 3> bytes{7, 8, 9};
  const Eigen::Map<const Eigen::Matrix<unsigned char, Dynamic, 1>> map(bytes.data(), 3);
  CHECK(seen_in_place<unsigned char>(map));
  const Eigen::Matrix<long, Dynamic, 1> longs = column.cast<long>();
  CHECK(seen_in_place<long>(longs));
}

TEST_CASE("target_view of labels has one integer for each sample") {
  const std::vector<int> y{2, 0, 1, 1};
  const auto labels = target_view<float>(y);
  CHECK(samples_of(labels) == 4);
  CHECK(std::vector<int>(labels.begin(), labels.end()) == y);
}

TEST_CASE("target_view of a matrix has one sample in each column") {
  const Eigen::MatrixXf y = (Eigen::MatrixXf(2, 3) << 1, 3, 5, 2, 4, 6).finished();
  const auto target = target_view<float>(y);
  STATIC_REQUIRE(std::is_same_v<decltype(target), const ConstMatrixView<float>>);
  CHECK(target.data() == y.data());
  CHECK(target == y);
  CHECK(samples_of(target) == 3);
}

TEST_CASE("target_view of a row is the target of a net with one output") {
  const Eigen::MatrixXd table = (Eigen::MatrixXd(2, 3) << 1, 3, 5, 2, 4, 6).finished();
  const auto target = target_view<double>(table.row(1));
  CHECK(target.data() == &table(1, 0));
  CHECK(target == (Eigen::MatrixXd(1, 3) << 2, 4, 6).finished());
  CHECK(samples_of(target) == 3);
}

TEST_CASE("target_view of a vector is the target of one sample") {
  const Eigen::VectorXf y = Eigen::VectorXf::LinSpaced(4, 1, 4);
  CHECK(target_view<float>(y) == y);
  CHECK(samples_of(target_view<float>(y)) == 1);
}

TEST_CASE("LabelVector is satisfied only by contiguous integers") {
  STATIC_REQUIRE(detail::LabelVector<std::vector<int>>);
  STATIC_REQUIRE(detail::LabelVector<Eigen::VectorXi>);
  STATIC_REQUIRE(detail::LabelVector<const std::array<long, 2>>);
  STATIC_REQUIRE_FALSE(detail::LabelVector<std::vector<float>>);
  STATIC_REQUIRE_FALSE(detail::LabelVector<Eigen::MatrixXf>);
  STATIC_REQUIRE_FALSE(detail::LabelVector<std::deque<int>>);
  STATIC_REQUIRE_FALSE(detail::LabelVector<std::list<int>>);
  STATIC_REQUIRE_FALSE(detail::LabelVector<std::vector<bool>>);  // vector<bool> has no contiguous bools
}
