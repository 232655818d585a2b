#include <chainrule/io/detail/fingerprint.hpp>

#include <chainrule/activations/leaky_relu.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("the fingerprint of a network is the same whether its types are known or not, and has everything but its numbers") {
  using Layer = Dense<Dynamic, Dynamic, LeakyReLU>;
  const auto net = make_network<double>(Seed{1}, Huber{.delta = 2}, Layer{2, 3, LeakyReLU{0.25}}, BatchNorm<Dynamic>{3});
  const AnyNetwork<double> any{Seed{2}, Huber{.delta = 2}, {Layer{2, 3, LeakyReLU{0.25}}, BatchNorm<Dynamic>{3}}};
  const std::string expected =
      "scalar: 53 binary digits in 8 bytes\n"
      "layer<0>: Dense 2 -> 3\n"
      "layer<0>.activation: LeakyReLU\n"
      "layer<0>.activation.slope: 0.25\n"
      "layer<0>.weight: 3 x 2\n"
      "layer<0>.bias: 3 x 1\n"
      "layer<1>: BatchNorm 3 -> 3\n"
      "layer<1>.momentum: 0.1\n"
      "layer<1>.epsilon: 1e-05\n"
      "layer<1>.weight: 3 x 1\n"
      "layer<1>.bias: 3 x 1\n"
      "layer<1>.running_mean: 3 x 1\n"
      "layer<1>.running_variance: 3 x 1\n"
      "layer<1>.batches: 1 x 1\n"
      "loss: Huber\n"
      "loss.delta: 2\n";
  CHECK(detail::fingerprint_of(net) == expected);
  CHECK(detail::fingerprint_of(any) == expected);
}

TEST_CASE("the first line that differs is told, in words that a terminal can show") {
  const auto check = [](const char* expected, const char* found) { detail::check_fingerprint("f", expected, found); };
  CHECK_NOTHROW(check("a: 1\nb: 2\n", "a: 1\nb: 2\n"));
  CHECK_THROWS_SAYING(check("a: 1\nb: 2\n", "a: 1\nb: 3\n"), ValueError,
                      "f is of another network or training: expected \"b: 2\", but found \"b: 3\"");
  CHECK_THROWS_SAYING(check("a: 1\nb: 2\n", "a: 1\n"), ValueError, "expected \"b: 2\", but found no such line");
  CHECK_THROWS_SAYING(check("a: 1\n", "a: 1\n\x1b[31mred\n"), ValueError, "expected no such line, but found \"?[31mred\"");
  CHECK_THROWS_SAYING(check("a: 1\n", ""), ValueError, "expected \"a: 1\", but found no such line");
}
