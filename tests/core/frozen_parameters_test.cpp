#include <chainrule/core/frozen_parameters.hpp>

#include <algorithm>
#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/inspect/check_gradient.hpp>
#include <chainrule/inspect/gradient_flow.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adadelta.hpp>
#include <chainrule/optimizers/adagrad.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/optimizers/adamw.hpp>
#include <chainrule/optimizers/descend.hpp>
#include <chainrule/optimizers/elementwise_step.hpp>
#include <chainrule/optimizers/lion.hpp>
#include <chainrule/optimizers/nadam.hpp>
#include <chainrule/optimizers/penalty.hpp>
#include <chainrule/optimizers/rmsprop.hpp>
#include <chainrule/optimizers/rprop.hpp>
#include <chainrule/threads/thread_team.hpp>
#include <cmath>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

using Range = FrozenParameters::Range;
using Net = Network<float, SquaredError, Dense<3, 5, Tanh>, Dense<5, 4, Tanh>, Dense<4, 2>>;

/// A rule of the user's, made from a formula.
struct Mine {
  static constexpr std::string_view name = "Mine";
  double learning_rate = 0.1;
  double weight_decay = 0.5;
  bool decay_biases = true;
  Index moments() const { return 1; }
  template <HasParameters N>
  auto make_state(const N& net) const {
    return OptimizerState(net, moments());
  }
  template <class Theta, class Gradient, class Scalar, Index... Fixed>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar, Fixed...>& state) const {
    const auto rate = static_cast<Scalar>(learning_rate);
    formula_step<1>(*this, theta, gradient, state, [rate](const auto& g, auto& t, auto& m) CHAINRULE_FORMULA {
      m = m + g;
      t = t - rate * m;
    });
  }
};

template <class Scalar = float>
Matrix<Scalar> wave(Index rows, Index cols, double frequency) {
  Matrix<Scalar> m(rows, cols);
  for (Index i = 0; i < m.size(); ++i) m.data()[i] = static_cast<Scalar>(std::sin(frequency * static_cast<double>(i + 1)));
  return m;
}

/// theta after n steps by `descend`, for a network on the same samples.
template <class N, class Rule>
auto after_steps(N net, const Rule& rule, int n, Team* team = nullptr) {
  auto work = net.make_workspace(7);
  auto dJ = net.make_gradients();
  auto state = rule.make_state(net);
  work.set_team(team);
  state.team = team;
  const auto x = wave(net.inputs(), 7, 1), y = wave(net.outputs(), 7, 2);
  for (int i = 0; i < n; ++i) {
    net.forward(x, work);
    descend(net, x, y, work, dJ, rule, state);
  }
  const Index size = net.parameters().size();
  Vector<float> all(size * (1 + state.moments()));
  all.head(size) = net.parameters();
  all.tail(size * state.moments()) = state.flat();
  return all;
}

/// Checks that the rule keeps theta and its moments where the net is frozen, and elsewhere makes the first step of the net that is not.
template <class N, class Rule>
void check_keeps_frozen(const N& net, const Rule& rule) {
  INFO(Rule::name);
  N frozen = net;
  frozen.freeze("0");
  frozen.freeze("1.bias");
  const Index size = net.parameters().size();
  const auto is_frozen = [&](Index i) { return frozen.frozen()->contains(i, i + 1); };
  const Vector<float> once = after_steps(frozen, rule, 1), free = after_steps(net, rule, 1), later = after_steps(frozen, rule, 3);
  for (Index i = 0; i < size; ++i) {
    CHECK(once[i] == (is_frozen(i) ? net.parameters()[i] : free[i]));
    if (is_frozen(i)) CHECK(later[i] == net.parameters()[i]);
    for (Index k = size; k < once.size(); k += size) {
      CHECK(once[k + i] == (is_frozen(i) ? 0 : free[k + i]));
      if (is_frozen(i)) CHECK(later[k + i] == 0);
    }
  }
}

}  // namespace

TEST_CASE("ranges of frozen parameters are sorted and joined") {
  FrozenParameters frozen;
  frozen.add(4, 6);
  frozen.add(10, 12);
  frozen.add(1, 2);
  frozen.add(3, 3);
  CHECK(frozen.ranges() == std::vector<Range>{{1, 2}, {4, 6}, {10, 12}});
  frozen.add(6, 10);
  CHECK(frozen.ranges() == std::vector<Range>{{1, 2}, {4, 12}});
  CHECK(frozen.size() == 9);
  CHECK((frozen.contains(4, 12) && frozen.contains(5, 6) && !frozen.contains(5, 13) && !frozen.contains(2, 2)));
  CHECK((frozen.overlaps(0, 2) && frozen.overlaps(11, 20) && !frozen.overlaps(2, 4) && !frozen.overlaps(12, 20)));
  std::vector<Range> learning;
  frozen.for_each_learning(0, 14, [&](Index begin, Index end) { learning.push_back({begin, end}); });
  CHECK(learning == std::vector<Range>{{0, 1}, {2, 4}, {12, 14}});
  frozen.remove(5, 11);
  CHECK(frozen.ranges() == std::vector<Range>{{1, 2}, {4, 5}, {11, 12}});
  frozen.remove(0, 20);
  CHECK(frozen == FrozenParameters{});
}

TEST_CASE("layers and tensors are frozen by index and by name") {
  Net net{Seed{1}};  // tensors at 0, 15, 20, 40, 44, 52 to 54
  CHECK((net.frozen() == nullptr && net.trainable_parameters() == 54));
  net.freeze<0>();
  net.freeze(1);
  CHECK(net.frozen()->ranges() == std::vector<Range>{{0, 44}});
  net.unfreeze("0.weight");
  net.freeze("bias");
  CHECK(net.frozen()->ranges() == std::vector<Range>{{15, 44}, {52, 54}});
  const Net copy = net;
  CHECK(copy.trainable_parameters() == 23);
  CHECK(*net.rebind<double>().frozen() == *copy.frozen());
  net.unfreeze();
  CHECK((net.frozen() == nullptr && copy.frozen() != nullptr));
  CHECK_THROWS_SAYING(net.freeze("3"), ValueError, "there is no layer or tensor \"3\"", "0.weight, 0.bias, 1.weight");
  CHECK_THROWS_AS(net.freeze(3), ValueError);
  CHECK_THROWS_AS(net.freeze(-1), ValueError);
  CHECK_THROWS_AS(net.freeze(""), ValueError);
  FrozenParameters part;
  part.add(0, 3);
  CHECK_THROWS_SAYING(net.set_frozen(part), ValueError, "whole tensors");
  CHECK(net.frozen() == nullptr);
}

TEST_CASE("every optimizer keeps theta and moments where the network is frozen") {
  const Net net{Seed{1}};
  check_keeps_frozen(net, SGD{.learning_rate = 0.1});
  check_keeps_frozen(net, SGD{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.1, .decay_biases = true});
  check_keeps_frozen(net, Adam{.weight_decay = 0.1, .decay_biases = true});
  check_keeps_frozen(net, AdamW{.weight_decay = 0.1});
  check_keeps_frozen(net, NAdam{});
  check_keeps_frozen(net, RMSprop{});
  check_keeps_frozen(net, Adagrad{});
  check_keeps_frozen(net, Adadelta{});
  check_keeps_frozen(net, Lion{.weight_decay = 0.1});
  check_keeps_frozen(net, Rprop{});
  check_keeps_frozen(net, Mine{});
  const AnyNetwork<float> any{
      Seed{1}, SquaredError{}, {Dense<Dynamic, Dynamic, Tanh>{3, 5}, Dense<Dynamic, Dynamic, Tanh>{5, 4}, Dense<Dynamic, Dynamic>{4, 2}}};
  check_keeps_frozen(any, SGD{.learning_rate = 0.1});
  check_keeps_frozen(any, Mine{});
}

TEST_CASE("threads step around frozen parameters with the same bits") {
  AnyNetwork<float> net{Seed{1},
                        SquaredError{},
                        {Dense<Dynamic, Dynamic, Tanh>{90, 300}, Dense<Dynamic, Dynamic, Tanh>{300, 300}, Dense<Dynamic, Dynamic>{300, 2}}};
  net.freeze(0);
  net.freeze("1.bias");
  ThreadTeam team(3);
  for (const double momentum : {0.0, 0.9}) {
    const SGD rule{.learning_rate = 0.01, .momentum = momentum};
    CHECK(after_steps(net, rule, 2, &team) == after_steps(net, rule, 2));
  }
}

TEST_CASE("backward sets dJ/dtheta to 0 where the network is frozen, and dJ/dx stays") {
  Net net{Seed{1}};
  const Matrix<float> x = wave(3, 7, 1), y = wave(2, 7, 2);
  auto work = net.make_workspace(7);
  auto dJ = net.make_gradients(), all = net.make_gradients();
  Matrix<float> dJ_dx(3, 7), all_dx(3, 7);
  net.forward(x, work);
  net.backward(x, y, work, all, all_dx);
  net.freeze<0>();
  net.freeze("2.weight");
  CHECK_THROWS_AS(net.backward(x, y, work, dJ), StateError);  // a frozen BatchNorm would have made another forward pass
  net.forward(x, work);
  dJ.flat().setConstant(7);
  net.backward(x, y, work, dJ);
  const auto check = [&] {
    for (Index i = 0; i < dJ.size(); ++i) CHECK(dJ.flat()[i] == (net.frozen()->contains(i, i + 1) ? 0 : all.flat()[i]));
  };
  check();
  dJ.flat().setConstant(7);
  net.backward(x, y, work, dJ, dJ_dx);
  check();
  CHECK(dJ_dx == all_dx);
  CHECK(gradient_flow(net, x, y).layers[0].frozen);
  CHECK(gradient_flow(net, x, y).warnings.empty());
}

TEST_CASE("a state made before a network is frozen is refused until it follows the network") {
  Net net{Seed{1}};
  const Matrix<float> x = wave(3, 7, 1), y = wave(2, 7, 2);
  const Adam rule{.weight_decay = 0.1};
  auto work = net.make_workspace(7);
  auto dJ = net.make_gradients();
  auto state = rule.make_state(net);
  OptimizerState<float> on_heap = state;
  net.freeze("0");
  net.forward(x, work);
  net.backward(x, y, work, dJ);
  const Vector<float> before = net.parameters();
  CHECK_THROWS_SAYING(rule.step(net.parameters(), dJ, state), StateError, "state.follow(net)");
  CHECK((net.parameters() == before && state.steps == 0));
  state.follow(net);
  on_heap.follow(net);
  const L2 l2{1};
  const double penalty = l2.value(net.parameters(), state.segments());
  CHECK(std::abs(penalty -
                 0.5 * (before.segment(20, 20).cast<double>().squaredNorm() + before.segment(44, 8).cast<double>().squaredNorm())) < 1e-5);
  l2.add_gradient(net.parameters(), dJ, state.segments());
  CHECK(dJ.flat().head(20).isZero(0));
  rule.step(net.parameters(), dJ.flat(), state);  // a plain vector as gradient: the state knows what is frozen
  CHECK(net.parameters().head(20) == before.head(20));
  CHECK(net.parameters().tail(34) != before.tail(34));

  // descend with gradients that were filled before the network was frozen
  for (const double momentum : {0.0, 0.9}) {
    const SGD sgd{.learning_rate = 0.1, .momentum = momentum};
    net.unfreeze();
    auto plain = sgd.make_state(net);
    net.forward(x, work);
    net.backward(x, y, work, dJ);
    net.freeze("0");
    net.forward(x, work);
    const Vector<float> here = net.parameters(), gradient = dJ.flat();
    CHECK_THROWS_SAYING(descend(net, x, y, work, dJ, sgd, plain), StateError, "SGD: ", "state.follow(net)");
    CHECK((net.parameters() == here && dJ.flat() == gradient && plain.steps == 0));
    plain.follow(net);
    descend(net, x, y, work, dJ, sgd, plain);
    CHECK(net.parameters().head(20) == here.head(20));
    CHECK(net.parameters().tail(34) != here.tail(34));
  }
  CHECK_THROWS_AS(state.follow(Network<float, SquaredError, Dense<3, 5>>{Seed{1}}), ShapeError);
}

TEST_CASE("a frozen BatchNorm keeps its running statistics and normalises with them in training") {
  const Matrix<double> x = wave<double>(3, 7, 1), y = wave<double>(2, 7, 2), one = x.leftCols(1);
  const auto check = [&](auto net, std::string_view layer) {
    auto work = net.make_workspace(7);
    net.forward(x, work);
    net.update_statistics(work);
    net.parameters() += wave<double>(net.parameters().size(), 1, 3) / 10;
    net.freeze(layer);
    const Vector<double> statistics = net.buffers();
    const Matrix<double> trained = net.forward(x, work);
    net.update_statistics(work);
    CHECK(net.buffers() == statistics);
    CHECK(trained == net.predict_raw(x));
    if constexpr (requires { net.template layer<0>().weight; }) CHECK(check_gradient(net, x, y).passed);  // not for an AnyNetwork
    net.unfreeze();
    CHECK(net.forward(x, work) != trained);
    net.update_statistics(work);
    CHECK(net.buffers() != statistics);
    return trained;
  };
  const Network<double, SquaredError, Dense<3, 4, Tanh>, BatchNorm<>, Dense<4, 2>> chain{Seed{1}};
  const AnyNetwork<double> any{
      Seed{1}, SquaredError{}, {Dense<Dynamic, Dynamic, Tanh>{3, 4}, BatchNorm<Dynamic>{4}, Dense<Dynamic, Dynamic>{4, 2}}};
  CHECK(check(chain, "1") == check(any, "1"));
  const Network<double, SquaredError, Dense<3, 4, Tanh>, Residual<Dense<4, 4, Tanh>, BatchNorm<>>, Dense<4, 2>> inside{Seed{1}};
  check(inside, "1.1");
  check(inside, "1");

  auto net = chain;
  net.freeze<1>();
  auto work = net.make_workspace(7);
  CHECK_THROWS_SAYING(net.forward(x, work), StateError, "BatchNorm has no running statistics");
  net.unfreeze<1>();
  net.forward(x, work);
  net.update_statistics(work);
  CHECK(net.fewest_training_samples() == 2);
  net.freeze<1>();
  CHECK(net.fewest_training_samples() == 1);
  CHECK_NOTHROW(net.forward(one, work));
}

TEST_CASE("backward_clipped clips the gradients by the parameters that learn") {
  Net net{Seed{1}};
  const Matrix<float> x = wave(3, 7, 1), y = wave(2, 7, 2);
  auto work = net.make_derivative_workspace(7, 1);
  auto dJ = net.make_gradients();
  Matrix<float> each(54, 7);
  net.freeze<0>();
  net.forward(x, work);
  net.sample_gradients(x, y, work, each);
  each.topRows(20).setZero();
  const float limit = each.col(3).norm();
  Vector<float> expected = Vector<float>::Zero(54);
  for (Index j = 0; j < 7; ++j) expected += each.col(j) * std::min(1.0f, limit / each.col(j).norm()) / 7.0f;
  net.backward_clipped(x, y, work, dJ, limit);
  CHECK((dJ.flat() - expected).norm() < 1e-5f * expected.norm());
  net.freeze("1.bias");
  net.forward(x, work);
  CHECK_THROWS_SAYING(net.backward_clipped(x, y, work, dJ, limit), StateError, "a part of layer 1 is frozen");
}
