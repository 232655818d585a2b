#pragma once
// A network of ours behind the interface of the table. Only the public headers.

#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/kernels/thread_team.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/sgd.hpp>
#include <optional>
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
        x_{Eigen::Map<const X>(problem.x.data(), problem.row.widths.front(), problem.row.batch)},
        sample_{x_.col(0)},
        y_{Eigen::Map<const Y>(problem.y.data(), problem.row.widths.back(), problem.row.batch)},
        labels_{problem.labels} {
    net_.parameters() = Eigen::Map<const cr::Vector<Scalar>>(problem.theta.data(), static_cast<Eigen::Index>(problem.theta.size()));
    if (threads > 1) work_.set_team(&team_.emplace(threads));
  }

  void step() override {
    net_.forward(x_, work_);
    if constexpr (has_labels)
      net_.backward(x_, labels_, work_, dJ_);
    else
      net_.backward(x_, y_, work_, dJ_);
    sgd_.step(net_.parameters(), dJ_);
  }

  Scalar predict() override { return x_.cols() == 1 ? net_.predict(sample_, work_)(0, 0) : net_.predict(x_, work_)(0, 0); }

  std::vector<Scalar> parameters() const override {
    return {net_.parameters().data(), net_.parameters().data() + net_.parameters().size()};
  }

 private:
  using Y = Eigen::Matrix<Scalar, Outputs, Eigen::Dynamic>;
  static constexpr bool has_labels =
      std::is_same_v<std::decay_t<decltype(std::declval<const Net&>().loss_function())>, cr::SoftmaxCrossEntropy>;

  std::optional<cr::ThreadTeam> team_;
  Net net_;
  typename Net::template Workspace<> work_;
  typename Net::Gradients dJ_;
  cr::SGD sgd_;
  X x_;
  Eigen::Matrix<Scalar, Inputs, 1> sample_;
  Y y_;
  std::vector<int> labels_;
};

}  // namespace bench
