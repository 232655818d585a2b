#include <chainrule/activations/relu.hpp>
#include <chainrule/core/detail/infer.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/layers/prelu.hpp>
#include <chainrule/layers/residual.hpp>

#include "support/catch.hpp"

using namespace chainrule;
using detail::Resolved;
using detail::Sequence;

namespace {

template <class A, class B>
constexpr bool same = std::is_same_v<A, B>;

}  // namespace

TEST_CASE("Resolved gives a layer with inferred inputs as many as the layer before has outputs") {
  STATIC_REQUIRE(same<Resolved<Inferred, Dense<4, 5>, Dropout<>, BatchNorm<>, Dense<5, 3>, PReLU<>, Activate<ReLU>>,
                      Sequence<Dense<4, 5>, Dropout<5>, BatchNorm<5>, Dense<5, 3>, PReLU<Slopes::shared, 3>, Activate<ReLU, 3>>>);
  STATIC_REQUIRE(same<Resolved<Inferred, Dense<4, Dynamic>, Dropout<>>, Sequence<Dense<4, Dynamic>, Dropout<Dynamic>>>);
  STATIC_REQUIRE(same<Resolved<7, Dropout<>>, Sequence<Dropout<7>>>);
}

TEST_CASE("Resolved leaves extents that are given as they are, right or wrong; Chain checks them") {
  STATIC_REQUIRE(same<Resolved<Inferred, Dense<4, 5>, Dropout<6>>, Sequence<Dense<4, 5>, Dropout<6>>>);
  STATIC_REQUIRE(same<Resolved<Inferred, Dense<4, 5>, Dropout<Dynamic>>, Sequence<Dense<4, 5>, Dropout<Dynamic>>>);
}

TEST_CASE("Resolved leaves a first layer with inferred inputs, and what is no layer, as it is, so that later checks report it") {
  STATIC_REQUIRE(same<Resolved<Inferred, Dropout<>, Dense<4, 5>>, Sequence<Dropout<>, Dense<4, 5>>>);
  STATIC_REQUIRE(same<Resolved<Inferred, int, Dropout<>>, Sequence<int, Dropout<Dynamic>>>);
}

TEST_CASE("Resolved infers layers in a Residual from the layer before it, and the layer behind it from the Residual") {
  STATIC_REQUIRE(same<Resolved<Inferred, Dense<4, 5>, Residual<BatchNorm<>, Dense<5, 5>>, Dropout<>>,
                      Sequence<Dense<4, 5>, Residual<BatchNorm<5>, Dense<5, 5>>, Dropout<5>>>);
  STATIC_REQUIRE(same<Resolved<5, Residual<Residual<Dropout<>>>>, Sequence<Residual<Residual<Dropout<5>>>>>);
  STATIC_REQUIRE(Residual<Dense<5, 5>, Dropout<>>::inputs_at_compile_time == 5);
  STATIC_REQUIRE(Residual<Dropout<>>::inputs_at_compile_time == Inferred);
}

TEST_CASE("resolved_layers keeps the extents and hyperparameters of values") {
  using Any = Dense<Dynamic, Dynamic>;
  using All = Resolved<Inferred, Any, Dropout<>, Any, BatchNorm<>>;
  const auto layers = detail::resolved_layers(std::type_identity<All>{}, Any{4, 6}, Dropout<>{0.25}, Any{6, 3}, BatchNorm<>{0.5, 1e-3});
  STATIC_REQUIRE(same<decltype(layers), const std::tuple<Any, Dropout<Dynamic>, Any, BatchNorm<Dynamic>>>);
  CHECK(std::get<1>(layers).inputs() == 6);
  CHECK(std::get<1>(layers).rate() == 0.25);
  CHECK(std::get<3>(layers).inputs() == 3);
  CHECK(std::get<3>(layers).momentum() == 0.5);
  CHECK(std::get<3>(layers).epsilon() == 1e-3);
}
