// The Jacobian as one writes it by hand with Eigen, built with -O3 -march=native as Eigen's users would.

#include "jacobian.hpp"

#include <Eigen/Core>
#include <memory>

namespace bench {
namespace {

using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
using Vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

struct ByHand {
  std::vector<Matrix> W;
  std::vector<Vector> b, a, slope;
  std::vector<Matrix> chain;  // da/dx from the first layer on, or dy/da from the last layer on
  bool forward;

  void operator()(const Scalar* input, Scalar* result) {
    const std::size_t last = W.size() - 1;
    const Eigen::Map<const Vector> x(input, W[0].cols());
    Eigen::Map<Matrix> J(result, W[last].rows(), W[0].cols());
    for (std::size_t l = 0; l < W.size(); ++l) {
      a[l] = b[l];
      if (l == 0)
        a[l].noalias() += W[l] * x;
      else
        a[l].noalias() += W[l] * a[l - 1];
      if (l == last) break;
      a[l] = a[l].array().tanh();
      slope[l] = 1 - a[l].array().square();
    }
    if (forward) {
      chain[0] = slope[0].asDiagonal() * W[0];
      for (std::size_t l = 1; l < last; ++l) {
        chain[l].noalias() = W[l] * chain[l - 1];
        chain[l].array().colwise() *= slope[l].array();
      }
      J.noalias() = W[last] * chain[last - 1];
    } else {
      chain[last] = W[last];
      for (std::size_t l = last; l > 0; --l) {
        chain[l].array().rowwise() *= slope[l - 1].transpose().array();
        if (l > 1) chain[l - 1].noalias() = chain[l] * W[l - 1];
      }
      J.noalias() = chain[1] * W[0];
    }
  }
};

}  // namespace

[[gnu::visibility("default")]] std::function<void()> eigen_jacobian(const std::vector<int>& widths, const Scalar* theta, const Scalar* x,
                                                                    Scalar* J) {
  const auto net = std::make_shared<ByHand>();
  net->forward = widths.front() <= widths.back();
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const int in = widths[l], out = widths[l + 1];
    net->W.push_back(Eigen::Map<const Matrix>(theta, out, in));
    net->b.push_back(Eigen::Map<const Vector>(theta + in * out, out));
    net->a.emplace_back(out);
    net->slope.emplace_back(out);
    net->chain.emplace_back(net->forward ? out : widths.back(), net->forward ? widths.front() : in);
    theta += in * out + out;
  }
  return [net, x, J] { (*net)(x, J); };
}

}  // namespace bench
