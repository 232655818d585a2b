#include <algorithm>
#include <array>
#include <chainrule/core/types.hpp>
#include <cstdint>
#include <functional>
#include <utility>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// Whether p points into the object itself, not to the heap.
template <class T, class Scalar>
bool inside(const T& object, const Scalar* p) {
  const void* begin = &object;
  const void* end = &object + 1;
  const std::less<const void*> before;
  return !before(p, begin) && before(p, end);
}

}  // namespace

TEST_CASE("extent_product and extent_sum are Dynamic if an extent is") {
  STATIC_REQUIRE(detail::extent_product(3, 4) == 12);
  STATIC_REQUIRE(detail::extent_product(Dynamic, 4) == Dynamic);
  STATIC_REQUIRE(detail::extent_product(3, Dynamic) == Dynamic);
  STATIC_REQUIRE(detail::extent_product(Dynamic, Dynamic) == Dynamic);  // not (-1) (-1) = 1
  STATIC_REQUIRE(detail::extent_sum(3, 4) == 7);
  STATIC_REQUIRE(detail::extent_sum(Dynamic, 4) == Dynamic);
  STATIC_REQUIRE(detail::extent_sum(3, Dynamic) == Dynamic);
}

TEST_CASE("a fixed Extent takes no memory") {
  STATIC_REQUIRE(std::is_empty_v<detail::Extent<64>>);
  STATIC_REQUIRE(detail::Extent<64>{}.value() == 64);
  STATIC_REQUIRE(detail::Extent<64>{5}.value() == 64);
  STATIC_REQUIRE(detail::Extent<Dynamic>{5}.value() == 5);
}

// Eigen's static assertion forbids fixed-size objects above 128 KiB, so a fixed shape must not force fixed storage.
TEST_CASE("Storage of fixed size is inside the object up to 32 KiB, and on the heap above") {
  constexpr std::size_t object = 64;
  STATIC_REQUIRE(sizeof(detail::Storage<float, 8192>) == 8192 * sizeof(float));
  STATIC_REQUIRE(sizeof(detail::Storage<float, 8193>) <= object);
  STATIC_REQUIRE(sizeof(detail::Storage<double, 4096>) == 4096 * sizeof(double));
  STATIC_REQUIRE(sizeof(detail::Storage<double, 4097>) <= object);
  STATIC_REQUIRE(sizeof(detail::Storage<float, Index{1} << (sizeof(Index) > 4 ? 40 : 30)>) <= object);  // a size that does not fit an int
  STATIC_REQUIRE(sizeof(detail::Storage<float, Dynamic>) <= object);
}

namespace {

/// Checks that a Storage starts as zeros, has independent copies, and begins at a cache line if it is longer than one.
template <class Scalar, Index Size>
void check_storage(Index size) {
  const auto begins_a_line = [](const Scalar* p) { return reinterpret_cast<std::uintptr_t>(p) % 64 == 0; };
  const bool is_long = size * Index{sizeof(Scalar)} > 64;
  detail::Storage<Scalar, Size> storage("a test", size);
  CHECK(storage.size() == size);
  CHECK(std::all_of(storage.data(), storage.data() + size, [](Scalar x) { return x == 0; }));
  storage.data()[size - 1] = 7;
  const detail::Storage<Scalar, Size> copy = storage;
  storage.data()[size - 1] = 8;
  CHECK(copy.data()[size - 1] == 7);
  detail::Storage<Scalar, Size> assigned("a test", size);
  assigned = copy;
  CHECK(assigned.data()[size - 1] == 7);
  const detail::Storage<Scalar, Size> moved = std::move(assigned);
  CHECK(moved.data()[size - 1] == 7);
  for (const Scalar* p : {std::as_const(storage).data(), copy.data(), moved.data()}) CHECK((begins_a_line(p) || !is_long));
}

}  // namespace

TEST_CASE("Storage starts as zeros and at a cache line, and so do its copies") {
  check_storage<float, 1>(1);
  check_storage<float, 17>(17);
  check_storage<double, 100>(100);
  check_storage<float, 9000>(9000);
  check_storage<float, Dynamic>(1);
  check_storage<double, Dynamic>(33);
  check_storage<long double, Dynamic>(1001);
  CHECK(detail::Storage<float, Dynamic>("a test", 0).size() == 0);
  CHECK(detail::Storage<float, 0>("a test", 0).size() == 0);
}

TEST_CASE("products and sums of extents do not wrap around, and Storage refuses more than memory can hold") {
  constexpr Index huge = std::numeric_limits<Index>::max() - 3, half = huge / 2 + 1;
  STATIC_REQUIRE(detail::extent_product(huge, 2) == detail::too_many);
  STATIC_REQUIRE(detail::extent_product(half, half) == detail::too_many);
  STATIC_REQUIRE(detail::extent_product(0, huge) == 0);
  STATIC_REQUIRE(detail::extent_product(huge, 0) == 0);
  STATIC_REQUIRE(detail::extent_sum(half, huge) == detail::too_many);
  using Storage = detail::Storage<float, Dynamic>;
  CHECK_THROWS_SAYING(Storage("a test", half, 4), ShapeError, "a test: ", "x 4 numbers are more than memory can hold");
  CHECK_THROWS_AS(Storage("a test", -1, -1), ShapeError);
}

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif
#if !defined(__SANITIZE_ADDRESS__) && !HAS_FEATURE(address_sanitizer)  // AddressSanitizer ends the program where operator new would throw
TEST_CASE("Storage says so where operator new has not enough memory") {
  using Storage = detail::Storage<float, Dynamic>;
  CHECK_THROWS_SAYING(Storage("a test", detail::too_many / 16), ShapeError, "a test: ", "x 1 numbers are more than memory can hold");
}
#endif

// Literal alignments, because those of Eigen's matrices depend on flags such as -mavx.
TEST_CASE("the alignment of numbers inside an object depends on their size alone") {
  STATIC_REQUIRE(alignof(detail::Storage<float, 3>) == alignof(float));
  STATIC_REQUIRE(alignof(detail::Storage<float, 4>) == 16);
  STATIC_REQUIRE(alignof(detail::Storage<float, 8>) == 32);
  STATIC_REQUIRE(alignof(detail::Storage<float, 12>) == 16);
  STATIC_REQUIRE(alignof(detail::Storage<float, 16>) == 64);
  STATIC_REQUIRE(alignof(detail::Storage<float, 17>) == 64);
  STATIC_REQUIRE(alignof(detail::Storage<double, 3>) == alignof(double));
  STATIC_REQUIRE(sizeof(detail::Storage<double, 6>) == 6 * sizeof(double));
  STATIC_REQUIRE(alignof(detail::Storage<double, 6>) == 16);
}

TEST_CASE("Accumulator is at least double") {
  STATIC_REQUIRE(std::is_same_v<detail::Accumulator<float>, double>);
  STATIC_REQUIRE(std::is_same_v<detail::Accumulator<double>, double>);
  STATIC_REQUIRE(std::is_same_v<detail::Accumulator<long double>, long double>);
}

TEST_CASE("matrix_view reads contiguous memory column by column") {
  std::array<float, 6> memory{1, 2, 3, 4, 5, 6};
  MatrixView<float> view = detail::matrix_view(memory.data(), 2, 3);
  CHECK(view == (Matrix<float, 2, 3>() << 1, 3, 5, 2, 4, 6).finished());
  view.data()[5] = 60;
  CHECK(memory[5] == 60);

  const float* read_only = memory.data();
  STATIC_REQUIRE(std::is_same_v<decltype(detail::matrix_view(read_only, 2, 3)), ConstMatrixView<float>>);
}

TEST_CASE("as_const keeps the memory, the shape and the outer stride") {
  std::array<float, 6> memory{1, 2, 3, 4, 5, 6};
  const MatrixView<float> view{memory.data(), 2, 2, Eigen::OuterStride<>(3)};
  const ConstMatrixView<float> same = detail::as_const(view);
  CHECK(same.data() == memory.data());
  CHECK(same == (Matrix<float, 2, 2>() << 1, 4, 2, 5).finished());
}

TEST_CASE("MapOf const memory is read-only") {
  STATIC_REQUIRE(std::is_same_v<detail::MapOf<float, 2, 3>, Eigen::Map<Matrix<float, 2, 3>>>);
  STATIC_REQUIRE(std::is_same_v<detail::MapOf<const float, 2, 3>, Eigen::Map<const Matrix<float, 2, 3>>>);
}

TEST_CASE("BatchStorage starts as zeros, and a short batch is at its beginning") {
  BatchStorage<float, 2, Dynamic> storage{2, 3};
  CHECK(storage.rows() == 2);
  CHECK(storage.first(3) == Matrix<float>::Zero(2, 3));

  storage.first(3) << 1, 2, 3,  //
      4, 5, 6;
  CHECK(storage.first(2) == (Matrix<float>(2, 2) << 1, 2, 4, 5).finished());
  CHECK(storage.first(1).data() == storage.first(3).data());
  CHECK(std::as_const(storage).first(3).data() == storage.first(3).data());
}

TEST_CASE("BatchStorage of a small fixed batch is inside the object, any other on the heap") {
  const BatchStorage<float, 10, 4> fixed{10, 4};
  CHECK(inside(fixed, fixed.first(4).data()));
  CHECK(fixed.first(4).cols() == 4);

  const BatchStorage<float, Dynamic, 4> unknown_rows{10, 4};
  CHECK_FALSE(inside(unknown_rows, unknown_rows.first(4).data()));
  CHECK(unknown_rows.rows() == 10);

  const BatchStorage<float, 10, Dynamic> unknown_batch{10, 4};
  CHECK_FALSE(inside(unknown_batch, unknown_batch.first(4).data()));

  const BatchStorage<float, 1000, 1000> large{1000, 1000};
  STATIC_REQUIRE(sizeof(large) <= 64);
  CHECK_FALSE(inside(large, large.first(1000).data()));
}

TEST_CASE("columns of a multiple of 256 bytes, from 512 on, get a cache line more where they are spaced") {
  const auto distance = [](auto number, Index rows) {
    using Scalar = decltype(number);
    SpacedBatchStorage<Scalar, Dynamic, Dynamic> storage{rows, 3};
    CHECK(storage.rows() == rows);
    CHECK(storage.first(2).rows() == rows);
    CHECK(storage.first(3).outerStride() == std::as_const(storage).first(3).outerStride());
    storage.first(3).setConstant(Scalar{1});  // inside the memory, which the sanitizers check
    return storage.first(3).outerStride();
  };
  CHECK(distance(0.0f, 64) == 64);
  CHECK(distance(0.0f, 100) == 100);
  CHECK(distance(0.0f, 127) == 127);
  CHECK(distance(0.0f, 128) == 128 + 16);
  CHECK(distance(0.0f, 144) == 144);
  CHECK(distance(0.0f, 1024) == 1024 + 16);
  CHECK(distance(0.0, 32) == 32);
  CHECK(distance(0.0, 64) == 64 + 8);
  CHECK(distance(0.0, 100) == 100);

  BatchStorage<float, 128, Dynamic> never_spaced{128, 4};
  CHECK(never_spaced.first(4).outerStride() == 128);
  SpacedBatchStorage<float, 128, Dynamic> no_longer_spaced{128, 4};
  CHECK(no_longer_spaced.first(4).outerStride() == 128 + 16);
  no_longer_spaced.make_contiguous();
  CHECK(no_longer_spaced.first(4).outerStride() == 128);
  SpacedBatchStorage<float, 128, 4> inside_the_object{128, 4};
  CHECK(inside_the_object.first(4).outerStride() == 128);
  CHECK(inside(inside_the_object, inside_the_object.first(4).data()));
}

TEST_CASE("a copied BatchStorage has its own numbers") {
  BatchStorage<float, 2, 2> fixed{2, 2};
  BatchStorage<float, Dynamic, Dynamic> dynamic{2, 2};
  fixed.first(2).setConstant(7);
  dynamic.first(2).setConstant(7);
  auto fixed_copy = fixed;
  auto dynamic_copy = dynamic;
  fixed.first(2).setZero();
  dynamic.first(2).setZero();
  CHECK(fixed_copy.first(2) == Matrix<float>::Constant(2, 2, 7));
  CHECK(dynamic_copy.first(2) == Matrix<float>::Constant(2, 2, 7));
}

TEST_CASE("columns_of returns a view of the same memory") {
  float numbers[] = {11, 21, 31, 0, 12, 22, 32, 0, 13, 23, 33};
  const MatrixView<float> last = detail::columns_of(MatrixView<float>(numbers, 3, 3, Eigen::OuterStride<>(4)), 1, 2);
  CHECK((last.rows() == 3 && last.cols() == 2 && last.outerStride() == 4));
  CHECK((last(0, 0) == 12 && last(2, 1) == 33));
}
