#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/layers/embedding.hpp>
#include <chainrule/layers/parallel.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/layers/sequential.hpp>
#include <chainrule/optimizers/descend.hpp>
#include <chainrule/threads/thread_team.hpp>

#include "support/layer_contract.hpp"

using namespace chainrule;
using chainrule_test::by_hand;
using chainrule_test::close;

namespace {

using Any = Dense<Dynamic, Dynamic>;
using Branches = std::vector<AnyLayer<double>>;

/// x beside a chain with Dropout, beside two branches that are added: 3 -> 3 + 4 + 2.
using Fixed = Parallel<Activate<Identity>, Sequential<Dense<3, 4, Tanh>, Dropout<>>, ParallelSum<Dense<3, 2, Tanh>, Dense<3, 2>>>;
using AtRunTime = Parallel<Activate<Identity>, Sequential<Dense<Dynamic, Dynamic, Tanh>, Dropout<>>,
                           ParallelSum<Dense<Dynamic, Dynamic, Tanh>, Dense<Dynamic, Dynamic>>>;
AtRunTime at_run_time() {
  return AtRunTime{Activate<Identity>{}, Sequential{Dense<Dynamic, Dynamic, Tanh>{3, 4}, Dropout<>{}},
                   ParallelSum{Dense<Dynamic, Dynamic, Tanh>{3, 2}, Any{3, 2}}};
}

/// A Dense that counts its backward passes.
struct Counted : Dense<Dynamic, Dynamic, Tanh> {
  static inline int calls = 0;
  Counted() : Dense<Dynamic, Dynamic, Tanh>(3, 3) {}
  template <class Theta, class X, class CacheType, class Delta, class Gradient, class InputGradient>
  void backward(const Theta* theta, const X& x, CacheType& cache, const Delta& delta, Gradient* gradient, InputGradient* dX) const {
    ++calls;
    Dense<Dynamic, Dynamic, Tanh>::backward(theta, x, cache, delta, gradient, dX);
  }
};

/// The outputs, dJ/dtheta, dJ/dx, parameters and buffers of two steps, and then a prediction.
template <class N, class Scalar>
std::vector<Matrix<Scalar>> two_steps(N net, const Matrix<Scalar>& x, const Matrix<Scalar>& y, Team* team = nullptr) {
  auto work = net.make_workspace(x.cols());
  auto dJ = net.make_gradients();
  work.set_team(team);
  const SGD sgd{.learning_rate = 0.1};
  auto state = sgd.make_state(net);
  Matrix<Scalar> dJ_dx = x;
  std::vector<Matrix<Scalar>> all;
  for (int i = 0; i < 2; ++i) {
    all.emplace_back(net.forward(x, work));
    net.backward(x, y, work, dJ, dJ_dx);
    net.update_statistics(work);
    sgd.step(net.parameters(), dJ, state);
    all.emplace_back(dJ.flat());
    all.emplace_back(dJ_dx);
    all.emplace_back(net.parameters());
    all.emplace_back(net.buffers());
  }
  all.emplace_back(net.predict(x, work));
  return all;
}

}  // namespace

TEST_CASE("Parallel of a ParallelSum, a Sequential with Dropout and x itself satisfies the contract of a layer") {
  static_assert(Fixed::inputs_at_compile_time == 3 && Fixed::outputs_at_compile_time == 9 && Fixed::parameters_at_compile_time == 32);
  chainrule_test::check(testing::check_layer<double>(Fixed{}, at_run_time()));
}

TEST_CASE("ParallelSum with BatchNorm inside satisfies the contract of a layer") {
  using Layer = ParallelSum<BatchNorm<Dynamic>, Sequential<Any, BatchNorm<>>>;
  chainrule_test::check(
      testing::check_layer<double>(Layer{BatchNorm<Dynamic>{3}, Sequential{Any{3, 3}, BatchNorm<>{}}}, {.samples_independent = false}));
}

TEST_CASE("Parallel and ParallelSum by hand: outputs below each other or added, and every gradient") {
  //     F_0 = ReLU(W x + b), W = (1 2), b = (0.5), x = (3)   F_0 = ReLU(11.5) = (11.5)   F_1 = (2 x_1 - x_2 + 1) = (  3)
  //                              (3 -4)     (-1 )      (4)         ReLU(-8)     (  0 )         (-x_1          )   ( -3)
  const std::vector<double> theta{1, 3, 2, -4, 0.5, -1, 2, -1, -1, 0, 1, 0};
  const Matrix<double> x{{3}, {4}};
  const auto joined = by_hand(Parallel<Dense<2, 2, ReLU>, Dense<2, 2>>{}, theta, x, Matrix<double>{{10}, {100}, {7}, {8}});
  CHECK(close(joined.a, {{11.5}, {0}, {3}, {-3}}));
  // delta_0 = (10, 0), delta_1 = (7, 8): dJ/dx = W_0^T delta_0 + W_1^T delta_1 = (10, 20) + (14 - 8, -7)
  CHECK(close<double>(joined.gradient, {{30}, {0}, {40}, {0}, {10}, {0}, {21}, {24}, {28}, {32}, {7}, {8}}));
  CHECK(close(joined.dJ_dx, {{16}, {13}}));

  const auto added = by_hand(ParallelSum<Dense<2, 2, ReLU>, Dense<2, 2>>{}, theta, x, Matrix<double>{{7}, {8}});
  CHECK(close(added.a, {{14.5}, {-3}}));
  // delta_0 = (7, 0), delta_1 = (7, 8): dJ/dx = (7, 14) + (14 - 8, -7)
  CHECK(close<double>(added.gradient, {{21}, {0}, {28}, {0}, {7}, {0}, {21}, {24}, {28}, {32}, {7}, {8}}));
  CHECK(close(added.dJ_dx, {{13}, {7}}));
}

TEST_CASE("branches as types and as values in a network give the same bits, and their tensors have names") {
  Network<double, SquaredError, Fixed, Dense<9, 2>> fixed{Seed{1}};
  const AnyLayer<double> sum = ParallelSum<Branches>{Branches{Dense<3, 2, Tanh>{}, Dense<3, 2>{}}};
  const AnyLayer<double> chain = Sequential<AnyLayers<double>>{{Dense<3, 4, Tanh>{}, Dropout<>{}}};
  AnyNetwork<double> any{Seed{1}, SquaredError{}, {Parallel<Branches>{Branches{Activate<Identity>{}, chain, sum}}, Dense<9, 2>{}}};
  Random random{Seed{2}};
  const auto x = chainrule_test::random_matrix<double>(3, 5, random), y = chainrule_test::random_matrix<double>(2, 5, random);
  CHECK(two_steps(fixed, x, y) == two_steps(any, x, y));

  std::string names;
  for (const TensorShape& tensor : any.layers()[0].tensors()) names += std::string(tensor.name) + " ";
  CHECK(names == "1.0.weight 1.0.bias 2.0.weight 2.0.bias 2.1.weight 2.1.bias ");
  std::get<0>(std::get<1>(fixed.layer<0>())).weight(3, 2) = 17;
  CHECK(fixed.parameters()[11] == 17);
}

TEST_CASE("branches with BatchNorm and Dropout inside give the same bits with any number of threads, and can be frozen by name") {
  const Index width = 300;
  using Floats = std::vector<AnyLayer<float>>;
  const AnyLayer<float> chain =
      Sequential<AnyLayers<float>>{{Dense<Dynamic, Dynamic, Tanh>{width, width}, BatchNorm<>{}, Dropout<>{0.2}, Any{width, 8}}};
  AnyNetwork<float> net{
      Seed{1}, SquaredError{}, {Parallel<Floats>{Floats{chain, Any{width, width}, BatchNorm<>{}}}, Any{2 * width + 8, 2}}};
  Random random{Seed{2}};
  const auto x = chainrule_test::random_matrix<float>(width, 70, random), y = chainrule_test::random_matrix<float>(2, 70, random);
  ThreadTeam team(3);
  CHECK(two_steps(net, x, y) == two_steps(net, x, y, &team));

  net.freeze("0.0.0");  // the Dense and
  net.freeze("0.0.1");  // the BatchNorm of the chain
  net.freeze("0.1.bias");
  net.buffers().setOnes();
  const Vector<float> before = net.parameters(), buffers = net.buffers();
  const auto after = two_steps(net, x, y);
  const Index dense = width * width + width, frozen = dense + 2 * width, bias = frozen + (width + 1) * 8 + width * width;
  const auto& theta = after[8];
  CHECK(theta.topRows(frozen) == before.head(frozen));
  CHECK(theta.middleRows(bias, width) == before.segment(bias, width));
  CHECK((theta.middleRows(frozen, bias - frozen).array() != before.segment(frozen, bias - frozen).array()).count() > width * width / 2);
  CHECK(after[9].topRows(2 * width + 1) == buffers.head(2 * width + 1));
  CHECK(after[9](2 * (2 * width + 1) - 1, 0) == 3);  // the other BatchNorm has seen two more batches
}

TEST_CASE("frozen layers in branches and between others compute no gradient of their own, and change no bit of the others'") {
  AnyNetwork<double> net{Seed{1},
                         SquaredError{},
                         {Counted{}, Parallel<Branches>{Branches{Sequential<AnyLayers<double>>{{Counted{}, Counted{}}}, Counted{}}},
                          Residual<AnyLayers<double>>{{Dense<6, 3, Tanh>{}, Dense<3, 6>{}}}, Dense<6, 3>{}, Counted{}, Dense<3, 2>{}}};
  Random random{Seed{2}};
  const auto x = chainrule_test::random_matrix<double>(3, 7, random), y = chainrule_test::random_matrix<double>(2, 7, random);
  auto work = net.make_workspace(7);
  auto dJ = net.make_gradients();
  const auto pass = [&](bool wants_input_gradient) {
    Counted::calls = 0;
    dJ.flat().setConstant(1e300);
    Matrix<double> dJ_dx = x;
    net.forward(x, work);
    wants_input_gradient ? net.backward(x, y, work, dJ, dJ_dx) : net.backward(x, y, work, dJ);
    return Matrix<double>(dJ_dx);
  };
  const Matrix<double> dJ_dx = pass(true);
  CHECK(Counted::calls == 5);
  Vector<double> all = dJ.flat();

  for (const char* frozen : {"1.0.0", "2.1", "4"}) net.freeze(frozen);
  for (const auto& range : net.frozen()->ranges()) all.segment(range.begin, range.end - range.begin).setZero();
  CHECK(pass(true) == dJ_dx);
  CHECK(Counted::calls == 3);
  CHECK(dJ.flat() == all);

  net.freeze(0);  // then nobody needs dJ/da of layer 0, and branch 1.0 is only needed for its second layer
  net.freeze("1.1");
  for (const auto& range : net.frozen()->ranges()) all.segment(range.begin, range.end - range.begin).setZero();
  pass(false);
  CHECK(Counted::calls == 1);
  CHECK(dJ.flat() == all);

  AnyNetwork<double> stepped = net, descended = net;
  SGD sgd{.learning_rate = 0.1};
  auto state = sgd.make_state(net), state_of_descend = sgd.make_state(net);
  sgd.step(stepped.parameters(), dJ, state);
  descended.forward(x, work);
  descend(descended, x, y, work, dJ, sgd, state_of_descend);
  CHECK(descended.parameters() == stepped.parameters());
}

TEST_CASE("Parallel checks what fits together only at run time") {
  CHECK_THROWS_SAYING((Parallel{Any{3, 4}, Any{5, 4}}), ShapeError,
                      "Parallel: all branches read the same x, but branch 1 has 5 inputs and the first one 3");
  CHECK_THROWS_SAYING((ParallelSum{Any{3, 4}, Any{3, 5}}), ShapeError,
                      "ParallelSum: the outputs of the branches are added, but branch 1 has 5 outputs and the first one 4");
  CHECK_THROWS_SAYING((Parallel<Branches>{Branches{}}), ShapeError, "Parallel: it needs at least one branch");
  CHECK_THROWS_SAYING((Parallel<Branches>{Branches{BatchNorm<>{}}}), ShapeError, "one of the branches must say its number of inputs");
  CHECK_THROWS_SAYING((Sequential{Any{3, 4}, Any{5, 3}}), ShapeError,
                      "Sequential: layer<1> expects 5 inputs, but layer<0> gives 4 outputs");
}

TEST_CASE("Parallel tells its network which rows of x are categories, and refuses branches that take them for numbers") {
  const Embedding<Dynamic> small{3, {{.row = 1, .categories = 4, .size = 2}}}, large{3, {{.row = 1, .categories = 4, .size = 5}}};
  const AnyNetwork<double> net{Seed{1}, SquaredError{}, {Parallel{small, Sequential{large, Any{7, 2}}}, Any{6, 1}}};
  CHECK_NOTHROW(net.predict(Eigen::Vector3d{0.5, 3, 0.25}));
  CHECK_THROWS_SAYING(net.predict(Eigen::Vector3d{0.5, 4, 0.25}), ValueError, "predict: x(1, 0) is 4",
                      "must have a whole number from 0 to 3");
  CHECK_THROWS_SAYING((Parallel{Any{3, 2}, small}), ShapeError,
                      "Parallel: branch 1 takes other rows of x for categories than the first one",
                      "or put one Embedding before the Parallel");
  CHECK_THROWS_SAYING((ParallelSum{small, Any{3, 4}}), ShapeError, "ParallelSum: branch 1 takes other rows");
}
