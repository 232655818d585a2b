#include <chainrule/activations/leaky_relu.hpp>
#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/dense.hpp>

#include "support/layer_contract.hpp"
#include "support/square.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("Activate satisfies the layer contract") { check_layer(Activate<Tanh, 5>{}, Activate<Tanh, Dynamic>{5}); }

TEST_CASE("Activate by hand: a = f(z) and dJ/dz = dJ/da * f'(z)") {
  const Matrix<float> z{{-1, 2, 0}, {0.5f, -3, 4}};
  const Matrix<float> dJ_da{{1, 2, 3}, {4, 5, 6}};
  const auto relu = by_hand(Activate<ReLU, 2>{}, {}, z, dJ_da);
  CHECK(close(relu.a, {{0, 2, 0}, {0.5f, 0, 4}}));
  CHECK(close(relu.dJ_dx, {{0, 2, 0}, {4, 0, 6}}));
  const auto leaky = by_hand(Activate<LeakyReLU, 2>{LeakyReLU{0.25}}, {}, z, dJ_da);
  CHECK(close(leaky.a, {{-0.25f, 2, 0}, {0.5f, -0.75f, 4}}));
  CHECK(close(leaky.dJ_dx, {{0.25f, 2, 0.75f}, {4, 1.25f, 6}}));
}

TEST_CASE("Activate passes its input z to an activation whose derivative needs z") {
  const auto square = by_hand(Activate<Square, 2>{}, {}, Matrix<double>{{-1, 2}, {3, -4}}, Matrix<double>{{1, 1}, {1, 10}});
  CHECK(close(square.a, {{1, 4}, {9, 16}}));
  CHECK(close(square.dJ_dx, {{-2, 4}, {6, -80}}));
}

TEST_CASE("Dense<4, 3>, Activate<Tanh> is bit-identical to Dense<4, 3, Tanh>") {
  Random random{Seed{1}};
  const auto x = random_matrix<float>(4, 6, random);
  const auto y = random_matrix<float>(3, 6, random);
  const auto gradient = [&](const auto& net) {
    auto work = net.make_workspace(6);
    auto dJ = net.make_gradients();
    net.forward(x, work);
    net.backward(x, y, work, dJ);
    return Vector<float>(dJ.flat());
  };
  const Network<float, SquaredError, Dense<4, 3>, Activate<Tanh>> apart{Seed{1}};
  const Network<float, SquaredError, Dense<4, 3, Tanh>> together{Seed{1}};
  const bool same = gradient(apart) == gradient(together);
  CHECK(same);
  const bool same_prediction = apart.predict(x) == together.predict(x);
  CHECK(same_prediction);
}

TEST_CASE("Activate infers its extent from the layer before and keeps its activation's hyperparameters") {
  const auto net = make_network<float, SquaredError>(Seed{1}, Dense<2, 3>{}, Activate<LeakyReLU>{LeakyReLU{0.5}});
  const auto& layer = std::get<1>(net.layers());
  STATIC_REQUIRE(std::is_same_v<std::remove_cvref_t<decltype(layer)>, Activate<LeakyReLU, 3>>);
  CHECK(layer.activation().slope() == 0.5);
  CHECK(layer.activation_name() == "LeakyReLU");
  CHECK(net.parameters().size() == 9);
}

TEST_CASE("Activate rejects invalid extents") {
  CHECK_THROWS_SAYING((Activate<ReLU, Dynamic>{0}), ShapeError, "Activate: the number of units must be at least 1, got 0");
  CHECK_THROWS_SAYING((Activate<ReLU, 3>{4}), ShapeError, "Activate: its type says 3 units, but it got 4");
}
