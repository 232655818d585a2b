#pragma once
// A chainrule network behind the benchmark's interface Learner. Uses public headers only.

#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/descend.hpp>
#include <chainrule/threads/thread_team.hpp>
#include <optional>
#include <span>
#include <type_traits>

#include "problem.hpp"

namespace bench {

namespace cr = chainrule;

template <Activation A>
using ActivationOf = std::conditional_t<A == Activation::relu, cr::ReLU, std::conditional_t<A == Activation::tanh, cr::Tanh, cr::Sigmoid>>;
template <Loss L>
using LossOf = std::conditional_t<L == Loss::softmax, cr::SoftmaxCrossEntropy, cr::SquaredError>;

template <class Net, int Inputs, int Outputs>
class Ours final : public Learner {
  using X = Eigen::Matrix<Scalar, Inputs, Eigen::Dynamic>;

 public:
  Ours(Net net, const Problem& problem, int threads)
      : net_{std::move(net)},
        work_{net_.make_workspace(problem.row.batch)},
        dJ_{net_.make_gradients()},
        sgd_{.learning_rate = problem.learning_rate},
        state_{sgd_.make_state(net_)},
        row_{problem.row},
        x_{problem.x.data()},
        y_{problem.y.data()},
        labels_{problem.labels.data()} {
    net_.parameters() = Eigen::Map<const cr::Vector<Scalar>>(problem.theta.data(), static_cast<Eigen::Index>(problem.theta.size()));
    if (threads > 1) {
      work_.set_team(&team_.emplace(threads));
      state_.team = work_.team();
    }
  }

  bool set_samples(const Scalar* x, const int* labels) override {
    x_ = x;
    labels_ = labels;
    return has_labels();
  }

  void step() override {
    const Eigen::Map<const X> x(x_, net_.inputs(), row_.batch);
    net_.forward(x, work_);
    if constexpr (!std::is_same_v<LossType, cr::SquaredError>)
      if (has_labels()) descend(x, std::span(labels_, static_cast<std::size_t>(row_.batch)));
    if constexpr (!std::is_same_v<LossType, cr::SoftmaxCrossEntropy>)
      if (!has_labels()) descend(x, Eigen::Map<const Y>(y_, net_.outputs(), row_.batch));
  }

  void separate_backward_and_step() override { separate_ = true; }

  Scalar predict() override {
    if (row_.batch == 1) return net_.predict(Eigen::Map<const Eigen::Matrix<Scalar, Inputs, 1>>(x_, net_.inputs()), work_)(0, 0);
    return net_.predict(Eigen::Map<const X>(x_, net_.inputs(), row_.batch), work_)(0, 0);
  }

  std::vector<Scalar> parameters() const override {
    return {net_.parameters().data(), net_.parameters().data() + net_.parameters().size()};
  }

 private:
  using Y = Eigen::Matrix<Scalar, Outputs, Eigen::Dynamic>;
  using LossType = std::decay_t<decltype(std::declval<const Net&>().loss_function())>;
  bool has_labels() const { return row_.loss == Loss::softmax; }

  template <class Target>
  void descend(const Eigen::Map<const X>& x, const Target& y) {
    if (!separate_) return cr::descend(net_, x, y, work_, dJ_, sgd_, state_);
    net_.backward(x, y, work_, dJ_);
    sgd_.step(net_.parameters(), dJ_, state_);
  }

  bool separate_ = false;

  std::optional<cr::ThreadTeam> team_;
  Net net_;
  typename Net::template Workspace<> work_;
  typename Net::Gradients dJ_;
  cr::SGD sgd_;
  cr::OptimizerState<Scalar> state_;
  const Row& row_;
  const Scalar* x_;
  const Scalar* y_;
  const int* labels_;
};

}  // namespace bench
