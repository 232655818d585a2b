#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/fake_quantized_dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"
#include "support/layer_contract.hpp"

using namespace chainrule;

namespace {

// The weights as the definition says, and b as it is.
Matrix<double> rounded_by_definition(const Matrix<double>& w, bool per_output) {
  Matrix<double> rounded = w;
  for (Index i = 0; i < w.rows(); ++i) {
    const double largest = per_output ? w.row(i).cwiseAbs().maxCoeff() : w.cwiseAbs().maxCoeff();
    const double scale = static_cast<double>(static_cast<float>(largest / 127));
    for (Index k = 0; k < w.cols(); ++k) rounded(i, k) = scale * std::round(w(i, k) / scale);
  }
  return rounded;
}

template <WeightScales scales>
void check() {
  Network<double, SquaredError, FakeQuantizedDense<5, 3, scales>, FakeQuantizedDense<3, 2, scales>> net{Seed{1}};
  Network<double, SquaredError, Dense<5, 3>, Dense<3, 2>> plain{Seed{1}};
  CHECK(net.parameters() == plain.parameters());
  net.template layer<0>().weight.row(1) *= 10;
  net.template layer<0>().bias << 0.1, 0.2, -0.3;
  plain.parameters() = net.parameters();
  constexpr bool per_output = scales == WeightScales::per_output;
  plain.template layer<0>().weight = rounded_by_definition(net.template layer<0>().weight, per_output);
  plain.template layer<1>().weight = rounded_by_definition(net.template layer<1>().weight, per_output);

  const Matrix<double> x = Matrix<double>::Random(5, 7), y = Matrix<double>::Random(2, 7);
  CHECK(net.predict(x) == plain.predict(x));
  // straight through: the gradients of a Dense with the rounded weights
  auto work = net.make_workspace(7);
  auto plain_work = plain.make_workspace(7);
  auto dJ = net.make_gradients();
  auto plain_dJ = plain.make_gradients();
  Matrix<double> dJ_dx(5, 7), plain_dJ_dx(5, 7);
  net.forward(x, work);
  net.backward(x, y, work, dJ, dJ_dx);
  plain.forward(x, plain_work);
  plain.backward(x, y, plain_work, plain_dJ, plain_dJ_dx);
  CHECK(dJ.flat() == plain_dJ.flat());
  CHECK(dJ_dx == plain_dJ_dx);
  Matrix<double> dy(2, 7), plain_dy(2, 7);
  net.jvp(x, x, work, dy);
  plain.jvp(x, x, plain_work, plain_dy);
  CHECK(dy == plain_dy);
  net.vjp(x, y, work, dJ_dx);
  plain.vjp(x, y, plain_work, plain_dJ_dx);
  CHECK(dJ_dx == plain_dJ_dx);

  AnyNetwork<double> any{
      Seed{1}, SquaredError{}, {FakeQuantizedDense<Dynamic, Dynamic, scales>{5, 3}, FakeQuantizedDense<Dynamic, Dynamic, scales>{3, 2}}};
  any.parameters() = net.parameters();
  CHECK(any.predict(x) == net.predict(x));
}

}  // namespace

TEST_CASE("FakeQuantizedDense computes with rounded weights, and its gradient is that by them") {
  check<WeightScales::per_output>();
  check<WeightScales::per_tensor>();
}

TEST_CASE("FakeQuantizedDense satisfies the layer contract") {
  chainrule_test::check(
      testing::check_layer(FakeQuantizedDense<5, 4>{}, FakeQuantizedDense<Dynamic, Dynamic>{5, 4}, {.straight_through = true}));
}

//     z_c = R x_c, and z_0 = R x_0 + V x + c for the direction (V, c) of theta, with R = round(W)
//     dJ/dW = delta x^T + sum over c of delta_c x_c^T,  dJ/db = row sums of delta
//     dJ/dx = R^T delta, and V^T delta_0 more for the direction of theta,  dJ/dx_c = R^T delta_c
TEST_CASE("jets of FakeQuantizedDense are those with the rounded weights, and gradients by W go straight through") {
  const FakeQuantizedDense<3, 2> layer;
  const Vector<double> theta = Vector<double>::Random(8), theta_direction = Vector<double>::Random(8);
  const Matrix<double> R = rounded_by_definition(theta.head(6).reshaped(2, 3), true), V = theta_direction.head(6).reshaped(2, 3);
  const Matrix<double> x = Matrix<double>::Random(3, 4);
  testing::LayerAlone<double, FakeQuantizedDense<3, 2>> alone(layer, theta, Vector<double>(0), x);
  alone.forward(alone.x_view());
  const std::vector<SecondDerivativeTerm> terms{{0, 0, 0, 1}, {1, 0, 1, 2}};
  const auto close = [](const auto& a, const auto& b) { return (a - b).cwiseAbs().maxCoeff() < 1e-14; };
  for (const bool with_direction : {false, true}) {
    const JetShape shape = with_direction ? JetShape{4, 2, 0} : JetShape{4, 2, 2, terms};
    const double* const direction = with_direction ? theta_direction.data() : nullptr;
    const Matrix<double> jet = Matrix<double>::Random(3, shape.columns());
    FakeQuantizedDense<3, 2>::JetCache<double> result(layer, 4, shape.columns());
    layer.forward_jet(theta.data(), direction, alone.x_view(), alone.cache(), shape, detail::const_view<double>(jet), result);
    Matrix<double> expected = R * jet;
    if (with_direction) expected.leftCols(4) += ((V * x).colwise() + theta_direction.tail(2)).eval();
    CHECK(close(result.output.first(shape.columns()), expected));

    const Matrix<double> delta = Matrix<double>::Random(2, 4), deltas = Matrix<double>::Random(2, shape.columns());
    Matrix<double> delta_read = delta, deltas_read = deltas, by_x(3, 4), by_jet(3, shape.columns());
    Vector<double> gradient(8);
    MatrixView<double> x_view = detail::mutable_view<double>(by_x), jet_view = detail::mutable_view<double>(by_jet);
    layer.backward_jet(theta.data(), direction, alone.x_view(), alone.cache(), shape, detail::const_view<double>(jet), result,
                       detail::mutable_view<double>(delta_read), detail::mutable_view<double>(deltas_read), gradient.data(), &x_view,
                       &jet_view);
    CHECK(close(gradient.head(6).reshaped(2, 3), delta * x.transpose() + deltas * jet.transpose()));
    CHECK(close(gradient.tail(2), delta.rowwise().sum()));
    Matrix<double> by_x_expected = R.transpose() * delta;
    if (with_direction) by_x_expected += V.transpose() * deltas.leftCols(4);
    CHECK(close(by_x, by_x_expected));
    CHECK(close(by_jet, R.transpose() * deltas));
  }
}

TEST_CASE("FakeQuantizedDense keeps weights that are 0, NaN or infinite") {
  Network<float, SquaredError, FakeQuantizedDense<1, 3>> net{Seed{1}};
  net.layer<0>().weight << 0, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN();
  const Matrix<float> y = net.predict(Matrix<float>{{1}});
  CHECK(y(0) == 0);
  CHECK(y(1) == std::numeric_limits<float>::infinity());
  CHECK(y(2) != y(2));
}
