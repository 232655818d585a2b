// dlib, whose nets are types: its fc layers and losses, and its sgd without momentum and weight decay. It computes in float only.

#include <dlib/dnn.h>

#include "peers.hpp"
#include "rows.hpp"

namespace bench {
namespace {

using Input = dlib::input<dlib::matrix<float>>;

template <Activation A, class Below>
struct Activated;
template <class Below>
struct Activated<Activation::relu, Below> {
  using type = dlib::relu<Below>;
};
template <class Below>
struct Activated<Activation::tanh, Below> {
  using type = dlib::htan<Below>;
};
template <class Below>
struct Activated<Activation::sigmoid, Below> {
  using type = dlib::sig<Below>;
};

// Stacks layers with these widths on top of Below; the last one is linear.
template <Activation A, class Below, int Width, int... Rest>
struct Stack {
  using type = typename Stack<A, typename Activated<A, dlib::fc<Width, Below>>::type, Rest...>::type;
};
template <Activation A, class Below, int Width>
struct Stack<A, Below, Width> {
  using type = dlib::fc<Width, Below>;
};

template <Loss L, class Layers>
using WithLoss = std::conditional_t<L == Loss::softmax, dlib::loss_multiclass_log<Layers>, dlib::loss_mean_squared_multioutput<Layers>>;

template <Loss L, class Net>
class Dlib final : public Learner {
 public:
  explicit Dlib(const Problem& problem) : problem_{problem}, solvers_{64, dlib::sgd(0, 0)} {
    const int in = problem.row.widths.front(), out = problem.row.widths.back();
    std::vector<dlib::matrix<float>> samples;
    for (int i = 0; i < problem.row.batch; ++i) {
      dlib::matrix<float> sample(in, 1);
      for (int k = 0; k < in; ++k) sample(k) = static_cast<float>(problem.x[static_cast<std::size_t>(i * in + k)]);
      samples.push_back(sample);
      if constexpr (L == Loss::softmax) {
        targets_.push_back(static_cast<unsigned long>(problem.labels[static_cast<std::size_t>(i)]));
      } else {
        dlib::matrix<float> y(out, 1);
        for (int k = 0; k < out; ++k) y(k) = static_cast<float>(problem.y[static_cast<std::size_t>(i * out + k)]);
        targets_.push_back(y);
      }
    }
    net_.to_tensor(samples.begin(), samples.end(), x_);
    net_.subnet().forward(x_);  // the first forward pass allocates the parameters
    for_each_parameter([&](std::size_t i, float& parameter) { parameter = static_cast<float>(problem.theta[i]); });
  }

  void step() override {
    net_.compute_parameter_gradients(x_, targets_.begin());
    net_.update_parameters(solvers_, problem_.learning_rate);
  }

  Scalar predict() override {
    const dlib::tensor& y_hat = net_.subnet().forward(x_);
    if (L == Loss::squared) return static_cast<Scalar>(y_hat.host()[0]);
    probabilities_.copy_size(y_hat);
    dlib::tt::softmax(probabilities_, y_hat);
    return static_cast<Scalar>(probabilities_.host()[0]);
  }

  std::vector<Scalar> parameters() const override {
    std::vector<Scalar> theta(problem_.theta.size());
    const_cast<Dlib*>(this)->for_each_parameter([&](std::size_t i, float& parameter) { theta[i] = static_cast<Scalar>(parameter); });
    return theta;
  }

 private:
  // Calls visit(i, parameter) for each parameter, where i is its index in Problem::theta. dlib stores a layer as W, then b, like us, and
  // visits layers from the last to the first.
  template <class F>
  void for_each_parameter(const F& visit) {
    std::size_t end = problem_.theta.size();
    dlib::visit_layer_parameters(net_, [&](std::size_t, dlib::tensor& layer) {
      end -= layer.size();
      float* parameters = layer.host();
      for (std::size_t i = 0; i < layer.size(); ++i) visit(end + i, parameters[i]);
    });
  }

  Problem problem_;
  Net net_;
  std::vector<dlib::sgd> solvers_;
  dlib::resizable_tensor x_, probabilities_;
  std::vector<std::conditional_t<L == Loss::softmax, unsigned long, dlib::matrix<float>>> targets_;
};

template <Activation A, Loss L, int First, int... Widths>
std::unique_ptr<Learner> make(NetOf<A, L, First, Widths...>, const Problem& problem) {
  return std::make_unique<Dlib<L, WithLoss<L, typename Stack<A, Input, Widths...>::type>>>(problem);
}

}  // namespace

[[gnu::visibility("default")]] std::unique_ptr<Learner> make_dlib(const Problem& problem) {
  std::unique_ptr<Learner> learner;
  if (sizeof(Scalar) != sizeof(float)) return learner;
  for_each_net([&]<std::size_t, class Net>() {
    if (Net::value().same_net(problem.row)) learner = make(Net{}, problem);
  });
  return learner;
}

}  // namespace bench
