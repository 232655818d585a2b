// libtorch in eager mode: Linear layers, autograd and SGD, as a C++ program would use them.

#include <torch/torch.h>

#include "peers.hpp"

namespace bench {
namespace {

constexpr auto scalar_type = sizeof(Scalar) == 4 ? torch::kFloat : torch::kDouble;

class Torch final : public Learner {
 public:
  Torch(const Problem& problem, int threads)
      : row_{problem.row},
        threads_{threads},
        x_{tensor(problem.x, row_.batch, row_.widths.front())},
        y_{tensor(problem.y, row_.batch, row_.widths.back())} {
    labels_ = torch::tensor(std::vector<std::int64_t>(problem.labels.begin(), problem.labels.end()));
    torch::NoGradGuard no_gradient;
    const Scalar* theta = problem.theta.data();
    for (std::size_t l = 0; l + 1 < row_.widths.size(); ++l) {
      const int in = row_.widths[l], out = row_.widths[l + 1];
      torch::nn::Linear layer(torch::nn::LinearOptions(in, out));
      layer->to(scalar_type);
      // torch reads our column-major W (out x in) as a row-major matrix in x out, so it is transposed
      layer->weight.copy_(torch::from_blob(const_cast<Scalar*>(theta), {in, out}, scalar_type).t());
      layer->bias.copy_(torch::from_blob(const_cast<Scalar*>(theta + in * out), {out}, scalar_type));
      theta += (in + 1) * out;
      layers_.push_back(layer);
      parameters_.push_back(layer->weight);
      parameters_.push_back(layer->bias);
    }
    sgd_ = std::make_unique<torch::optim::SGD>(parameters_, torch::optim::SGDOptions(problem.learning_rate));
  }

  void begin() override { torch::set_num_threads(threads_); }

  void step() override {
    sgd_->zero_grad();
    const torch::Tensor y_hat = forward();
    // squared error: half the squared norm, as a mean over the batch
    const torch::Tensor J = row_.loss == Loss::softmax ? torch::nn::functional::cross_entropy(y_hat, labels_)
                                                       : (y_hat - y_).square().sum() * (0.5 / row_.batch);
    J.backward();
    sgd_->step();
  }

  Scalar predict() override {
    torch::InferenceMode inference;
    const torch::Tensor y_hat = forward();
    return (row_.loss == Loss::softmax ? y_hat.softmax(1) : y_hat).template data_ptr<Scalar>()[0];
  }

  std::vector<Scalar> parameters() const override {
    std::vector<Scalar> theta;
    for (const torch::Tensor& p : parameters_) {
      const torch::Tensor ours = (p.dim() == 2 ? p.t() : p).contiguous();
      theta.insert(theta.end(), ours.template data_ptr<Scalar>(), ours.template data_ptr<Scalar>() + ours.numel());
    }
    return theta;
  }

 private:
  static torch::Tensor tensor(const std::vector<Scalar>& numbers, int rows, int cols) {
    return torch::from_blob(const_cast<Scalar*>(numbers.data()), {rows, cols}, scalar_type).clone();
  }

  torch::Tensor forward() {
    torch::Tensor a = x_;
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      a = layers_[l]->forward(a);
      if (l + 1 == layers_.size()) break;
      switch (row_.activation) {
        case Activation::relu:
          a = torch::relu(a);
          break;
        case Activation::tanh:
          a = torch::tanh(a);
          break;
        case Activation::sigmoid:
          a = torch::sigmoid(a);
          break;
      }
    }
    return a;
  }

  Row row_;
  int threads_;
  torch::Tensor x_, y_, labels_;
  std::vector<torch::nn::Linear> layers_;
  std::vector<torch::Tensor> parameters_;
  std::unique_ptr<torch::optim::SGD> sgd_;
};

}  // namespace

[[gnu::visibility("default")]] std::unique_ptr<Learner> make_torch(const Problem& problem, int threads) {
  return std::make_unique<Torch>(problem, threads);
}

}  // namespace bench
