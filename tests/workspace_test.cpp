#include <chainrule/activations/relu.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/workspace.hpp>
#include <functional>
#include <thread>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// The identity, which calls a function of the test in the next pass.
struct Interrupted {
  static constexpr std::string_view name = "Interrupted";
  static inline std::function<void()> meanwhile;  // called once
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    interrupt();
    return z;
  }
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    interrupt();
    return Chunk::Ones(a.size());
  }
  static void interrupt() {
    if (const auto once = std::exchange(meanwhile, nullptr)) once();
  }
  HeNormal default_initializer() const { return {}; }
};

}  // namespace

TEST_CASE("a workspace reports its capacity in samples and the number of samples of the last forward pass") {
  const Network<float, SquaredError, Dense<2, 3, ReLU>, Dense<3, 1>> net{Seed{1}};
  auto work = net.make_workspace(5);
  CHECK(work.max_batch() == 5);
  CHECK(work.cached_samples() == 0);
  net.forward(Matrix<float>::Ones(2, 4).eval(), work);
  CHECK(work.cached_samples() == 4);
  net.predict(Eigen::Vector2f(1, 2), work);  // predict overwrites the cached forward pass
  CHECK(work.cached_samples() == 0);
}

TEST_CASE("a workspace gives access to every activation of the last forward pass") {
  Network<float, SquaredError, Dense<1, 2, ReLU>, Dense<2, 1>> net{Seed{1}};
  net.parameters() << 2, -2, 1, 0, 10, 20, 0.5f;  // W(1) = (2, -2), b(1) = (1, 0), W(2) = (10 20), b(2) = 0.5
  auto work = net.make_workspace(1);
  const Eigen::Matrix<float, 1, 1> x{3.0f};
  net.forward(x, work);
  CHECK(work.activation<0>() == Eigen::Vector2f(7, 0));
  CHECK(work.activation<1>()(0, 0) == 70.5f);
  CHECK(work.activation(0) == Eigen::Vector2f(7, 0));
  CHECK(work.activation(1)(0, 0) == 70.5f);
  CHECK_THROWS_SAYING(work.activation(2), ValueError, "activation(2): the network has 2 layers, counted from 0");
  CHECK_THROWS_SAYING(work.activation(-1), ValueError, "activation(-1)");
  CHECK(work.cache<1>().output.first(1)(0, 0) == 70.5f);
}

TEST_CASE("an activation whose columns are spaced in memory is the same matrix by any name, and equals the prediction") {
  const Network<float, SquaredError, Dense<3, 128, ReLU>, Dense<128, 256>> net{Seed{1}};
  auto work = net.make_workspace(5);
  const Matrix<float> x = Matrix<float>::Random(3, 5);
  net.forward(x, work);
  const Matrix<float> a = work.activation<0>(), y = work.activation<1>();
  CHECK(work.activation(0) == a);
  CHECK(work.activation(1) == y);
  const auto w = net.layer<0>();
  CHECK((a - ((w.weight * x).colwise() + w.bias).cwiseMax(0)).cwiseAbs().maxCoeff() < 1e-5f);
  CHECK(net.predict(x, work) == y);
}

TEST_CASE("an activation that is not in the workspace is a StateError: before forward, and after predict and evaluate") {
  const Network<float, SquaredError, Dense<1, 2, ReLU>, Dense<2, 1>> net{Seed{1}};
  auto work = net.make_workspace(1);
  const Eigen::Matrix<float, 1, 1> x{3.0f};
  CHECK_THROWS_SAYING(work.activation<1>(), StateError, "activation: the workspace holds no forward pass; call forward(x, work) first");
  CHECK_THROWS_SAYING(work.activation(1), StateError, "activation: the workspace holds no forward pass");
  net.forward(x, work);
  CHECK(work.activation<1>().cols() == 1);
  net.predict(x, work);
  CHECK_THROWS_SAYING(work.activation<1>(), StateError, "holds no forward pass");
  net.forward(x, work);
  net.evaluate(x, x, work);
  CHECK_THROWS_SAYING(work.activation<0>(), StateError, "holds no forward pass");
}

TEST_CASE("a pass during which another one begins in the same workspace throws StateError") {
  const Network<float, SquaredError, Dense<1, 1, Interrupted>> net{Seed{1}};
  const Eigen::Matrix<float, 1, 1> x{3.0f};
  auto work = net.make_workspace(1);
  auto dJ = net.make_gradients();
  const auto during = [&](const std::function<void()>& pass) {
    net.forward(x, work);
    Interrupted::meanwhile = [&] { std::thread([&] { net.predict(x, work); }).join(); };
    CHECK_THROWS_SAYING(pass(), StateError, "another pass used this workspace at the same time", "make a workspace for each thread");
  };
  during([&] { net.forward(x, work); });
  during([&] { net.predict(x, work); });
  during([&] { net.predict_raw(x, work); });
  during([&] { net.evaluate(x, x, work); });
  during([&] { net.backward(x, x, work, dJ); });
  CHECK(net.predict(x, work) == net.predict(x));
}

TEST_CASE("the pass that a second one has interrupted makes the second one throw too, if it still runs") {
  detail::LastPass passes;
  const detail::LastPass::Mark first{}, second{};
  passes.begin(first);
  passes.begin(second);
  CHECK_THROWS_AS(passes.end("forward", first), StateError);
  CHECK_THROWS_AS(passes.end("forward", second), StateError);
}

TEST_CASE("a workspace holds no forward pass after one in which an activation threw") {
  const Network<float, SquaredError, Dense<1, 1, Interrupted>> net{Seed{1}};
  const Eigen::Matrix<float, 1, 1> x{3.0f}, other{4.0f};
  auto work = net.make_workspace(1);
  net.forward(x, work);
  Interrupted::meanwhile = [] { throw std::runtime_error("mine"); };
  CHECK_THROWS_SAYING(net.forward(other, work), std::runtime_error, "mine");
  CHECK_THROWS_SAYING(net.loss(x, work), StateError, "holds no forward pass");
  CHECK(work.step() == 1);
}

TEST_CASE("passes on a workspace that was moved from throw StateError, and the new one works") {
  const auto check = [](auto& net, auto work) {
    const Eigen::Matrix<float, 1, 1> x{3.0f};
    auto dJ = net.make_gradients();
    net.forward(x, work);
    auto moved = std::move(work);
    constexpr const char* words = "this workspace was moved to another object and holds nothing";
    CHECK_THROWS_SAYING(net.forward(x, work), StateError, "forward: ", words);
    CHECK_THROWS_SAYING(net.predict(x, work), StateError, "predict: ", words);
    CHECK_THROWS_SAYING(net.predict_raw(x, work), StateError, "predict_raw: ", words);
    CHECK_THROWS_SAYING(net.evaluate(x, x, work), StateError, "evaluate: ", words);
    CHECK_THROWS_SAYING(net.loss(x, work), StateError, "loss: ", words);
    CHECK_THROWS_SAYING(net.backward(x, x, work, dJ), StateError, "backward: ", words);
    CHECK_THROWS_SAYING(net.update_statistics(work), StateError, "update_statistics: ", words);
    CHECK_THROWS_SAYING(work.template activation<0>(), StateError, "activation: ", words);
    CHECK_THROWS_SAYING(work.activation(0), StateError, "activation: ", words);
    CHECK_THROWS_SAYING(work.template cache<0>(), StateError, "cache: ", words);
    CHECK(work.max_batch() == 0);
    CHECK(work.cached_samples() == 0);
    const auto copy = work;
    CHECK(copy.max_batch() == 0);
    net.backward(x, x, moved, dJ);
    work = std::move(moved);
    net.backward(x, x, work, dJ);
    CHECK(dJ.flat().allFinite());
  };
  Network<float, SquaredError, Dense<1, 2, ReLU>, Dense<2, 1>> fixed{Seed{1}};
  check(fixed, fixed.make_workspace<1>());
  check(fixed, fixed.make_workspace(1));
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<decltype(fixed.make_workspace(1))>);
}

TEST_CASE("make_workspace rejects a batch size below 1 or too large for memory") {
  const Network<float, SquaredError, Dense<2, 1>> net{Seed{1}};
  CHECK_THROWS_SAYING(net.make_workspace(0), ShapeError, "max_batch must be at least 1, got 0");
  CHECK_THROWS_SAYING(net.make_workspace(-3), ShapeError, "got -3");
  const Network<float, SquaredError, Dense<2, 16>> wider{Seed{1}};
  CHECK_THROWS_SAYING(wider.make_workspace((Index{1} << 60) + 1), ShapeError,
                      "x 1152921504606846977 numbers are more than memory can hold");
}

TEST_CASE(
    "a workspace stores an activation and a delta per unit and sample, inside the object only if all extents are fixed and all of it is "
    "small") {
  using Small = Network<float, SquaredError, Dense<2, 30, ReLU>, Dense<30, 2>>;
  using Large = Network<float, SquaredError, Dense<2000, 300, ReLU>, Dense<300, 2>>;
  const std::size_t numbers = 2 * 8 * (30 + 2) * sizeof(float);
  CHECK(sizeof(Small::Workspace<8>) >= numbers);
  CHECK(sizeof(Small::Workspace<8>) <= numbers + 256);
  CHECK(sizeof(Small::Workspace<>) < 512);
  CHECK(sizeof(Large) < 512);
  using Deep = Network<float, SquaredError, Dense<4, 60, ReLU>, Dense<60, 60, ReLU>, Dense<60, 60, ReLU>, Dense<60, 1>>;
  CHECK(sizeof(Deep::Workspace<100>) < 1024);  // 4 caches and 4 deltas, each of 24 KB at most: together too much for a stack
  CHECK(sizeof(Deep::Workspace<8>) > 1024);
  STATIC_REQUIRE(sizeof(Deep::Workspace<16>) < 32 * 1024 + 512);
}
