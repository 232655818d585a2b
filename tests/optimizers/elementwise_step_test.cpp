#include <chainrule/optimizers/elementwise_step.hpp>

#include "optimizers/optimizer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

/// A user's own rule, gradient descent with momentum:  m <- momentum m + g,  theta <- theta - learning_rate m
struct HeavyBall {
  static constexpr std::string_view name = "HeavyBall";
  double learning_rate = 0.1;
  double momentum = 0.5;
  double weight_decay = 0;
  bool decay_biases = false;
  Index says_moments = 1;

  Index moments() const { return says_moments; }
  template <HasParameters Net>
  auto make_state(const Net& net) const {
    return OptimizerState(net, moments());
  }
  template <class Scalar>
  OptimizerState<Scalar> make_state(Index size) const {
    return {size, moments()};
  }
  template <class Theta, class Gradient, class Scalar>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar>& state) const {
    elementwise_step<1>(*this, theta, gradient, state,
                        [rate = static_cast<Scalar>(learning_rate), keep = static_cast<Scalar>(momentum)](const auto& g, auto& t, auto& m) {
                          m = keep * m + g;
                          t -= rate * m;
                        });
  }
};

}  // namespace

TEST_CASE("a rule written with elementwise_step satisfies the optimizer contract", "[optimizer]") { check_optimizer(HeavyBall{}); }

// m <- m/2 + g,  theta <- theta - m/4;  with decay g <- g + theta/2
TEMPLATE_TEST_CASE("elementwise_step: one step without weight decay and one with it, by hand", "[optimizer]", float, double, long double) {
  HeavyBall rule{.learning_rate = 0.25};
  Vector<TestType> theta = vector<TestType>({1, 0});
  auto state = rule.make_state(theta);
  rule.step(theta, vector<TestType>({4, 1}), state);
  CHECK(near(theta, {0, -0.25}));  // m = (4, 1)
  rule.weight_decay = 0.5;
  rule.step(theta, vector<TestType>({4, 0}), state);
  CHECK(near(theta, {-1.5, -0.34375}));  // g = (4, -1/8), m = (6, 3/8)
  CHECK(state.steps == 2);
}

TEST_CASE("elementwise_step rejects a formula with another number of moments than the rule's", "[optimizer]") {
  Vector<float> theta = wave(5, 1);
  OptimizerState<float> state(5, 2);
  CHECK_THROWS_SAYING((HeavyBall{.says_moments = 2}.step(theta, wave(5, 2), state)), StateError,
                      "HeavyBall: moments() says 2, but its step takes 1");
  CHECK(state.steps == 0);
}
