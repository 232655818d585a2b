#include <array>
#include <chainrule/core/detail/views.hpp>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using detail::const_view;
using detail::mutable_view;

namespace {

// 1 4 7 10
// 2 5 8 11
// 3 6 9 12
Eigen::MatrixXf numbered() { return Eigen::VectorXf::LinSpaced(12, 1, 12).reshaped(3, 4); }

}  // namespace

TEST_CASE("const_view of a matrix is a view of the same memory") {
  const Eigen::MatrixXf m = numbered();
  const ConstMatrixView<float> view = const_view<float>(m);
  CHECK(view.data() == m.data());
  CHECK(view == m);
}

TEST_CASE("const_view of a matrix of fixed size is a view of the same memory") {
  const Eigen::Matrix<double, 2, 3> m{{1, 3, 5}, {2, 4, 6}};
  const ConstMatrixView<double> view = const_view<double>(m);
  CHECK(view.data() == m.data());
  CHECK(view == m);
}

TEST_CASE("const_view of a block has the outer stride of its matrix") {
  const Eigen::MatrixXf m = numbered();
  const ConstMatrixView<float> view = const_view<float>(m.block(1, 1, 2, 3));
  CHECK(view.data() == &m(1, 1));
  CHECK(view.outerStride() == 3);
  CHECK(view == (Eigen::MatrixXf(2, 3) << 5, 8, 11, 6, 9, 12).finished());
}

TEST_CASE("const_view of a block with one run-time row has the outer stride of its matrix") {
  const Eigen::MatrixXf m = numbered();
  CHECK(const_view<float>(m.middleRows(1, 1)) == (Eigen::MatrixXf(1, 4) << 2, 5, 8, 11).finished());
}

TEST_CASE("const_view of columns in the middle of a matrix is a view of the same memory") {
  const Eigen::MatrixXf m = numbered();
  const ConstMatrixView<float> view = const_view<float>(m.middleCols(1, 2));
  CHECK(view.data() == &m(0, 1));
  CHECK(view == (Eigen::MatrixXf(3, 2) << 4, 7, 5, 8, 6, 9).finished());
}

TEST_CASE("const_view: one column is one sample") {
  const Eigen::MatrixXf m = numbered();
  const ConstMatrixView<float> view = const_view<float>(m.col(2));
  CHECK(view.data() == &m(0, 2));
  CHECK(view == (Eigen::MatrixXf(3, 1) << 7, 8, 9).finished());
}

TEST_CASE("const_view of a vector, or of a part of it, is one column") {
  const Eigen::VectorXf v = Eigen::VectorXf::LinSpaced(5, 1, 5);
  CHECK(const_view<float>(v).data() == v.data());
  CHECK(const_view<float>(v) == v);
  CHECK(const_view<float>(v.segment(1, 3)).data() == &v[1]);
  CHECK(const_view<float>(v.segment(1, 3)) == (Eigen::MatrixXf(3, 1) << 2, 3, 4).finished());
}

TEST_CASE("const_view of a row vector is a batch of samples with one number each") {
  const Eigen::RowVectorXf v = Eigen::RowVectorXf::LinSpaced(3, 1, 3);
  const ConstMatrixView<float> view = const_view<float>(v);
  CHECK(view.data() == v.data());
  CHECK(view == (Eigen::MatrixXf(1, 3) << 1, 2, 3).finished());
  CHECK(const_view<float>(v.transpose()) == (Eigen::MatrixXf(3, 1) << 1, 2, 3).finished());
}

// Targets of a net with one output are often one row of a table.
TEST_CASE("const_view of a row of a column-major matrix has one number in each column") {
  const Eigen::MatrixXf m = numbered();
  const ConstMatrixView<float> view = const_view<float>(m.row(1));
  CHECK(view.data() == &m(1, 0));
  CHECK(view.outerStride() == 3);
  CHECK(view == (Eigen::MatrixXf(1, 4) << 2, 5, 8, 11).finished());
}

TEST_CASE("const_view of a map has the map's memory and stride") {
  const std::array<float, 9> memory{1, 2, -1, 3, 4, -1, 5, 6, -1};
  const Eigen::Map<const Eigen::MatrixXf, 0, Eigen::OuterStride<>> apart(memory.data(), 2, 3, Eigen::OuterStride<>(3));
  CHECK(const_view<float>(apart).data() == memory.data());
  CHECK(const_view<float>(apart) == (Eigen::MatrixXf(2, 3) << 1, 3, 5, 2, 4, 6).finished());

  const Eigen::Map<const Eigen::MatrixXf> dense(memory.data(), 3, 3);
  CHECK(const_view<float>(dense).data() == memory.data());
  CHECK(const_view<float>(dense) == (Eigen::MatrixXf(3, 3) << 1, 3, 5, 2, 4, 6, -1, -1, -1).finished());
}

TEST_CASE("const_view of a map on every second number is a row of samples") {
  const std::array<float, 6> memory{1, -1, 2, -1, 3, -1};
  const Eigen::Map<const Eigen::RowVectorXf, 0, Eigen::InnerStride<2>> every_second(memory.data(), 3);
  CHECK(const_view<float>(every_second).data() == memory.data());
  CHECK(const_view<float>(every_second) == (Eigen::MatrixXf(1, 3) << 1, 2, 3).finished());
}

TEST_CASE("const_view of a Ref is a view of the same memory") {
  const Eigen::MatrixXf m = numbered();
  const Eigen::Ref<const Eigen::MatrixXf> ref = m.topRows(2);
  CHECK(const_view<float>(ref).data() == m.data());
  CHECK(const_view<float>(ref) == m.topRows(2));
}

TEST_CASE("const_view of an array is a matrix") {
  const Eigen::ArrayXXf a = numbered().array();
  CHECK(const_view<float>(a).data() == a.data());
  CHECK(const_view<float>(a) == a.matrix());
}

TEST_CASE("mutable_view writes to the user's matrix") {
  Eigen::MatrixXf m = numbered();
  mutable_view<float>(m)(0, 3) = 100;
  CHECK(m(0, 3) == 100);

  mutable_view<float>(m.bottomRightCorner(2, 2)).setZero();  // a temporary block
  mutable_view<float>(m.row(0)).setOnes();
  mutable_view<float>(m.col(0)).setConstant(5);
  CHECK(m == (Eigen::MatrixXf(3, 4) << 5, 1, 1, 1, 5, 5, 0, 0, 5, 6, 0, 0).finished());
}

TEST_CASE("mutable_view of a part of a vector writes to it") {
  Eigen::VectorXf v = Eigen::VectorXf::LinSpaced(5, 1, 5);
  mutable_view<float>(v.segment(1, 2)).setZero();
  mutable_view<float>(v.tail<1>()).setConstant(50);
  CHECK(v == (Eigen::VectorXf(5) << 1, 0, 0, 4, 50).finished());
}

TEST_CASE("mutable_view refuses a map whose columns overlap, which const_view takes") {
  std::array<float, 5> memory{1, 2, 3, 4, 5};
  const auto map_with = [&memory](Index stride) {
    return Eigen::Map<Eigen::MatrixXf, 0, Eigen::OuterStride<>>(memory.data(), 3, 2, Eigen::OuterStride<>(stride));
  };
  for (const Index stride : {0, 2}) {
    CHECK_THROWS_SAYING(mutable_view<float>(map_with(stride)), ShapeError, "columns of 3 numbers", "overlap");
    CHECK(const_view<float>(map_with(stride))(1, 1) == memory[static_cast<std::size_t>(stride + 1)]);
  }
  CHECK_NOTHROW(mutable_view<float>(map_with(2).leftCols(1)));
}

TEST_CASE("mutable_view is writable, const_view read-only") {
  Eigen::MatrixXf m = numbered();
  STATIC_REQUIRE(std::is_same_v<decltype(mutable_view<float>(m)), MatrixView<float>>);
  STATIC_REQUIRE(std::is_same_v<decltype(const_view<float>(m)), ConstMatrixView<float>>);
}

TEST_CASE("const_view rejects a column vector that is not contiguous, at run time") {
  const Eigen::Matrix<float, 3, 4, Eigen::RowMajor> row_major = numbered();
  CHECK_THROWS_SAYING(const_view<float>(row_major.col(1)), ShapeError, "column vector", "4 apart", ".eval()");
  CHECK(const_view<float>(row_major.col(1).eval()) == (Eigen::MatrixXf(3, 1) << 4, 5, 6).finished());

  std::array<float, 6> memory{1, -1, 2, -1, 3, -1};
  const Eigen::Map<const Eigen::VectorXf, 0, Eigen::InnerStride<2>> every_second(memory.data(), 3);
  CHECK_THROWS_SAYING(const_view<float>(every_second), ShapeError, "2 apart");
  Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<>> to_write(memory.data(), 3, Eigen::InnerStride<>(2));
  CHECK_THROWS_SAYING(mutable_view<float>(to_write), ShapeError, "2 apart");
}

TEST_CASE("has_columns_in_memory tells which types can be viewed without a copy") {
  using detail::has_columns_in_memory;
  STATIC_REQUIRE(has_columns_in_memory<Eigen::MatrixXf>());
  STATIC_REQUIRE(has_columns_in_memory<Eigen::Matrix3d>());
  STATIC_REQUIRE(has_columns_in_memory<Eigen::RowVectorXf>());
  STATIC_REQUIRE_FALSE(has_columns_in_memory<Eigen::Matrix<float, Dynamic, Dynamic, Eigen::RowMajor>>());
  STATIC_REQUIRE_FALSE(has_columns_in_memory<Eigen::Map<Eigen::MatrixXf, 0, Eigen::Stride<Dynamic, Dynamic>>>());
  STATIC_REQUIRE_FALSE(has_columns_in_memory<decltype(2 * Eigen::MatrixXf())>());
  STATIC_REQUIRE_FALSE(has_columns_in_memory<decltype(Eigen::MatrixXf().transpose())>());
}
