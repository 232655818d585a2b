#include <chainrule/activations/relu.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/workspace.hpp>

#include "support/catch.hpp"

using namespace chainrule;

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
  CHECK(work.cache<1>().output.first(1)(0, 0) == 70.5f);
  net.predict(x, work);
  CHECK(work.activation<0>().cols() == 0);
}

TEST_CASE("make_workspace rejects a batch size below 1 or too large for memory") {
  const Network<float, SquaredError, Dense<2, 1>> net{Seed{1}};
  CHECK_THROWS_SAYING(net.make_workspace(0), ShapeError, "max_batch must be at least 1, got 0");
  CHECK_THROWS_SAYING(net.make_workspace(-3), ShapeError, "got -3");
  const Network<float, SquaredError, Dense<2, 16>> wider{Seed{1}};
  CHECK_THROWS_SAYING(wider.make_workspace((Index{1} << 60) + 1), ShapeError,
                      "x 1152921504606846977 numbers are more than memory can hold");
}

TEST_CASE("a workspace stores an activation and a delta per unit and sample, inside the object only if all extents are fixed and small") {
  using Small = Network<float, SquaredError, Dense<2, 30, ReLU>, Dense<30, 2>>;
  using Large = Network<float, SquaredError, Dense<2000, 300, ReLU>, Dense<300, 2>>;
  const std::size_t numbers = 2 * 8 * (30 + 2) * sizeof(float);
  CHECK(sizeof(Small::Workspace<8>) >= numbers);
  CHECK(sizeof(Small::Workspace<8>) < numbers + 256);
  CHECK(sizeof(Small::Workspace<>) < 512);
  CHECK(sizeof(Large) < 512);
}
