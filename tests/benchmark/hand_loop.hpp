#pragma once
// The training loop that a good engineer would write by hand: products without temporaries, Eigen's array expressions for the activations,
// all memory allocated beforehand, and the update W -= rate delta a^T as one product in place. The class Products computes the products of
// matrices, so that the same loop runs on Eigen, OpenBLAS and LIBXSMM. Built with -O3 -march=native, as Eigen's users would.

#include <Eigen/Core>
#include <atomic>
#include <functional>
#include <thread>

#include "problem.hpp"

namespace bench {

using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
using Vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

/// Lets threads wait for each other. A thread that waits reads an atomic counter for some 20 microseconds before it sleeps.
class SpinBarrier {
 public:
  explicit SpinBarrier(int threads) : threads_{threads} {}

  void wait() {
    const int round = round_;
    if (++arrived_ == threads_) {
      arrived_ = 0;
      ++round_;
      round_.notify_all();
      return;
    }
    for (int spin = 0; spin < 20000 && round_ == round;) ++spin;
    round_.wait(round);
  }

 private:
  int threads_;
  std::atomic<int> arrived_{0}, round_{0};
};

/// The loop. With more than one thread, std::threads share the samples of a batch: each computes the gradients of its own columns, waits
/// for the others, and adds all gradients to its share of the parameters.
///
/// Products is made for a row and a number of columns, and for layer l, counted from 0, it has
///   affine(l, W, a, b, z)               z = W a + b, where a and z are matrices or, for one sample, vectors
///   transposed(l, W, delta, result)     result = W^T delta
///   add_outer(l, factor, delta, a, W)   W += factor delta a^T
template <class Products>
class HandLoop final : public Learner {
 public:
  HandLoop(const Problem& problem, int threads)
      : row_{problem.row},
        rate_{static_cast<Scalar>(problem.learning_rate)},
        x_{problem.x.data()},
        y_{problem.y.data()},
        labels_{problem.labels.data()},
        barrier_{threads} {
    const Scalar* theta = problem.theta.data();
    const auto take = [&](Eigen::Index rows, Eigen::Index cols) {
      theta += rows * cols;
      return Eigen::Map<const Matrix>(theta - rows * cols, rows, cols);
    };
    for (std::size_t l = 0; l + 1 < row_.widths.size(); ++l) {
      const int in = row_.widths[l], out = row_.widths[l + 1];
      W_.emplace_back(take(out, in));
      b_.emplace_back(take(out, 1));
    }
    for (int i = 0; i < threads; ++i) {
      const int first = row_.batch * i / threads;
      slices_.emplace_back(row_, first, row_.batch * (i + 1) / threads - first, threads > 1);
    }
    for (int i = 1; i < threads; ++i)
      threads_.emplace_back([this, i] {
        for (;;) {
          barrier_.wait();
          if (!task_) return;
          task_(slices_[static_cast<std::size_t>(i)]);
          barrier_.wait();
        }
      });
  }

  HandLoop(const HandLoop&) = delete;
  HandLoop& operator=(const HandLoop&) = delete;
  ~HandLoop() override {
    task_ = nullptr;
    if (!threads_.empty()) barrier_.wait();
    for (std::thread& thread : threads_) thread.join();
  }

  bool set_samples(const Scalar* x, const int* labels) override {
    x_ = x;
    labels_ = labels;
    return row_.loss == Loss::softmax;
  }

  void step() override {
    run([this](Slice& slice) { step(slice); });
  }

  Scalar predict() override {
    if (row_.batch == 1) {
      predict(slices_[0], slices_[0].v);
      return slices_[0].v.back()[0];
    }
    run([this](Slice& slice) { predict(slice, slice.a); });
    return slices_[0].a.back()(0, 0);
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
  // Consecutive samples of the batch, and what one thread needs for them. Indices of layers start at 0: W_[0] is W(1), a[0] is a(2), the
  // output of the first layer. dW and db are -rate times the gradients, and exist only where several threads share the batch.
  struct Slice {
    int first, count;
    Products products;
    std::vector<Matrix> a, delta, dW;
    std::vector<Vector> v, db;  // v is a for one sample

    Slice(const Row& row, int begin, int samples, bool gradients) : first{begin}, count{samples}, products{row, samples} {
      for (std::size_t l = 0; l + 1 < row.widths.size(); ++l) {
        const int in = row.widths[l], out = row.widths[l + 1];
        a.emplace_back(out, count);
        delta.emplace_back(out, count);
        v.emplace_back(out);
        if (gradients) dW.emplace_back(out, in);
        if (gradients) db.emplace_back(out);
      }
    }
  };

  // Calls task for each slice, each in its own thread.
  template <class Task>
  void run(const Task& task) {
    if (threads_.empty()) return task(slices_[0]);
    task_ = task;
    barrier_.wait();
    task(slices_[0]);
    barrier_.wait();
  }

  template <class A>
  Eigen::Map<const A> x(const Slice& slice) const {
    return {x_ + static_cast<Eigen::Index>(row_.widths.front()) * slice.first, row_.widths.front(), slice.count};
  }

  // z(l+1) = W(l) a(l) + b(l),  a(l+1) = f(z(l+1))
  template <class A>
  void forward(Slice& slice, std::vector<A>& a) {
    for (std::size_t l = 0; l < W_.size(); ++l) {
      if (l == 0)
        slice.products.affine(l, W_[l], x<A>(slice), b_[l], a[l]);
      else
        slice.products.affine(l, W_[l], a[l - 1], b_[l], a[l]);
      if (l + 1 < W_.size()) activate(a[l]);
    }
  }

  template <class A>
  void predict(Slice& slice, std::vector<A>& a) {
    forward(slice, a);
    if (row_.loss == Loss::softmax) softmax(a.back());
  }

  void step(Slice& slice) {
    const std::size_t L = W_.size();
    auto& [first, count, products, a, delta, dW, v, db] = slice;
    forward(slice, a);
    // delta(L+1) = (y_hat - y)/batch
    if (row_.loss == Loss::softmax) {
      softmax(a[L - 1]);
      delta[L - 1] = a[L - 1];
      for (int i = 0; i < count; ++i) delta[L - 1](labels_[first + i], i) -= 1;
      delta[L - 1] *= Scalar(1) / static_cast<Scalar>(row_.batch);
    } else {
      const Eigen::Index outputs = row_.widths.back();
      const Eigen::Map<const Matrix> y(y_ + outputs * first, outputs, count);
      delta[L - 1] = (a[L - 1] - y) * (Scalar(1) / static_cast<Scalar>(row_.batch));
    }
    const bool alone = slices_.size() == 1;
    for (std::size_t l = L; l-- > 0;) {
      if (l > 0) {  // delta(l) = W(l)^T delta(l+1) * f'(z(l))
        products.transposed(l, W_[l], delta[l], delta[l - 1]);
        times_derivative(a[l - 1], delta[l - 1]);
      }
      Matrix& W = alone ? W_[l] : dW[l];
      if (!alone) W.setZero();
      if (l > 0)
        products.add_outer(l, -rate_, delta[l], a[l - 1], W);
      else
        products.add_outer(l, -rate_, delta[l], x<Matrix>(slice), W);
      if (alone)
        b_[l].noalias() -= rate_ * delta[l].rowwise().sum();
      else
        db[l].noalias() = -rate_ * delta[l].rowwise().sum();
    }
    if (alone) return;

    barrier_.wait();
    for (std::size_t l = 0; l < L; ++l) {
      for (const Slice& other : slices_) {
        share(slice, W_[l]) += share(slice, other.dW[l]);
        share(slice, b_[l]) += share(slice, other.db[l]);
      }
    }
  }

  // The part of a parameter that the slice's thread updates.
  template <class A>
  auto share(const Slice& slice, A& parameter) const {
    const Eigen::Index begin = parameter.size() * slice.first / row_.batch;
    const Eigen::Index end = parameter.size() * (slice.first + slice.count) / row_.batch;
    using Array = std::conditional_t<std::is_const_v<A>, const Eigen::ArrayX<Scalar>, Eigen::ArrayX<Scalar>>;
    return Eigen::Map<Array>(parameter.data() + begin, end - begin);
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
  std::vector<Matrix> W_;
  std::vector<Vector> b_;
  std::vector<Slice> slices_;
  SpinBarrier barrier_;
  std::function<void(Slice&)> task_;  // the next work of all threads; an empty one ends them
  std::vector<std::thread> threads_;  // one for each slice but the first
};

}  // namespace bench
