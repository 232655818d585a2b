#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/fake_quantize.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"
#include "support/layer_contract.hpp"

using namespace chainrule;

namespace {

// The range from -1 to 1.55 has steps of 0.01, and the zero point -28.
template <class Net>
void set_range(Net& net) {
  net.buffers()[0] = -1;
  net.buffers()[1] = 1.55f;
  net.buffers()[2] = 1;
}

/// Sets a range that is narrower than the inputs of check_layer, or none.
struct Prepare {
  bool has_range;
  template <class Net>
  void operator()(Net& net) const {
    if (has_range) net.template buffers<0>().set(-0.5, 0.6);
  }
};

}  // namespace

TEST_CASE("FakeQuantize satisfies the layer contract, with a range and before the first batch has set one") {
  chainrule_test::check_layer(FakeQuantize<5>{}, FakeQuantize<Dynamic>{5}, {.straight_through = true}, Prepare{true});
  chainrule_test::check_layer(FakeQuantize<5>{}, FakeQuantize<Dynamic>{5}, {.samples_independent = false, .straight_through = true},
                              Prepare{false});
}

//     a_c = x_c where x is in the range, 0 elsewhere, for first and second derivatives; gradients alike
TEST_CASE("jets of FakeQuantize go straight through, forwards and backwards") {
  const Matrix<double> x{{0.123, 1.5551, -0.5}, {-1.0049, 0.7, 7}}, inside{{1, 0, 1}, {1, 1, 0}};
  const FakeQuantize<2> layer;
  testing::LayerAlone<double, FakeQuantize<2>> alone(layer, Vector<double>(0), Vector<double>{{-1, 1.55, 1}}, x);
  alone.forward(alone.x_view());
  const std::vector<SecondDerivativeTerm> terms{{0, 0, 0, 1}, {1, 0, 1, 2}};
  const JetShape shape{3, 2, 2, terms};
  const Matrix<double> jet = Matrix<double>::Random(2, 12), inside_of_all = inside.replicate(1, 4);
  FakeQuantize<2>::JetCache<double> result(layer, 3, 12);
  const double* const theta = nullptr;
  layer.forward_jet(theta, theta, alone.x_view(), alone.cache(), shape, detail::const_view<double>(jet), result);
  CHECK(result.output.first(12) == jet.cwiseProduct(inside_of_all));

  const Matrix<double> delta = Matrix<double>::Random(2, 3), deltas = Matrix<double>::Random(2, 12);
  Matrix<double> delta_read = delta, deltas_read = deltas, by_x(2, 3), by_jet(2, 12);
  MatrixView<double> x_view = detail::mutable_view<double>(by_x), jet_view = detail::mutable_view<double>(by_jet);
  layer.backward_jet(theta, theta, alone.x_view(), alone.cache(), shape, detail::const_view<double>(jet), result,
                     detail::mutable_view<double>(delta_read), detail::mutable_view<double>(deltas_read), static_cast<double*>(nullptr),
                     &x_view, &jet_view);
  CHECK(by_x == delta.cwiseProduct(inside));
  CHECK(by_jet == deltas.cwiseProduct(inside_of_all));
}

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
  net.buffers()[1] = -2;  // as from a broken file
  CHECK_THROWS_SAYING(net.predict(first), ValueError, "expected a range of finite numbers, but found -1.25 to -2");
  net.buffers()[1] = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(net.forward(first, work), ValueError, "expected a range of finite numbers");
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
