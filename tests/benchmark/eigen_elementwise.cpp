// Activations, optimizer steps and losses written with Eigen's array expressions, built with -O3 -march=native as Eigen's users would.

#include <Eigen/Core>
#include <cmath>

#include "elementwise.hpp"

namespace bench {
namespace {

using Array = Eigen::Array<Scalar, Eigen::Dynamic, 1>;

Scalar erf_of(Scalar x) { return std::erf(x); }

}  // namespace

[[gnu::visibility("default")]] void eigen_values(const std::string& name, long size, const Scalar* from, Scalar* to) {
  const Eigen::Map<const Array> z(from, size);
  Eigen::Map<Array> a(to, size);
  constexpr Scalar half = Scalar(0.5);
  if (name == "Tanh") a = z.tanh();
  if (name == "Sigmoid") a = z.logistic();
  if (name == "ReLU") a = z.max(Scalar(0));
  if (name == "LeakyReLU") a = (z < 0).select(Scalar(0.01) * z, z);
  if (name == "ELU") a = (z > 0).select(z, z.exp() - 1);
  if (name == "SELU") a = Scalar(1.0507009873554805) * (z > 0).select(z, Scalar(1.6732632423543773) * (z.exp() - 1));
  if (name == "GELU") a = half * z * (1 + (z * Scalar(0.70710678118654752)).unaryExpr(&erf_of));
  if (name == "GELUTanh") a = half * z * (1 + (Scalar(0.79788456080286536) * (z + Scalar(0.044715) * z.cube())).tanh());
  if (name == "SiLU") a = z * z.logistic();
  if (name == "Mish") a = z * z.exp().log1p().tanh();
  if (name == "Sine") a = (30 * z).sin();
  if (name == "Softplus") a = z.exp().log1p();
  if (name == "Softsign") a = z / (1 + z.abs());
  if (name == "HardTanh") a = z.max(Scalar(-1)).min(Scalar(1));
  if (name == "HardSigmoid") a = ((z + 3) / 6).max(Scalar(0)).min(Scalar(1));
  if (name == "HardSwish") a = z * ((z + 3) / 6).max(Scalar(0)).min(Scalar(1));
}

[[gnu::visibility("default")]] bool eigen_step(const std::string& name, long size, const Scalar* dJ, Scalar* theta, Scalar* first,
                                               Scalar* second) {
  const Eigen::Map<const Array> g(dJ, size);
  Eigen::Map<Array> w(theta, size), m(first, size), v(second, size);
  const Scalar rate = Scalar(1e-6), keep = Scalar(0.9), keep2 = Scalar(0.999), epsilon = Scalar(1e-8);
  if (name == "SGD") {
    w -= rate * g;
  } else if (name == "SGD, momentum") {
    m = keep * m + g;
    w -= rate * m;
  } else if (name == "Adam") {
    m = keep * m + (1 - keep) * g;
    v = keep2 * v + (1 - keep2) * g.square();
    w -= rate * m / (v.sqrt() + epsilon);
  } else if (name == "RMSprop") {
    m = keep2 * m + (1 - keep2) * g.square();
    w -= rate * g / (m.sqrt() + epsilon);
  } else if (name == "Adagrad") {
    m += g.square();
    w -= rate * g / (m.sqrt() + epsilon);
  } else {
    return false;
  }
  return true;
}

[[gnu::visibility("default")]] Scalar eigen_loss(const std::string& name, long size, long batch, const Scalar* y_hat,
                                                 const Scalar* target) {
  const Eigen::Map<const Array> z(y_hat, size), y(target, size);
  if (name == "BinaryCrossEntropy") return (z.max(Scalar(0)) - z * y + (-z.abs()).exp().log1p()).sum() / static_cast<Scalar>(batch);
  if (name == "Huber") {
    const auto e = (z - y).abs();
    return (e > 1).select(e - Scalar(0.5), e * e / 2).mean();
  }
  if (name == "LogCosh") {
    const auto e = (z - y).abs();
    return (e + (-2 * e).exp().log1p() - Scalar(0.69314718055994531)).mean();
  }
  if (name == "PoissonNLL") return (z.exp() - y * z).mean();
  return 0;
}

[[gnu::visibility("default")]] void eigen_loss_gradient(const std::string& name, long size, long batch, const Scalar* y_hat,
                                                        const Scalar* target, Scalar* to) {
  const Eigen::Map<const Array> z(y_hat, size), y(target, size);
  Eigen::Map<Array> dJ(to, size);
  if (name == "BinaryCrossEntropy") dJ = (z.logistic() - y) / static_cast<Scalar>(batch);
  if (name == "Huber") dJ = (z - y).max(Scalar(-1)).min(Scalar(1)) / static_cast<Scalar>(size);
  if (name == "LogCosh") dJ = (z - y).tanh() / static_cast<Scalar>(size);
  if (name == "PoissonNLL") dJ = (z.exp() - y) / static_cast<Scalar>(size);
}

}  // namespace bench
