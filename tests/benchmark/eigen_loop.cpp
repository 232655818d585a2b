// The training loop that a good engineer would write by hand with Eigen: products without temporaries, array expressions for the
// activations, all memory allocated beforehand, and the update W -= rate delta a^T as one product in place. Built with -O3 -march=native,
// as Eigen's users would.

#include <Eigen/Core>

#include "peers.hpp"

namespace bench {
namespace {

using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
using Vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

class EigenLoop final : public Learner {
 public:
  explicit EigenLoop(const Problem& problem)
      : row_{problem.row},
        rate_{static_cast<Scalar>(problem.learning_rate)},
        x_{problem.x.data()},
        y_{problem.y.data()},
        labels_{problem.labels.data()} {
    const Scalar* theta = problem.theta.data();
    const auto take = [&](Eigen::Index rows, Eigen::Index cols) {
      theta += rows * cols;
      return Eigen::Map<const Matrix>(theta - rows * cols, rows, cols);
    };
    for (std::size_t l = 0; l + 1 < row_.widths.size(); ++l) {
      const int in = row_.widths[l], out = row_.widths[l + 1];
      W_.emplace_back(take(out, in));
      b_.emplace_back(take(out, 1));
      a_.emplace_back(out, row_.batch);
      delta_.emplace_back(out, row_.batch);
      v_.emplace_back(out);
    }
  }

  bool set_samples(const Scalar* x, const int* labels) override {
    x_ = x;
    labels_ = labels;
    return row_.loss == Loss::softmax;
  }

  void step() override {
    const std::size_t L = W_.size();
    forward();
    // delta(L+1) = (y_hat - y)/batch
    if (row_.loss == Loss::softmax) {
      softmax(a_[L - 1]);
      delta_[L - 1] = a_[L - 1];
      for (int i = 0; i < row_.batch; ++i) delta_[L - 1](labels_[i], i) -= 1;
      delta_[L - 1] *= Scalar(1) / static_cast<Scalar>(row_.batch);
    } else {
      delta_[L - 1] = (a_[L - 1] - ConstMap(y_, row_.widths.back(), row_.batch)) * (Scalar(1) / static_cast<Scalar>(row_.batch));
    }
    for (std::size_t l = L; l-- > 0;) {
      if (l > 0) {  // delta(l) = W(l)^T delta(l+1) * f'(z(l))
        delta_[l - 1].noalias() = W_[l].transpose() * delta_[l];
        times_derivative(a_[l - 1], delta_[l - 1]);
        W_[l].noalias() -= rate_ * delta_[l] * a_[l - 1].transpose();
      } else {
        W_[l].noalias() -= rate_ * delta_[l] * x().transpose();
      }
      b_[l].noalias() -= rate_ * delta_[l].rowwise().sum();
    }
  }

  Scalar predict() override {
    if (row_.batch == 1) {  // for one sample Eigen's matrix-vector products are faster
      for (std::size_t l = 0; l < W_.size(); ++l) {
        v_[l] = b_[l];
        if (l == 0)
          v_[l].noalias() += W_[l] * x().col(0);
        else
          v_[l].noalias() += W_[l] * v_[l - 1];
        if (l + 1 < W_.size()) activate(v_[l]);
      }
      if (row_.loss == Loss::softmax) softmax(v_.back());
      return v_.back()[0];
    }
    forward();
    if (row_.loss == Loss::softmax) softmax(a_.back());
    return a_.back()(0, 0);
  }

  std::vector<Scalar> parameters() const override {
    std::vector<Scalar> theta;
    for (std::size_t l = 0; l < W_.size(); ++l) {
      theta.insert(theta.end(), W_[l].data(), W_[l].data() + W_[l].size());
      theta.insert(theta.end(), b_[l].data(), b_[l].data() + b_[l].size());
    }
    return theta;
  }

 private:
  using ConstMap = Eigen::Map<const Matrix>;
  ConstMap x() const { return {x_, row_.widths.front(), row_.batch}; }

  // z(l+1) = W(l) a(l) + b(l),  a(l+1) = f(z(l+1))
  void forward() {
    for (std::size_t l = 0; l < W_.size(); ++l) {
      if (l == 0)
        a_[l].noalias() = W_[l] * x();
      else
        a_[l].noalias() = W_[l] * a_[l - 1];
      a_[l].colwise() += b_[l];
      if (l + 1 < W_.size()) activate(a_[l]);
    }
  }

  template <class A>
  void activate(A& a) const {
    switch (row_.activation) {
      case Activation::relu:
        a = a.cwiseMax(Scalar(0));
        break;
      case Activation::tanh:
        a = a.array().tanh();
        break;
      case Activation::sigmoid:
        a = (Scalar(1) + (-a.array()).exp()).inverse();
        break;
    }
  }

  void times_derivative(const Matrix& a, Matrix& delta) const {
    switch (row_.activation) {
      case Activation::relu:
        delta.array() *= (a.array() > Scalar(0)).template cast<Scalar>();
        break;
      case Activation::tanh:
        delta.array() *= Scalar(1) - a.array().square();
        break;
      case Activation::sigmoid:
        delta.array() *= a.array() * (Scalar(1) - a.array());
        break;
    }
  }

  template <class A>
  static void softmax(A& a) {
    for (Eigen::Index i = 0; i < a.cols(); ++i) {
      auto column = a.col(i).array();
      column = (column - column.maxCoeff()).exp();
      column *= Scalar(1) / column.sum();
    }
  }

  Row row_;
  Scalar rate_;
  const Scalar* x_;
  const Scalar* y_;
  const int* labels_;
  std::vector<Matrix> W_, a_, delta_;  // indices start at 0: W_[0] is W(1), a_[0] is a(2), the output of the first layer
  std::vector<Vector> b_, v_;          // v_ is a_ for one sample
};

}  // namespace

[[gnu::visibility("default")]] std::unique_ptr<Learner> make_eigen_loop(const Problem& problem) {
  return std::make_unique<EigenLoop>(problem);
}

}  // namespace bench
