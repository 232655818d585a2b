#include <chainrule/layers/detail/ranges.hpp>

#include <chainrule/activations/gelu.hpp>
#include <chainrule/activations/leaky_relu.hpp>
#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/activations/sine.hpp>
#include <chainrule/activations/softsign.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_layer.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("the range of an activation is measured") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto is_close = [](double a, double b) { return a == b || std::abs(a - b) < 0.001; };
  const auto check = [&](const auto& f, double lowest, double highest) {
    CAPTURE(std::string(f.name));
    const auto range = detail::measured_range<float>(f);
    CHECK((is_close(range[0], lowest) && is_close(range[1], highest)));
  };
  check(Sigmoid{}, 0, 1);
  check(Tanh{}, -1, 1);
  check(Softsign{}, -1, 1);
  check(Sine{}, -1, 1);
  check(ReLU{}, 0, infinity);
  check(GELU{}, -0.16997, infinity);  // z Phi(z) has its minimum at z = -0.7518
  check(LeakyReLU{1e-5}, -infinity, infinity);
}

TEST_CASE("layers whose types are known only at run time say their range and what scales their outputs") {
  const AnyLayer<float> tanh = Activate<Tanh, 3>{}, norm = BatchNorm<3>{};
  CHECK_FALSE(tanh.scales_with_parameters());
  CHECK(norm.scales_with_parameters());
  CHECK(Dense<3, 2>{}.scales_with_parameters());
  CHECK_FALSE(Dense<3, 2, Tanh>{}.scales_with_parameters());
  CHECK(tanh.output_range() == std::array{-1.0, 1.0});
  CHECK_FALSE(tanh.takes_any_scale());
  CHECK(std::isinf(norm.output_range()[1]));
  CHECK(norm.takes_any_scale());
}
