#include <chainrule/activations/gelu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/optimizers/descend.hpp>
#include <chainrule/threads/thread_team.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// A network trained with descend(), and a copy trained with backward() and step().
template <class Net, class Rule>
class Pair {
  using Scalar = typename Net::ScalarType;

 public:
  Pair(Net net, const Rule& rule, Index batch)
      : at_once{net},
        in_turn{net},
        rule_{rule},
        x_{Matrix<Scalar>::Random(net.inputs(), batch)},
        work_{net.make_workspace(batch)},
        other_work_{net.make_workspace(batch)},
        room_{net.make_gradients()},
        gradients_{net.make_gradients()},
        state_{rule.make_state(net)},
        other_state_{rule.make_state(net)} {}

  void set_team(Team* team) {
    work_.set_team(team);
    state_.team = team;
  }

  template <class Y>
  void step(const Y& y) {
    at_once.forward(x_, work_);
    descend(at_once, x_, y, work_, room_, rule_, state_);
    in_turn.forward(x_, other_work_);
    in_turn.backward(x_, y, other_work_, gradients_);
    rule_.step(in_turn.parameters(), gradients_, other_state_);
  }
  bool are_same() const { return at_once.parameters() == in_turn.parameters() && state_.steps == other_state_.steps; }

  Net at_once, in_turn;

 private:
  Rule rule_;
  Matrix<Scalar> x_;
  typename Net::template Workspace<> work_, other_work_;
  typename Net::Gradients room_, gradients_;
  OptimizerState<Scalar> state_, other_state_;
};

/// Whether three steps of both ways give the same bits, and change the parameters at all.
template <class Rule, class Net>
bool steps_alike(const Net& net, const Rule& rule, Index batch, Team* team = nullptr) {
  using Scalar = typename Net::ScalarType;
  Pair<Net, Rule> pair(net, rule, batch);
  pair.set_team(team);
  const Matrix<Scalar> y = Matrix<Scalar>::Random(net.outputs(), batch);
  bool alike = true;
  for (int i = 0; i < 3; ++i) {
    pair.step(y);
    alike = alike && pair.are_same();
  }
  return alike && pair.at_once.parameters() != net.parameters();
}

constexpr SGD sgd{.learning_rate = 0.05};
using Wide = Network<float, SquaredError, Dense<Dynamic, Dynamic, Tanh>, Dense<Dynamic, Dynamic, GELU>, Dense<Dynamic, Dynamic>>;

}  // namespace

// W = 2, b = 1, x = 3, y = 0: y_hat = 7 = delta, dJ/dW = 21, dJ/db = 7
TEST_CASE("descend on a net of one weight and one bias, by hand", "[optimizer]") {
  Network<double, SquaredError, Dense<1, 1>> net{Seed{1}};
  net.parameters() << 2, 1;
  auto work = net.make_workspace(1);
  auto room = net.make_gradients();
  const SGD rule{.learning_rate = 0.125};
  auto state = rule.make_state(net);
  const Eigen::Matrix<double, 1, 1> x(3), y(0);
  net.forward(x, work);
  descend(net, x, y, work, room, rule, state);
  CHECK(net.parameters()[0] == 2 - 0.125 * 21);
  CHECK(net.parameters()[1] == 1 - 0.125 * 7);
  CHECK(state.steps == 1);
}

TEST_CASE("descend is bit-identical to backward and step, for any layers, batch size and threads", "[optimizer]") {
  ThreadTeam team(2);
  for (const Index batch : {2, 7, 64, 400}) {
    CAPTURE(batch);
    CHECK(steps_alike(Network<float, SquaredError, Dense<2, 8, Tanh>, Dense<8, 1>>{Seed{1}}, sgd, batch));
    CHECK(steps_alike(Network<double, SquaredError, Dense<5, 16, GELU>, BatchNorm<>, Dense<16, 3>>{Seed{1}}, sgd, batch));
    CHECK(steps_alike(Network<float, SquaredError, Dense<4, 9, Tanh>, Residual<Dense<9, 9, Tanh>>, Dense<9, 2>>{Seed{1}}, sgd, batch));
    CHECK(steps_alike(Wide{Seed{1}, {40, 33}, {33, 130}, {130, 1}}, sgd, batch));
    CHECK(steps_alike(Wide{Seed{1}, {300, 217}, {217, 350}, {350, 17}}, sgd, batch, &team));
  }
  CHECK(steps_alike(Wide{Seed{1}, {40, 33}, {33, 130}, {130, 1}}, sgd, 1));
  CHECK(steps_alike(Wide{Seed{1}, {800, 700}, {700, 20}, {20, 3}}, sgd, 1, &team));
  CHECK(steps_alike(Network<float, SquaredError, Dense<2, 8, Tanh>, Dense<8, 1>>{Seed{1}}, sgd, 1));
}

TEST_CASE("descend is bit-identical to backward and step for layers known at run time, and for columns with gaps between them",
          "[optimizer]") {
  using Tanhs = Dense<Dynamic, Dynamic, Tanh>;
  const AnyLayers<float> layers{Tanhs{40, 128}, BatchNorm<>{}, Residual<Tanhs>{Tanhs{128, 128}}, Dense<Dynamic, Dynamic, GELU>{128, 7},
                                Dense<7, 256>{}};
  ThreadTeam team(2);
  for (const Index batch : {2, 64, 400}) {
    CAPTURE(batch);
    CHECK(steps_alike(AnyNetwork<float>{Seed{1}, SquaredError{}, layers}, sgd, batch));
    CHECK(steps_alike(AnyNetwork<float>{Seed{1}, SquaredError{}, layers}, sgd, batch, &team));
    CHECK(steps_alike(Wide{Seed{1}, {200, 128}, {128, 256}, {256, 512}}, sgd, batch));
    CHECK(steps_alike(Wide{Seed{1}, {200, 128}, {128, 256}, {256, 512}}, sgd, batch, &team));
  }
  CHECK(steps_alike(AnyNetwork<float>{Seed{1}, SquaredError{}, {Tanhs{20, 128}, Dense<128, 3>{}}}, sgd, 1));
}

TEST_CASE("descend accepts labels as targets", "[optimizer]") {
  Pair pair(Network<float, SoftmaxCrossEntropy, Dense<4, 16, Tanh>, Dense<16, 3>>{Seed{1}}, sgd, 5);
  for (int i = 0; i < 3; ++i) pair.step(std::vector<int>{0, 2, 1, 1, 0});
  CHECK(pair.are_same());
}

TEST_CASE("descend calls backward and step for momentum, weight decay and other rules", "[optimizer]") {
  const Wide net{Seed{1}, {5, 33}, {33, 20}, {20, 1}};
  CHECK(steps_alike(net, SGD{.learning_rate = 0.05, .momentum = 0.9}, 7));
  CHECK(steps_alike(net, SGD{.learning_rate = 0.05, .weight_decay = 0.1}, 7));
  CHECK(steps_alike(net, Adam{.learning_rate = 0.05}, 7));
}

TEST_CASE("descend changes nothing if it throws", "[optimizer][errors]") {
  using Net = Network<float, SquaredError, Dense<2, 8, Tanh>, Dense<8, 1>>;
  Net net{Seed{1}};
  const Vector<float> before = net.parameters();
  auto work = net.make_workspace(5);
  auto room = net.make_gradients();
  auto state = sgd.make_state(net);
  const Matrix<float> x = Matrix<float>::Random(2, 5), y = Matrix<float>::Random(1, 5);
  Matrix<float> bad = y;
  bad(0, 3) = std::numeric_limits<float>::quiet_NaN();
  auto of_other_size = OptimizerState<float>(Index{3}, 0);

  CHECK_THROWS_AS(descend(net, x, y, work, room, sgd, state), StateError);  // no forward pass yet
  net.forward(x, work);
  CHECK_THROWS_AS(descend(net, x, bad, work, room, sgd, state), ValueError);
  CHECK_THROWS_AS(descend(net, x.leftCols(4), y, work, room, sgd, state), ShapeError);
  CHECK_THROWS_AS(descend(net, x, y.leftCols(4), work, room, sgd, state), ShapeError);
  CHECK_THROWS_AS(descend(net, x, y, work, room, SGD{.learning_rate = -1}, state), ValueError);
  CHECK_THROWS_AS(descend(net, x, y, work, room, SGD{.nesterov = true}, state), ValueError);
  CHECK_THROWS_AS(descend(net, x, y, work, room, sgd, of_other_size), ShapeError);
  CHECK(net.parameters() == before);
  CHECK((state.steps == 0 && of_other_size.steps == 0));
}

TEST_CASE("descend takes a gradient from outside, with the bits of backward and step") {
  Pair pair(Network<float, SoftmaxCrossEntropy, Dense<4, 16, Tanh>, Dense<16, 3>>{Seed{1}}, sgd, 5);
  const Eigen::VectorXf theta = pair.at_once.parameters();
  const Matrix<float> dJ_dy = Matrix<float>::Random(3, 5);
  pair.step(from_outside(dJ_dy));
  CHECK(pair.are_same());
  CHECK(pair.at_once.parameters() != theta);
}
