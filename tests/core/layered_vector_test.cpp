#include <chainrule/activations/relu.hpp>
#include <chainrule/core/layered_vector.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <cstdint>
#include <functional>
#include <memory>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

using Fixed = LayeredVector<float, detail::Sequence<Dense<3, 4, ReLU>, Dense<4, 2>>>;
using Any = LayeredVector<float, detail::Sequence<Dense<Dynamic, Dynamic, ReLU>, Dense<Dynamic, Dynamic>>>;
using Large = LayeredVector<float, detail::Sequence<Dense<100, 100>>>;  // 40 kB: more than what lives inside an object

Fixed make_fixed() { return Fixed{std::tuple{Dense<3, 4, ReLU>{}, Dense<4, 2>{}}}; }
Any make_any() { return Any{std::tuple{Dense<Dynamic, Dynamic, ReLU>{3, 4}, Dense<Dynamic, Dynamic>{4, 2}}}; }

/// Sets the numbers to 0, 1, 2, ... in the order of memory.
template <class V>
V numbered(V v) {
  v.flat() = Eigen::VectorXf::LinSpaced(v.size(), 0, static_cast<float>(v.size() - 1));
  return v;
}

/// Whether the numbers are stored inside the object, not on the heap.
template <class V>
bool inside(const V& v) {
  const void* numbers = v.flat().data();
  const void* begin = &v;
  const void* end = &v + 1;
  const std::less<const void*> before;
  return !before(numbers, begin) && before(numbers, end);
}

template <class V>
void check_places(V v) {
  // layer 0: 4 x 3 weights and 4 biases; layer 1: 2 x 4 weights and 2 biases
  CHECK(v.size() == 26);
  CHECK(v.offset(0) == 0);
  CHECK(v.offset(1) == 16);
  CHECK(v.offset(2) == 26);
  CHECK(v.flat() == Eigen::VectorXf::Zero(26));

  v = numbered(v);
  CHECK(v.template layer<0>().weight == (Eigen::MatrixXf(4, 3) << 0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11).finished());
  CHECK(v.template layer<0>().bias == Eigen::Vector4f(12, 13, 14, 15));
  CHECK(v.template layer<1>().weight == (Eigen::MatrixXf(2, 4) << 16, 18, 20, 22, 17, 19, 21, 23).finished());
  CHECK(v.template layer<1>().bias == Eigen::Vector2f(24, 25));
  CHECK(*v.slice(1) == 16);

  v.template layer<1>().weight(1, 2) = -1;
  CHECK(v.flat()[21] == -1);
  v.flat()[13] = -2;
  CHECK(std::as_const(v).template layer<0>().bias[1] == -2);
  CHECK(std::as_const(v).flat().data() == v.flat().data());
}

template <class V>
void check_copies(V original) {
  original = numbered(original);
  V copy = original;
  original.flat().setZero();
  CHECK(copy.template layer<1>().bias == Eigen::Vector2f(24, 25));
  CHECK(copy.flat().data() != original.flat().data());
  original = copy;
  CHECK(original.flat() == copy.flat());
  CHECK(original.flat().data() != copy.flat().data());
}

}  // namespace

TEST_CASE("LayeredVector has the layers' parameters one after the other, and views on them") {
  check_places(make_fixed());
  check_places(make_any());
}

TEST_CASE("a copied LayeredVector has its own numbers") {
  check_copies(make_fixed());
  check_copies(make_any());
}

TEST_CASE("an assignment between LayeredVectors of run-time extents changes the shape") {
  Any to = Any{std::tuple{Dense<Dynamic, Dynamic, ReLU>{1, 1}, Dense<Dynamic, Dynamic>{1, 1}}};
  CHECK(to.size() == 4);
  to = numbered(make_any());
  CHECK(to.size() == 26);
  CHECK(to.layer<1>().weight.rows() == 2);
  CHECK(to.layer<1>().bias == Eigen::Vector2f(24, 25));
}

// Two layers of 2^62 + 1 units have 2^64 + 4 parameters, which are 4 in 64-bit arithmetic.
TEST_CASE("LayeredVector refuses more numbers than memory can hold, also where their count would wrap around") {
  using Norm = BatchNorm<Dynamic>;
  const Norm huge{(Index{1} << (8 * sizeof(Index) - 2)) + 1};
  using Parameters = LayeredVector<float, detail::Sequence<Norm, Norm>>;
  using Buffers = LayeredVector<float, detail::Sequence<Norm, Norm>, detail::Part::buffers>;
  CHECK_THROWS_SAYING(Parameters(std::tuple{huge, huge}), ShapeError, "the parameters of all layers: ", "more than memory can hold");
  CHECK_THROWS_SAYING(Buffers(std::tuple{huge, huge}), ShapeError, "the buffers of all layers: ", "more than memory can hold");
}

TEST_CASE("views of a const LayeredVector are read-only, and views have fixed extents where layers have them") {
  STATIC_REQUIRE(std::is_same_v<decltype(std::declval<Fixed&>().layer<0>().weight), Eigen::Map<Eigen::Matrix<float, 4, 3>>>);
  STATIC_REQUIRE(std::is_same_v<decltype(std::declval<const Fixed&>().layer<0>().weight), Eigen::Map<const Eigen::Matrix<float, 4, 3>>>);
  STATIC_REQUIRE(std::is_same_v<decltype(std::declval<const Any&>().layer<1>().bias), Eigen::Map<const Eigen::VectorXf>>);
  STATIC_REQUIRE(std::is_same_v<decltype(std::declval<const Fixed&>().flat()), ConstVectorView<float>>);
}

TEST_CASE("a small LayeredVector of fixed extents is stored inside the object, any other on the heap") {
  CHECK(inside(make_fixed()));
  STATIC_REQUIRE(sizeof(Fixed) >= 26 * sizeof(float));
  STATIC_REQUIRE(sizeof(Fixed) <= 26 * sizeof(float) + 3 * sizeof(Index) + 64);  // the numbers, the offsets and alignment

  CHECK_FALSE(inside(make_any()));

  const Large large{std::tuple{Dense<100, 100>{}}};
  CHECK(large.size() == 10100);
  CHECK_FALSE(inside(large));
  STATIC_REQUIRE(sizeof(Large) <= 64);
}

// A vector register of 64 bytes is as long as a cache line, so unaligned numbers would be read from two lines each time.
TEST_CASE("numbers inside the object begin at a cache line, unless all of them fit into one") {
  const Fixed on_the_stack[] = {make_fixed(), make_fixed()};
  for (const Fixed& v : on_the_stack) CHECK(reinterpret_cast<std::uintptr_t>(v.flat().data()) % 64 == 0);
  const auto on_the_heap = std::make_unique<Fixed>(make_fixed());
  CHECK(reinterpret_cast<std::uintptr_t>(on_the_heap->flat().data()) % 64 == 0);
  STATIC_REQUIRE(alignof(LayeredVector<float, detail::Sequence<Dense<2, 1>>>) < 64);
}
