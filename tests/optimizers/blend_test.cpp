#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/optimizers/blend.hpp>
#include <limits>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

template <class Scalar>
void check_formula() {
  using Net = Network<Scalar, SquaredError, Dense<3, 7, Tanh>, BatchNorm<>, Dense<7, 2>>;
  const Net net{Seed{1}};
  Net target{Seed{2}}, other = net;
  other.buffers().setLinSpaced(1, 15);  // means, variances and the number of batches
  const Net before = target;
  blend(target, other, 0.25);
  const auto blended = [](Scalar a, Scalar b) { return detail::rounded(Scalar(0.75) * a) + detail::rounded(Scalar(0.25) * b); };
  for (Index i = 0; i < net.parameters().size(); ++i)
    CHECK(target.parameters()[i] == blended(before.parameters()[i], other.parameters()[i]));
  for (Index i = 0; i < net.buffers().size(); ++i) CHECK(target.buffers()[i] == blended(before.buffers()[i], static_cast<Scalar>(1 + i)));
  blend(target, other, 1);
  CHECK(target.parameters() == other.parameters());
  CHECK(target.buffers() == other.buffers());
  blend(target, before, 0);
  CHECK(target.parameters() == other.parameters());
  blend(target, target, 0.3);
  CHECK(target.parameters() == other.parameters());
}

AnyNetwork<float> any_net(AnyLayers<float> layers) { return {Seed{1}, SquaredError{}, layers}; }

}  // namespace

TEST_CASE("blend moves theta and buffers of a target by (1 - tau) theta_target + tau theta") {
  check_formula<float>();
  check_formula<long double>();
}

TEST_CASE("blend with tau = 0.005, repeated, comes closer by a factor of 0.995 each time") {
  auto net = make_network<double, SquaredError>(Seed{1}, Dense<2, 3>{});
  auto target = net;
  net.parameters().array() += 1;
  for (int step = 0; step < 200; ++step) blend(target, net, 0.005);
  CHECK((net.parameters() - target.parameters()).isApproxToConstant(0.36695782172616714, 1e-12));  // 0.995^200
}

TEST_CASE("blend rejects networks of other layers, and a tau outside of 0 to 1, and changes nothing") {
  using Layer = Dense<Dynamic, Dynamic, Tanh>;
  auto target = make_network<float, SquaredError>(Seed{1}, Layer{2, 3}, Layer{3, 2});
  const auto wider = make_network<float, SquaredError>(Seed{2}, Layer{2, 4}, Layer{4, 2});
  const Eigen::VectorXf theta = target.parameters();
  CHECK_THROWS_SAYING(blend(target, wider, 0.5), ShapeError,
                      "blend: both must have the same layers, but layer<0> of the target is Dense Tanh 2 -> 3 with 9 parameters, and that "
                      "of the network Dense Tanh 2 -> 4 with 12");
  auto any = any_net({Layer{2, 3}, Layer{3, 2}});
  CHECK_THROWS_SAYING(blend(any, any_net({Layer{2, 3}}), 0.5), ShapeError, "the target has 2 and the network 1");
  CHECK_THROWS_SAYING(blend(any, any_net({Layer{2, 3}, Dense<Dynamic, Dynamic, ReLU>{3, 2}}), 0.5), ShapeError,
                      "layer<1> of the target is Dense Tanh", "of the network Dense ReLU");
  CHECK_THROWS_SAYING(blend(target, target, -0.1), ValueError, "blend: tau must be from 0 to 1, got -0.1");
  CHECK_THROWS_SAYING(blend(target, target, 1.5), ValueError, "got 1.5");
  CHECK_THROWS_SAYING(blend(target, target, std::numeric_limits<double>::quiet_NaN()), ValueError, "got nan");
  CHECK_THROWS_SAYING(blend(target, target, 1e-60), ValueError, "tau is 1e-60, which as a float is 0");
  CHECK(target.parameters() == theta);
  CHECK(any.parameters() == theta);
}
