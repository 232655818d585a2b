#include <chainrule/optimizers/adam.hpp>
#include <chainrule/optimizers/adamw.hpp>
#include <chainrule/optimizers/detail/update.hpp>
#include <chainrule/optimizers/elementwise_step.hpp>
#include <chainrule/optimizers/rmsprop.hpp>
#include <chainrule/optimizers/sgd.hpp>
#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

#include "optimizers/optimizer_contract.hpp"

using namespace chainrule;
using chainrule_test::TwoLayers;
using chainrule_test::wave;

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

/// Offset, size and decay of each piece that for_pieces passes to a rule, in one list.
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

/// A team that runs its items on the calling thread, last first, and counts them.
struct Backwards final : Team {
  explicit Backwards(Index n) : number{n} {}
  Index threads() const override { return number; }
  void run(Index items, Work work) override {
    done += items;
    for (Index i = items; i-- > 0;) work(i);
  }
  Index number;
  Index done = 0;
};

/// A stand-in for a network with one layer.
struct OneLayer {
  using ScalarType = float;
  struct Layer {
    std::array<TensorShape, 2> tensors() const { return {{{"weight", weights, 1, true}, {"bias", biases, 1, false}}}; }
    Index weights, biases;
  };
  OneLayer(Index weights, Index biases) : layer{weights, biases} {}
  std::tuple<Layer> layers() const { return {layer}; }
  Vector<float> parameters() const { return wave(layer.weights + layer.biases, 1); }
  Layer layer;
};

/// Layers with about as many parameters as make a step worth sharing: 15625 of 64 operations each, which is 1e6. The numbers of weights
/// and biases vary.
const OneLayer around_threshold[] = {{15575, 49}, {15575, 50}, {15576, 50}, {100, 15526}, {40000, 1},
                                     {1, 40000},  {15625, 0},  {0, 15625},  {49999, 333}};

/// theta after two steps, followed by the moments.
Vector<float> two_steps(const SGD& sgd, const OneLayer& net, Team* team) {
  Vector<float> theta = net.parameters();
  auto state = sgd.make_state(net);
  state.team = team;
  for (const float frequency : {2.0f, 3.0f}) {
    const Vector<float> gradient = wave(theta.size(), frequency);
    chainrule_test::step(sgd, theta.size(), theta.data(), gradient.data(), state);
  }
  Vector<float> result(theta.size() + state.flat().size());
  for (Index i = 0; i < result.size(); ++i) result[i] = i < theta.size() ? theta[i] : state.flat()[i - theta.size()];
  return result;
}

/// The moment of SGD with a momentum of 1/2, by a formula and by Eigen's arrays.
struct ByFormula : SGD {
  template <class Theta>
  void step(Theta& theta, const Vector<float>& g, OptimizerState<float>& state) const {
    formula_step<1>(*this, theta, g, state, [](const auto& dJ, auto&, auto& b) CHAINRULE_FORMULA { b = 0.5f * b + dJ; });
  }
};
/// Divides g by the root of its own square, which it keeps as a moment.
struct SquareRoots : SGD {
  struct Formula {
    float rate;
    static constexpr bool is_square(int) { return true; }
    template <class V>
    CHAINRULE_FORMULA void operator()(const V& g, V& theta, V& square) const {
      theta = theta - rate * g / sqrt(max(square, 1e-38f));
      square = g * g;
    }
  };
  Index moments() const { return 1; }
  template <class Scalar>
  OptimizerState<Scalar> make_state(Index size) const {
    return {size, 1};
  }
  template <class Theta>
  void step(Theta& theta, const Vector<float>& g, OptimizerState<float>& state) const {
    if (state.steps == 0) state.moment(0) = g.array().square().matrix();
    formula_step<1>(*this, theta, g, state, Formula{static_cast<float>(learning_rate)});
  }
};
struct ByChunks : SGD {
  template <class Theta>
  void step(Theta& theta, const Vector<float>& g, OptimizerState<float>& state) const {
    elementwise_step<1>(*this, theta, g, state, [](const auto& dJ, auto&, auto& b) { b = 0.5f * b + dJ; });
  }
};

}  // namespace

TEST_CASE("for_pieces splits theta between weights and biases only if their decay differs") {
  using Pieces = std::vector<double>;
  CHECK(pieces_of(Rule{}) == Pieces{0, 48, 0});
  CHECK(pieces_of(Rule{.weight_decay = 0.5}) == Pieces{0, 20, 0.5, 20, 4, 0, 24, 20, 0.5, 44, 4, 0});
  CHECK(pieces_of(Rule{.weight_decay = 0.5, .decay_biases = true}) == Pieces{0, 48, 0.5});
  CHECK(pieces_of(RuleWithoutDecay{}) == Pieces{0, 48, 0});
}

TEST_CASE("begin_step counts a step once, and only if all arguments are valid") {
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

TEST_CASE("begin_step refuses a state that was moved from, one whose team was destroyed, and arguments that share memory") {
  Vector<float> theta = Vector<float>::Ones(8);
  const Vector<float> gradient = Vector<float>::Ones(4);
  OptimizerState<float> state(4, 2), empty(4, 2);
  const OptimizerState<float> moved = std::move(empty);
  auto first = theta.head(4), second = theta.segment(2, 4), last = theta.tail(4);
  CHECK_THROWS_SAYING(detail::begin_step(Rule{}, first, gradient, empty), StateError, "Rule: the state is empty: it was moved");
  CHECK_THROWS_SAYING(detail::begin_step(Rule{}, first, second, state), ValueError, "Rule: the gradient and theta share memory");
  CHECK_THROWS_SAYING(detail::begin_step(Rule{}, first, state.moment(1), state), ValueError, "the gradient and the state share memory");
  auto moment = state.moment(0);
  CHECK_THROWS_SAYING(detail::begin_step(Rule{}, moment, gradient, state), ValueError, "theta and the state share memory");
  {
    Backwards team(2);
    state.team = &team;
    CHECK(state.team == &team);
  }
  CHECK_THROWS_SAYING(detail::begin_step(Rule{}, first, gradient, state), StateError, "was destroyed before it");
  CHECK(state.steps == 0);
  state.team = nullptr;
  detail::begin_step(Rule{}, first, last, state);
  CHECK(state.steps == 1);
}

TEST_CASE("for_pieces with a team visits every parameter once, with the decay of its tensor") {
  for (const OneLayer& net : around_threshold)
    for (const Index threads : {2, 3, 16})
      for (const double weight_decay : {0.0, 0.5}) {
        Vector<float> theta = net.parameters();
        OptimizerState<float> state(net, 2);
        Backwards team(threads);
        state.team = &team;
        const Rule rule{.weight_decay = weight_decay};
        const auto arguments = detail::begin_step(rule, theta, theta, state);
        std::vector<int> visits(static_cast<std::size_t>(theta.size()), 0);
        int wrong = 0;
        detail::for_pieces(rule, arguments, state, [&](const detail::Piece<float>& piece) {
          const Index begin = piece.theta - theta.data();
          wrong += piece.size < 1 || piece.moment(1) != state.moment(1).data() + begin;
          for (Index i = begin; i < begin + piece.size; ++i) {
            ++visits[static_cast<std::size_t>(i)];
            wrong += piece.decay != (i < net.layer.weights ? weight_decay : 0);
          }
        });
        for (const int times : visits) wrong += times != 1;
        CAPTURE(net.layer.weights, net.layer.biases, threads, weight_decay);
        CHECK(wrong == 0);
        const bool shared = team.done > 0;
        CHECK(shared == (theta.size() >= 15625));
      }
}

TEST_CASE("a step gives the same bits with a team as on one thread") {
  for (const SGD& sgd : {SGD{.learning_rate = 0.1}, SGD{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.01},
                         SGD{.learning_rate = 0.1, .weight_decay = 0.01},
                         SGD{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01, .decay_biases = true}})
    for (const OneLayer& net : {OneLayer(15600, 50), OneLayer(100, 15551), OneLayer(40000, 1)}) {
      CAPTURE(sgd.momentum, sgd.weight_decay, net.layer.weights, net.layer.biases);
      Backwards team(3);
      const bool same_bits = two_steps(sgd, net, &team) == two_steps(sgd, net, nullptr);
      CHECK(same_bits);
      CHECK(team.done > 0);
    }
}

/// A stand-in for Gradients that says whether the backward pass was shared among threads.
struct SharedGradient {
  Vector<float> values;
  bool shared;
  ConstVectorView<float> flat() const { return {values.data(), values.size()}; }
  bool is_shared() const { return shared; }
};

TEST_CASE("a step of medium size is shared only if the backward pass before it was") {
  const auto shared = [](Index size, bool backward_was_shared) {
    Vector<float> theta = wave(size, 1);
    const SharedGradient gradient{wave(size, 2), backward_was_shared};
    OptimizerState<float> state(theta, 0);
    Backwards team(2);
    state.team = &team;
    SGD{.learning_rate = 1}.step(theta, gradient, state);
    CHECK(theta == Vector<float>(wave(size, 1) - gradient.values));
    return team.done > 0;
  };
  CHECK(shared(5000, true));
  CHECK_FALSE(shared(5000, false));
  CHECK_FALSE(shared(1000, true));
  CHECK(shared(20000, false));
}

TEST_CASE("a step without parameters only counts") {
  Vector<float> nothing(0);
  OptimizerState<float> state(0, 0);
  Backwards team(2);
  for (Team* t : {static_cast<Team*>(nullptr), static_cast<Team*>(&team)}) {
    state.team = t;
    chainrule_test::step(SGD{}, 0, nothing.data(), nothing.data(), state);
    chainrule_test::step(SGD{.weight_decay = 0.5}, 0, nothing.data(), nothing.data(), state);
  }
  CHECK(state.steps == 4);
}

// Momentum 1/2 halves b in each step without a gradient: b = 2^-n. 2^-111 is 2^15 times the smallest normal float.
TEST_CASE("moments and parameters that shrink become 0 before they are subnormal, also with a user's own formula") {
  const auto check = [](const auto& rule) {
    Vector<float> theta = Vector<float>::Zero(21), g = Vector<float>::Ones(21);
    auto state = rule.template make_state<float>(21);
    rule.step(theta, g, state);
    g.setConstant(std::nextafter(0x1p-111f, 0.0f));  // a gradient below 2^-111 counts as 0
    for (int n = 1; n <= 128; ++n) {
      rule.step(theta, g, state);
      CHECK((state.moment(0).array() == (n <= 111 ? std::ldexp(1.0f, -n) : 0.0f)).all());
    }
    g.setConstant(-0x1p-111f);
    rule.step(theta, g, state);
    CHECK((state.moment(0).array() == -0x1p-111f).all());
  };
  check(SGD{.learning_rate = 0, .momentum = 0.5});
  check(ByFormula{SGD{.learning_rate = 0, .momentum = 0.5}});
  check(ByChunks{SGD{.learning_rate = 0, .momentum = 0.5}});

  Vector<float> theta = Vector<float>::Ones(21);
  const Vector<float> zero = Vector<float>::Zero(21);
  const SGD decay{.learning_rate = 1, .weight_decay = 0.5};  // halves theta
  auto state = decay.make_state<float>(21);
  for (int n = 1; n <= 128; ++n) {
    decay.step(theta, zero, state);
    CHECK((theta.array() == (n <= 111 ? std::ldexp(1.0f, -n) : 0.0f)).all());
  }
}

// With a constant gradient g the means are m = (1 - beta1^t) g and v = (1 - beta2^t) g^2, so that each step of Adam is learning_rate.
TEST_CASE("running means of squares are kept where other moments would count as 0, also in a user's own formula") {
  const auto theta_after_3_steps = [](const auto& rule) {
    Vector<float> theta = Vector<float>::Zero(21);
    const Vector<float> g = Vector<float>::Constant(21, 1e-17f);  // g^2 = 1e-34 is below 2^15 times the smallest normal number
    auto state = rule.template make_state<float>(21);
    for (int t = 0; t < 3; ++t) rule.step(theta, g, state);
    CHECK((theta.array() == theta[0]).all());
    return theta[0];
  };
  CHECK(theta_after_3_steps(Adam{.epsilon = 1e-30}) == Approx(-0.003).epsilon(1e-5));
  CHECK(theta_after_3_steps(Adam{.epsilon = 1e-30, .amsgrad = true}) == Approx(-0.003).epsilon(1e-5));
  CHECK(theta_after_3_steps(AdamW{.epsilon = 1e-30}) == Approx(-0.003).epsilon(1e-5));
  const double without_correction = 1 / std::sqrt(1 - 0.999) + 1 / std::sqrt(1 - 0.999 * 0.999) + 1 / std::sqrt(1 - 0.999 * 0.999 * 0.999);
  CHECK(theta_after_3_steps(RMSprop{.learning_rate = 1e-3, .rho = 0.999, .epsilon = 1e-30}) ==
        Approx(-1e-3 * without_correction).epsilon(1e-4));
  CHECK(theta_after_3_steps(SquareRoots{SGD{.learning_rate = 1e-3}}) == Approx(-0.003).epsilon(1e-5));
}

// (1 - beta) g^2 with 1 - beta = 1/4 and g = 2^-62 is 2^-126, the smallest normal float; with the float below g it is subnormal.
TEST_CASE("running means of squares leave out terms that are subnormal, and no others") {
  const auto square = [](float x, float mean) {
    kernels::update(
        1, [](const auto& a, auto& m) CHAINRULE_FORMULA { m = detail::RunningMeanSquare<float>(0.75)(m, a); },
        static_cast<const float*>(&x), &mean);
    return mean;
  };
  const float g = 0x1p-62f, below = std::nextafter(g, 0.0f);
  CHECK(square(g, 0) == 0x1p-126f);
  CHECK(square(-g, 0) == 0x1p-126f);
  CHECK(square(below, 0) == 0);
  CHECK(square(3, 16) == 0.75f * 16 + 0.25f * 9);
  CHECK(square(1e30f, 0) == std::numeric_limits<float>::infinity());
  CHECK(std::isnan(square(std::numeric_limits<float>::quiet_NaN(), 1)));
}
