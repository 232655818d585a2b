// Training and prediction give the same bits with any number of threads, for shapes whose work is shared and for small ones.
#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/descend.hpp>
#include <chainrule/testing/detail/reversed_team.hpp>
#include <chainrule/threads/thread_team.hpp>
#include <memory>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;

namespace {

using Hidden = Dense<Dynamic, Dynamic, Tanh>;
using Output = Dense<Dynamic, Dynamic>;
using Net = Network<float, MeanSquaredError, Hidden, Dropout<>, Residual<Hidden>, BatchNorm<>, Activate<ReLU>, Output>;

Net make_net(Index width) {
  return make_network<float, MeanSquaredError>(Seed{1}, Hidden{width, width}, Dropout<>{0.2}, Residual<Hidden>{Hidden{width, width}},
                                               BatchNorm<>{}, Activate<ReLU>{}, Output{width, 3});
}

/// A net without BatchNorm, which cannot train on a batch of one sample.
auto make_plain_net(Index width) { return make_network<float, MeanSquaredError>(Seed{1}, Hidden{width, width}, Output{width, 3}); }

struct Data {
  Data(Index width, Index batch) : x(width, batch), y(3, batch) {
    Random random{Seed{2}};
    x = chainrule_test::random_matrix<float>(width, batch, random);
    y = chainrule_test::random_matrix<float>(3, batch, random);
  }
  Matrix<float> x;
  Matrix<float> y;
};

/// Results of two training passes (outputs, dJ/dtheta and dJ/dx of each), of a prediction, and of a step by `descend` (theta).
template <class N>
std::vector<Matrix<float>> passes(const N& net, const Data& data, Team* team) {
  auto work = net.make_workspace(data.x.cols());
  work.set_team(team);
  auto dJ = net.make_gradients();
  Matrix<float> dJ_dx(data.x.rows(), data.x.cols());
  std::vector<Matrix<float>> results;
  for (int step = 0; step < 2; ++step) {
    results.emplace_back(net.forward(data.x, work));
    net.backward(data.x, data.y, work, dJ, dJ_dx);
    results.emplace_back(dJ.flat());
    results.emplace_back(dJ_dx);
  }
  results.emplace_back(net.predict(data.x, work));

  N learning = net;
  const SGD sgd{.learning_rate = 0.1};
  auto state = sgd.make_state(learning);
  learning.forward(data.x, work);
  descend(learning, data.x, data.y, work, dJ, sgd, state);
  results.emplace_back(learning.parameters());
  return results;
}

template <class N>
N with_statistics(N net, const Data& data) {
  auto work = net.make_workspace(data.x.cols());
  net.forward(data.x, work);
  net.update_statistics(work);
  return net;
}

}  // namespace

TEST_CASE("training and predicting give the same bits with any team and with none") {
  std::vector<std::unique_ptr<ThreadTeam>> teams;
  for (const Index threads : {1, 2, 3, 5}) teams.push_back(std::make_unique<ThreadTeam>(threads, threads));
  testing::ReversedTeam reversed(4);
  const auto check = [&](const auto& net, const Data& data) {
    const auto expected = passes(net, data, nullptr);
    CHECK(expected.front().allFinite());
    for (const auto& team : teams) {
      CAPTURE(team->threads());
      CHECK(passes(net, data, team.get()) == expected);
    }
    CHECK(passes(net, data, &reversed) == expected);
  };
  for (const Index width : {1, 7, 64, 300})
    for (const Index batch : {1, 5, 64, 257}) {
      CAPTURE(width, batch);
      const Data data(width, batch);
      if (batch == 1)
        check(make_plain_net(width), data);
      else
        check(with_statistics(make_net(width), data), data);
    }
  CHECK(reversed.was_used());  // otherwise the nets are too small to share any work

  const Data many(7, 40000);  // few units, for which one thread uses a kernel of its own
  check(make_plain_net(7), many);
}

TEST_CASE("threads that share a const network and a team, each with its own workspace, all get the same bits") {
  const Data data(64, 100);
  const Net net = with_statistics(make_net(64), data);
  const auto expected = passes(net, data, nullptr);
  ThreadTeam team{3, 3};
  std::vector<int> equal(3, 0);
  std::vector<std::thread> callers;
  for (int& count : equal)
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 10; ++repeat) count += passes(net, data, &team) == expected ? 1 : 0;
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(equal == std::vector<int>(3, 10));
}

TEST_CASE("Gradients::is_shared tells whether a team shared the pass that filled them") {
  ThreadTeam team{2, 2};
  const auto shared = [&](Index width, Team* with) {
    const Data data(width, 64);
    const auto net = make_plain_net(width);
    auto work = net.make_workspace(64);
    auto dJ = net.make_gradients();
    CHECK_FALSE(dJ.is_shared());
    work.set_team(with);
    net.forward(data.x, work);
    net.backward(data.x, data.y, work, dJ);
    return dJ.is_shared();
  };
  CHECK(shared(500, &team));  // 32 million operations
  CHECK_FALSE(shared(7, &team));
  CHECK_FALSE(shared(500, nullptr));
}
