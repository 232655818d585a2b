#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/normalize.hpp>

#include "support/layer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

/// The smallest type that Normalize accepts as a scaler.
struct Scaler {
  Eigen::VectorXd of_shift;
  Eigen::VectorXd of_scale;
  const Eigen::VectorXd& shift() const { return of_shift; }
  const Eigen::VectorXd& scale() const { return of_scale; }
};

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("Normalize satisfies the layer contract") {
  const auto prepare = [](auto& net) {
    net.template buffers<0>().set(Scaler{Eigen::VectorXd::LinSpaced(5, -1, 1), Eigen::VectorXd::LinSpaced(5, 0.5, 2)});
  };
  check_layer(Normalize<5>{}, Normalize<Dynamic>{5}, {}, prepare);
}

TEST_CASE("Normalize by hand: a = (x - shift) * scale and dJ/dx = dJ/da * scale, in training and prediction") {
  const std::vector<double> buffers{1, 20, 2, 0.5};  // shift, scale
  const Matrix<double> x{{1, 2, 3}, {10, 20, 30}};
  const Matrix<double> dJ_da{{1, 2, 3}, {4, 5, 6}};
  const auto training = by_hand(Normalize<2>{}, {}, x, dJ_da, {.mode = Mode::train, .buffers = buffers.data()});
  CHECK(close(training.a, {{0, 2, 4}, {-5, 0, 5}}));
  CHECK(close(training.dJ_dx, {{2, 4, 6}, {2, 2.5, 3}}));
  const auto predicting = by_hand(Normalize<2>{}, {}, x, dJ_da, {.mode = Mode::predict, .buffers = buffers.data()});
  CHECK(close(predicting.a, {{0, 2, 4}, {-5, 0, 5}}));
}

TEST_CASE("Normalize takes shift and scale from a scaler, shows them as named views, and copies them with the network") {
  Network<float, SquaredError, Normalize<2>, Dense<2, 1>> net{Seed{1}};
  net.buffers<0>().set(Scaler{Eigen::Vector2d(1, 20), Eigen::Vector2d(2, 0.5)});
  CHECK(net.buffers() == Eigen::Vector4f(1, 20, 2, 0.5f));
  CHECK(net.buffers<0>().scale[1] == 0.5f);
  net.layer<1>().weight << 1, 10;
  net.layer<1>().bias << 100;
  CHECK(net.predict(Eigen::Vector2f(3, 30))[0] == 4 + 50 + 100);
  const auto copy = net;
  net.buffers().setOnes();
  CHECK(copy.predict(Eigen::Vector2f(3, 30))[0] == 154);
  CHECK(copy.rebind<double>().predict(Eigen::Vector2d(3, 30))[0] == 154);
}

TEST_CASE("Normalize without shift and scale makes every pass throw and say how to set them") {
  Network<float, SquaredError, Normalize<2>, Dense<2, 1>> net{Seed{1}};
  const Matrix<float> x{{1}, {2}};
  const Matrix<float> y{{1}};
  auto work = net.make_workspace(1);
  CHECK_THROWS_SAYING(net.forward(x, work), StateError, "Normalize has no shift and scale yet", "net.buffers<0>().set(");
  CHECK_THROWS_SAYING(net.predict(x), StateError, "Normalize has no shift and scale yet");
  CHECK_THROWS_SAYING(net.predict(x, work), StateError, "Normalize has no shift and scale yet");
  CHECK_THROWS_SAYING(net.evaluate(x, y, work), StateError, "Normalize has no shift and scale yet");
  CHECK(work.step() == 0);
}

TEST_CASE("Normalize rejects a scaler of another size or with unusable numbers, and keeps its buffers unchanged") {
  Network<float, SquaredError, Normalize<2>> net{Seed{1}};
  const auto set = [&](const Eigen::VectorXd& shift, const Eigen::VectorXd& scale) { net.buffers<0>().set(Scaler{shift, scale}); };
  const Eigen::Vector2d ones(1, 1);
  CHECK_THROWS_SAYING(set(Eigen::Vector3d(1, 2, 3), Eigen::Vector3d(1, 2, 3)), ShapeError,
                      "Normalize: the layer has 2 units, but the scaler was fitted to 3 features");
  CHECK_THROWS_SAYING(set(ones, Eigen::Vector2d(1, 0)), ValueError, "Normalize: feature 1 has shift 1 and scale 0", "the scale not 0");
  CHECK_THROWS_SAYING(set(ones, Eigen::Vector2d(not_a_number, 1)), ValueError, "feature 0 has shift 1 and scale nan");
  CHECK_THROWS_SAYING(set(Eigen::Vector2d(1, -infinity), ones), ValueError, "feature 1 has shift -inf and scale 1");
  CHECK_THROWS_SAYING(set(Eigen::Vector2d(not_a_number, 1), ones), ValueError, "feature 0 has shift nan");
  // numbers that underflow or overflow in float
  CHECK_THROWS_SAYING(set(ones, Eigen::Vector2d(1, 1e-50)), ValueError, "feature 1 has shift 1 and scale 1e-50");
  CHECK_THROWS_SAYING(set(Eigen::Vector2d(1e300, 1), ones), ValueError, "feature 0 has shift 1e+300");
  CHECK(net.buffers().isZero(0));
  CHECK_THROWS_SAYING((Normalize<Dynamic>{0}), ShapeError, "Normalize: the number of units must be at least 1, got 0");
}

TEST_CASE("Normalize infers its extent from the layer before") {
  const Network<float, SquaredError, Dense<2, 3>, Normalize<>> net{Seed{1}};
  CHECK(net.outputs() == 3);
  CHECK(net.buffers().size() == 6);
}

TEST_CASE("Normalize as the last layer undoes a scaler, also one of a constant target") {
  Network<float, SquaredError, Dense<1, 2>, Normalize<>> net{Seed{1}};
  net.layer<0>().weight << 1, 1;
  net.layer<0>().bias.setZero();
  net.buffers<1>().set_inverse(Scaler{Eigen::Vector2d(5000, 7), Eigen::Vector2d(0.01, 1)});
  CHECK(net.predict(Vector<float>::Constant(1, 1.5f).eval()) == Eigen::Vector2f(5150, 8.5f));
  const Eigen::Vector4f before = net.buffers();
  CHECK_THROWS_SAYING(net.buffers<1>().set_inverse(Scaler{Eigen::Vector2d(1, 1), Eigen::Vector2d(1, 0)}), ValueError,
                      "feature 1 has shift");
  CHECK_THROWS_SAYING(net.buffers<1>().set_inverse(Scaler{Eigen::Vector2d(1, 1), Eigen::Vector2d(1, 1e50)}), ValueError,
                      "feature 1 has shift");
  CHECK(net.buffers() == before);
}
