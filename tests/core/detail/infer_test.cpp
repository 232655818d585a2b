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

TEST_CASE("a layer with inferred inputs has as many as the layer before has outputs, and so on") {
  STATIC_REQUIRE(same<Resolved<Inferred, Dense<4, 5>, Dropout<>, BatchNorm<>, Dense<5, 3>, PReLU<>, Activate<ReLU>>,
                      Sequence<Dense<4, 5>, Dropout<5>, BatchNorm<5>, Dense<5, 3>, PReLU<Slopes::shared, 3>, Activate<ReLU, 3>>>);
  STATIC_REQUIRE(same<Resolved<Inferred, Dense<4, Dynamic>, Dropout<>>, Sequence<Dense<4, Dynamic>, Dropout<Dynamic>>>);
  STATIC_REQUIRE(same<Resolved<7, Dropout<>>, Sequence<Dropout<7>>>);
}

TEST_CASE("extents that are said stay as they are, right or wrong: the chain judges") {
  STATIC_REQUIRE(same<Resolved<Inferred, Dense<4, 5>, Dropout<6>>, Sequence<Dense<4, 5>, Dropout<6>>>);
  STATIC_REQUIRE(same<Resolved<Inferred, Dense<4, 5>, Dropout<Dynamic>>, Sequence<Dense<4, 5>, Dropout<Dynamic>>>);
}

TEST_CASE("what is no layer, or first of all, is left as it is, for the messages that follow") {
  STATIC_REQUIRE(same<Resolved<Inferred, Dropout<>, Dense<4, 5>>, Sequence<Dropout<>, Dense<4, 5>>>);
  STATIC_REQUIRE(same<Resolved<Inferred, int, Dropout<>>, Sequence<int, Dropout<Dynamic>>>);
}

TEST_CASE("the layers in a Residual are inferred from the layer before it, and those after it from it") {
  STATIC_REQUIRE(same<Resolved<Inferred, Dense<4, 5>, Residual<BatchNorm<>, Dense<5, 5>>, Dropout<>>,
                      Sequence<Dense<4, 5>, Residual<BatchNorm<5>, Dense<5, 5>>, Dropout<5>>>);
  STATIC_REQUIRE(same<Resolved<5, Residual<Residual<Dropout<>>>>, Sequence<Residual<Residual<Dropout<5>>>>>);
  STATIC_REQUIRE(Residual<Dense<5, 5>, Dropout<>>::inputs_at_compile_time == 5);
  STATIC_REQUIRE(Residual<Dropout<>>::inputs_at_compile_time == Inferred);
}

TEST_CASE("values become the same layers, with their extents and hyperparameters") {
  using Any = Dense<Dynamic, Dynamic>;
  const auto layers = detail::resolve_layers<Inferred>(std::tuple<>{}, 0, Any{4, 6}, Dropout<>{0.25}, Any{6, 3}, BatchNorm<>{0.5, 1e-3});
  STATIC_REQUIRE(same<decltype(layers), const std::tuple<Any, Dropout<Dynamic>, Any, BatchNorm<Dynamic>>>);
  CHECK(std::get<1>(layers).inputs() == 6);
  CHECK(std::get<1>(layers).rate() == 0.25);
  CHECK(std::get<3>(layers).inputs() == 3);
  CHECK(std::get<3>(layers).momentum() == 0.5);
  CHECK(std::get<3>(layers).epsilon() == 1e-3);
}
