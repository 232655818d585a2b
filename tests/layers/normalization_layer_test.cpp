#include <chainrule/layers/normalization_layer.hpp>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// A minimal layer with only what BatchNorm and LayerNorm share.
struct Plain : NormalizationLayer<2> {
  explicit Plain(double epsilon) : NormalizationLayer("Plain", epsilon) {}
  using NormalizationLayer::parameter_gradients;
  using NormalizationLayer::scale_and_shift;
};

}  // namespace

TEST_CASE("NormalizationLayer computes weight * x_hat + bias and the gradients of weight and bias") {
  const Plain layer(0.1);
  CHECK(layer.epsilon() == 0.1);
  float theta[4];
  Random random{Seed{1}};
  layer.initialize(theta, random);
  CHECK((theta[0] == 1 && theta[1] == 1 && theta[2] == 0 && theta[3] == 0));
  CHECK_FALSE((layer.tensors()[0].decays || layer.tensors()[1].decays));

  //     x_hat = ( 1  2)   weight = (10)   bias = (5)   a = (10 + 5    20 + 5  )
  //             (-1  3)            (20)          (6)       (-20 + 6   60 + 6  )
  const float numbers[4] = {10, 20, 5, 6};
  const float x_hat[4] = {1, -1, 2, 3};
  float a[4];
  const auto x_hat_view = detail::matrix_view(x_hat, 2, 2);
  Plain::scale_and_shift<float>(layer.parameters(static_cast<const float*>(numbers)), x_hat_view, detail::matrix_view(a, 2, 2));
  CHECK((a[0] == 15 && a[1] == -14 && a[2] == 25 && a[3] == 66));

  // with delta = (1 0; 2 1): dJ/dweight = row sums of delta * x_hat = (1, -2 + 3), dJ/dbias = (1, 3)
  const float delta[4] = {1, 2, 0, 1};
  float gradient[4];
  Plain::parameter_gradients<float>(detail::matrix_view(delta, 2, 2), x_hat_view, gradient, gradient + 2);
  CHECK((gradient[0] == 1 && gradient[1] == 1 && gradient[2] == 1 && gradient[3] == 3));
}

TEST_CASE("NormalizationLayer rejects an epsilon of 0 in the name of its layer") {
  CHECK_THROWS_SAYING(Plain(0), ValueError, "Plain: epsilon must be above 0 and finite, got 0");
}
