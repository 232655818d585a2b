// The README's quick start written by hand with Eigen: the same net, data, loss and steps. Compiled to compare compile times.

#include <Eigen/Dense>
#include <cstdio>
#include <random>
#include <vector>

int main() {
  std::mt19937 bits{1};
  std::uniform_real_distribution<float> uniform{-1, 1};
  Eigen::MatrixXf x(2, 200);
  std::vector<int> y(200);
  for (int i = 0; i < 200; ++i) {
    x.col(i) << uniform(bits), uniform(bits);
    y[std::size_t(i)] = x.col(i).norm() < 0.75f ? 1 : 0;
  }

  const auto draw = [&](int out, int in) {
    return Eigen::MatrixXf::NullaryExpr(out, in, [&] { return uniform(bits) * std::sqrt(6.0f / float(in + out)); }).eval();
  };
  Eigen::MatrixXf W1 = draw(16, 2), W2 = draw(2, 16), a(16, 200), y_hat(2, 200), delta1(16, 200), delta2(2, 200);
  Eigen::VectorXf b1 = Eigen::VectorXf::Zero(16), b2 = Eigen::VectorXf::Zero(2);
  const float rate = 0.5f;

  for (int step = 0; step <= 2000; ++step) {
    a.noalias() = W1 * x;
    a.colwise() += b1;
    a = a.array().tanh();
    y_hat.noalias() = W2 * a;
    y_hat.colwise() += b2;
    float J = 0;
    for (int i = 0; i < 200; ++i) {
      y_hat.col(i) = (y_hat.col(i).array() - y_hat.col(i).maxCoeff()).exp();
      y_hat.col(i) /= y_hat.col(i).sum();
      J -= std::log(y_hat(y[std::size_t(i)], i)) / 200;
    }
    delta2 = y_hat;
    for (int i = 0; i < 200; ++i) delta2(y[std::size_t(i)], i) -= 1;
    delta2 /= 200;
    delta1.noalias() = W2.transpose() * delta2;
    delta1.array() *= 1 - a.array().square();
    W2.noalias() -= rate * delta2 * a.transpose();
    b2 -= rate * delta2.rowwise().sum();
    W1.noalias() -= rate * delta1 * x.transpose();
    b1 -= rate * delta1.rowwise().sum();
    if (step % 500 == 0) std::printf("step %4d  loss %.4f\n", step, double(J));
  }
}
