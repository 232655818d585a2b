#include <chainrule/optimizers/step.hpp>
#include <cmath>
#include <vector>

#include "optimizers/optimizer_contract.hpp"

using namespace chainrule;
using chainrule_test::TwoLayers;

namespace {

struct Rule {
  static constexpr std::string_view name = "Rule";
  double learning_rate = 1;
  double weight_decay = 0;
  bool decay_biases = false;
  Index moments() const { return 2; }
};

struct RuleWithoutDecay {
  static constexpr std::string_view name = "RuleWithoutDecay";
  double learning_rate = 1;
  Index moments() const { return 2; }
};

/// Beginnings, sizes and decays of the pieces that a rule is called with.
template <class R>
std::vector<double> pieces_of(const R& rule) {
  Vector<float> theta = TwoLayers{}.parameters();
  const Vector<float> gradient = theta;
  OptimizerState<float> state(TwoLayers{}, 2);
  const auto arguments = detail::begin_step(rule, theta, gradient, state);
  std::vector<double> pieces;
  detail::for_pieces(rule, arguments, state, [&](const detail::Piece<float>& piece) {
    const Index begin = piece.theta - theta.data();
    const bool in_step = piece.gradient == gradient.data() + begin && piece.moment(0) == state.moment(0).data() + begin &&
                         piece.moment(1) == state.moment(1).data() + begin;
    CHECK(in_step);
    pieces.insert(pieces.end(), {static_cast<double>(begin), static_cast<double>(piece.size), piece.decay});
  });
  return pieces;
}

}  // namespace

TEST_CASE("theta is cut where weights meet biases, if that makes a difference") {
  using Pieces = std::vector<double>;
  CHECK(pieces_of(Rule{}) == Pieces{0, 48, 0});
  CHECK(pieces_of(Rule{.weight_decay = 0.5}) == Pieces{0, 20, 0.5, 20, 4, 0, 24, 20, 0.5, 44, 4, 0});
  CHECK(pieces_of(Rule{.weight_decay = 0.5, .decay_biases = true}) == Pieces{0, 48, 0.5});
  CHECK(pieces_of(RuleWithoutDecay{}) == Pieces{0, 48, 0});
}

TEST_CASE("a step is counted once, and only if all is well") {
  Vector<float> theta = Vector<float>::Ones(3);
  const Vector<float> gradient_of_2 = Vector<float>::Ones(2);
  OptimizerState<float> state(3, 2);
  detail::begin_step(Rule{}, theta, theta, state);
  CHECK(state.steps == 1);

  const auto refused = [&](const Rule& rule, auto& t, const auto& g, OptimizerState<float>& s) {
    CHECK_THROWS_AS(detail::begin_step(rule, t, g, s), Error);
  };
  refused(Rule{}, theta, gradient_of_2, state);
  refused(Rule{.learning_rate = -1}, theta, theta, state);
  refused(Rule{.weight_decay = -1}, theta, theta, state);
  CHECK(state.steps == 1);

  OptimizerState<float> state_of_2(2, 2), one_moment(3, 1);
  CHECK_THROWS_SAYING(detail::begin_step(Rule{}, theta, theta, state_of_2), ShapeError,
                      "Rule: the state was made for 2 parameters, but theta has 3; make_state(net) makes one that fits");
  CHECK_THROWS_SAYING(detail::begin_step(Rule{}, theta, theta, one_moment), ShapeError,
                      "Rule: the state has 1 moments, but this rule remembers 2; make_state(net)");
  CHECK(state_of_2.steps + one_moment.steps == 0);
}
