#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/fake_quantize.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

// The range from -1 to 1.55 has steps of 0.01, and the zero point -28.
template <class Net>
void set_range(Net& net) {
  net.buffers()[0] = -1;
  net.buffers()[1] = 1.55f;
  net.buffers()[2] = 1;
}

}  // namespace

TEST_CASE("FakeQuantize rounds to steps of its range, and its gradient goes straight through inside of it") {
  Network<float, SquaredError, FakeQuantize<2>> net{Seed{1}};
  set_range(net);
  Matrix<float> x(2, 4), y = Matrix<float>::Zero(2, 4);
  x << 0.123f, -0.126f, 1.5549f, 1.5551f,  //
      0, -1.0049f, -1.0051f, 7;
  Matrix<float> rounded(2, 4), inside(2, 4);
  rounded << 0.12f, -0.13f, 1.55f, 1.55f,  //
      0, -1, -1, 1.55f;
  inside << 1, 1, 1, 0,  //
      1, 1, 0, 0;
  CHECK((net.predict(x) - rounded).cwiseAbs().maxCoeff() < 1e-6f);
  CHECK(net.predict(x)(1, 0) == 0);

  auto work = net.make_workspace(4);
  auto dJ = net.make_gradients();
  Matrix<float> dJ_dx(2, 4), alone(2, 4);
  CHECK(net.forward(x, work) == net.predict(x));
  net.backward(x, y, work, dJ, dJ_dx);  // dJ/da = a/4
  CHECK((dJ_dx - (rounded / 4).cwiseProduct(inside)).cwiseAbs().maxCoeff() < 1e-6f);
  net.input_gradient(x, y, work, alone);
  CHECK(alone == dJ_dx);

  auto jacobian_work = net.make_workspace(1);
  const Matrix<float> direction{{3}, {5}};
  Matrix<float> derivative(2, 1);
  net.jvp(x.col(3), direction, jacobian_work, derivative);
  CHECK(derivative == Matrix<float>{{0}, {0}});
  net.jvp(x.col(1), direction, jacobian_work, derivative);
  CHECK(derivative == direction);

  AnyNetwork<float> any{Seed{1}, SquaredError{}, {FakeQuantize<Dynamic>{2}}};
  set_range(any);
  CHECK(any.predict(x) == net.predict(x));
}

// low <- low + momentum (smallest - low)
TEST_CASE("FakeQuantize takes the range of its first batch, and moves it towards those of later ones") {
  Network<double, SquaredError, FakeQuantize<1>> net{Seed{1}, FakeQuantize<1>{0.25}};
  auto work = net.make_workspace(2);
  const Matrix<double> first{{-1, 3}}, second{{-2, 1}};
  CHECK_THROWS_SAYING(net.predict(first), StateError, "FakeQuantize has no range to predict with");
  net.forward(first, work);
  CHECK(std::abs(net.forward(first, work)(0, 1) - 3) < 4.0 / 255);
  net.update_statistics(work);
  CHECK(net.buffers() == Vector<double>{{-1, 3, 1}});
  net.forward(second, work);
  net.update_statistics(work);
  CHECK(net.buffers() == Vector<double>{{-1.25, 2.5, 2}});
  FakeQuantize<1>::Cache<double, 1> cache(FakeQuantize<1>{}, 1);
  cache.mode = Mode::train;
  cache.low = -HUGE_VAL;  // a layer before has overflowed
  CHECK_THROWS_SAYING(FakeQuantize<1>{}.update_statistics(net.buffers().data(), cache, 1), ValueError, "has NaN or infinity");
  CHECK(net.buffers() == Vector<double>{{-1.25, 2.5, 2}});
  net.buffers<0>().set(0, 2);
  CHECK(net.buffers<0>().high == 2);
  CHECK_THROWS_SAYING(net.buffers<0>().set(2, 1), ValueError, "expected a range of finite numbers");
  CHECK_THROWS_SAYING(FakeQuantize<1>{1.5}, ValueError, "momentum must be from 0 to 1, got 1.5");
}

TEST_CASE("FakeQuantize keeps NaN, and numbers of an empty range become 0") {
  Network<float, SquaredError, FakeQuantize<1>> net{Seed{1}};
  set_range(net);
  auto work = net.make_workspace(1);
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  FakeQuantize<1>::Cache<float, 1> cache(FakeQuantize<1>{}, 1);
  const Matrix<float> x{{nan}};
  FakeQuantize<1>{}.forward(net.parameters().data(), ConstMatrixView<float>(x.data(), 1, 1, Eigen::OuterStride<>(1)), cache,
                            {Mode::predict, net.buffers().data(), {}, 0, nullptr});
  CHECK(cache.output.first(1)(0, 0) != cache.output.first(1)(0, 0));
  net.buffers<0>().set(0, 0);
  CHECK(net.predict(Matrix<float>{{0}})(0, 0) == 0);
}
