#include <chainrule/core/shape_preserving_layer.hpp>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// A user-defined layer, as far as these bases make one.
template <int N = Inferred>
struct Mine : SameShape<N>, WithoutParameters {
  Mine() requires(N != Dynamic) = default;
  explicit Mine(Index units) : SameShape<N>("Mine", units) {}
};

}  // namespace

TEST_CASE("SameShape has as many outputs as inputs, fixed or at run time") {
  STATIC_REQUIRE(Mine<3>::inputs_at_compile_time == 3);
  STATIC_REQUIRE(Mine<3>::outputs_at_compile_time == 3);
  STATIC_REQUIRE(Mine<>::inputs_at_compile_time == Inferred);
  CHECK(Mine<3>{}.outputs() == 3);
  CHECK(Mine<3>{3}.inputs() == 3);
  CHECK(Mine<Dynamic>{7}.inputs() == 7);
  CHECK(Mine<Dynamic>{7}.outputs() == 7);
  CHECK(Mine<3>{}.activation_name() == "");
  STATIC_REQUIRE_FALSE(std::is_default_constructible_v<Mine<Dynamic>>);
  STATIC_REQUIRE(std::is_empty_v<SameShape<3>>);
}

TEST_CASE("SameShape rejects an invalid number of units, in the name of the layer") {
  CHECK_THROWS_SAYING(Mine<Dynamic>{0}, ShapeError, "Mine: the number of units must be at least 1, got 0");
  CHECK_THROWS_SAYING(Mine<Dynamic>{-2}, ShapeError, "got -2");
  CHECK_THROWS_SAYING(Mine<3>{0}, ShapeError, "must be at least 1, got 0");
  CHECK_THROWS_SAYING(Mine<3>{4}, ShapeError, "Mine: its type says 3 units, but it got 4");
}

TEST_CASE("WithoutParameters has no tensors and draws no random numbers") {
  const Mine<3> layer;
  CHECK(layer.tensors().empty());
  CHECK(detail::parameter_count(layer) == 0);
  CHECK(detail::buffer_count(layer) == 0);
  CHECK(detail::buffer_tensors_of(layer).empty());
  Random random{Seed{1}};
  layer.initialize(static_cast<float*>(nullptr), random);
  CHECK(random() == Random{Seed{1}}());
}
