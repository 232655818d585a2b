#include <chainrule/activations/tanh.hpp>
#include <chainrule/inspect/layer_values.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/prelu.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;
using Eigen::MatrixXd;

namespace {

using Net = Network<double, SoftmaxCrossEntropy, Dense<2, 3, Tanh>, PReLU<>, Dense<3, 2>>;

/// A layer with an activation that does not say what its z is.
struct Silent {
  static constexpr std::string_view name = "Silent";
  std::string_view activation_name() const { return "Tanh"; }
};

MatrixXd softmax(const MatrixXd& z) {
  const MatrixXd e = z.array().exp();
  return e.array().rowwise() / e.array().colwise().sum();
}

}  // namespace

TEST_CASE("layer_values are z, a and delta of the lecture's formulas, for a batch and for one sample") {
  Net net{Seed{1}};
  net.parameters().array() += 0.1;  // makes the biases, which are 0 initially, count
  const auto [W1, b1] = net.layer<0>();
  const auto [W2, b2] = net.layer<2>();
  const double slope = net.layer<1>().slope[0];
  Random random{Seed{2}};
  auto work = net.make_workspace(4);
  for (const Index samples : {Index{4}, Index{1}}) {
    const MatrixXd x = chainrule_test::random_matrix<double>(2, samples, random);
    MatrixXd y = MatrixXd::Zero(2, samples);
    y.row(1).setOnes();
    const MatrixXd z2 = (W1 * x).colwise() + b1;
    const MatrixXd a2 = z2.array().tanh();
    const MatrixXd a3 = (a2.array() > 0).select(a2, slope * a2);
    const MatrixXd z4 = (W2 * a3).colwise() + b2;
    const MatrixXd delta4 = (softmax(z4) - y) / static_cast<double>(samples);
    const MatrixXd delta3 = (a2.array() > 0).select(W2.transpose() * delta4, slope * (W2.transpose() * delta4));
    const MatrixXd delta2 = delta3.array() * (1 - a2.array().square());

    net.forward(x, work);
    const auto values = layer_values(net, x, y, work);
    REQUIRE(values.size() == 3);
    CHECK(values[0].name == "Dense");
    CHECK(values[0].activation == "Tanh");
    CHECK(values[0].z.isApprox(z2, 1e-14));
    CHECK(values[0].a.isApprox(a2, 1e-14));
    CHECK(values[0].delta.isApprox(delta2, 1e-13));
    CHECK(values[1].z.isApprox(a2, 1e-14));
    CHECK(values[1].a.isApprox(a3, 1e-14));
    CHECK(values[1].delta.isApprox(delta3, 1e-13));
    CHECK(values[2].z.isApprox(z4, 1e-14));
    CHECK(values[2].a.isApprox(z4, 1e-14));
    CHECK(values[2].delta.isApprox(delta4, 1e-13));

    const auto again = layer_values(net, x, y);  // in a workspace of its own
    const bool same = again[0].delta == values[0].delta && again[0].z == values[0].z;
    CHECK(same);
    auto dJ = net.make_gradients();
    net.backward(x, y, work, dJ);  // the workspace still holds the forward pass
    CHECK(dJ.layer<0>().bias.isApprox(delta2.rowwise().sum(), 1e-13));
  }
}

TEST_CASE("layer_values without a forward pass, for other samples, or of a layer that does not say its z throws and says so") {
  const Net net{Seed{1}};
  auto work = net.make_workspace(4);
  const MatrixXd x = MatrixXd::Ones(2, 4), y = MatrixXd::Constant(2, 4, 0.5);
  CHECK_THROWS_SAYING(layer_values(net, x, y, work), StateError,
                      "layer_values: the workspace holds no forward pass; call forward(x, work)");
  net.forward(x, work);
  net.predict(x, work);
  CHECK_THROWS_SAYING(layer_values(net, x, y, work), StateError, "layer_values: the workspace holds no forward pass");
  net.forward(x, work);
  const MatrixXd three = MatrixXd::Ones(2, 3), none(2, 0);
  CHECK_THROWS_SAYING(layer_values(net, three, y, work), ShapeError, "layer_values: x has 3 samples, but the last forward(x, work) had 4");
  CHECK_THROWS_SAYING(layer_values(net, none, y), ShapeError, "layer_values: the batch is empty");
  const Net other = net;
  CHECK_THROWS_SAYING(layer_values(other, x, y, work), StateError, "made by another network");
  MatrixXd z(2, 4), delta(2, 4);
  const auto view = [](MatrixXd& m) { return detail::matrix_view(m.data(), m.rows(), m.cols()); };
  CHECK_THROWS_SAYING(detail::z_and_delta_of(Silent{}, x.data(), detail::as_const(view(z)), Silent{}, view(z), view(delta)), ValueError,
                      "layer_values: the layer Silent has the activation Tanh, but does not say what its z is", "z_and_delta");
}
