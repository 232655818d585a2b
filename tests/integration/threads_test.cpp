// Training and predicting give the same bits with any number of threads, for shapes that are shared out and for those that are not.
#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/kernels/thread_team.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/network.hpp>
#include <memory>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;

namespace {

using Wide = Dense<Dynamic, Dynamic, Tanh>;
using Net = Network<float, MeanSquaredError, Wide, Dropout<>, Residual<Wide>, Dense<Dynamic, Dynamic>, BatchNorm<>, Activate<ReLU>,
                    Dense<Dynamic, Dynamic>>;

Net make_net(Index width) {
  return make_network<float, MeanSquaredError>(Seed{1}, Wide{width, width}, Dropout<>{0.2}, Residual<Wide>{Wide{width, width}},
                                               Dense<Dynamic, Dynamic>{width, width}, BatchNorm<>{}, Activate<ReLU>{},
                                               Dense<Dynamic, Dynamic>{width, 3});
}

/// Two steps of gradient descent and a prediction: outputs, gradients of theta and x, parameters, running statistics, predictions.
std::vector<Eigen::MatrixXf> train(Index width, Index batch, Team* team) {
  Net net = make_net(width);
  Random random{Seed{2}};
  const auto x = chainrule_test::random_matrix<float>(width, batch, random);
  const auto y = chainrule_test::random_matrix<float>(3, batch, random);
  auto work = net.make_workspace(batch);
  work.set_team(team);
  auto dJ = net.make_gradients();
  Matrix<float> dJ_dx(width, batch);
  std::vector<Eigen::MatrixXf> results;
  for (int step = 0; step < 2; ++step) {
    results.emplace_back(net.forward(x, work));
    net.backward(x, y, work, dJ, dJ_dx);
    net.parameters() -= 0.1f * dJ.flat();
    net.update_statistics(work);
    results.emplace_back(dJ.flat());
  }
  results.emplace_back(dJ_dx);
  results.emplace_back(net.parameters());
  results.emplace_back(net.buffers());
  results.emplace_back(net.predict(x, work));
  return results;
}

/// On as many threads as it has items, and the last item first: nothing may depend on who does what, or when.
class Reversed : public Team {
 public:
  Index threads() const override { return 4; }
  void run(Index items, Work work) override {
    for (Index i = items; i-- > 0;) work(i);
    shared_out = shared_out || items > 1;
  }
  bool shared_out = false;
};

}  // namespace

TEST_CASE("training and predicting give the same bits with any team and with none") {
  std::vector<std::unique_ptr<ThreadTeam>> teams;
  for (const Index threads : {1, 2, 3, 5}) teams.push_back(std::make_unique<ThreadTeam>(threads, threads));
  Reversed reversed;
  for (const Index width : {1, 7, 64, 300})
    for (const Index batch : {2, 5, 64, 257}) {
      CAPTURE(width, batch);
      const auto expected = train(width, batch, nullptr);
      CHECK(expected.front().allFinite());
      for (const auto& team : teams) {
        CAPTURE(team->threads());
        CHECK(train(width, batch, team.get()) == expected);
      }
      CHECK(train(width, batch, &reversed) == expected);
    }
}

TEST_CASE("a single sample is predicted with the same bits with any team and with none") {
  ThreadTeam team{3, 3};
  for (const Index width : {1, 7, 64, 300}) {
    CAPTURE(width);
    Net net = make_net(width);
    Random random{Seed{2}};
    const auto many = chainrule_test::random_matrix<float>(width, 10, random);
    auto work = net.make_workspace(10);
    net.forward(many, work);
    net.update_statistics(work);
    const Matrix<float> x = many.col(3);
    const Matrix<float> expected = net.predict(x, work);
    work.set_team(&team);
    const bool same_bits = net.predict(x, work) == expected;
    CHECK(same_bits);
  }
}
