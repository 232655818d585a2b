// oneDNN: its inner_product and eltwise primitives, forward and backward. It has neither losses nor SGD, so these are loops here. Weights
// have the layout that oneDNN prefers (format any), and gradients are converted to the same layout.

#include <cmath>
#include <dnnl.hpp>
#include <unordered_map>

#include "peers.hpp"

namespace bench {
namespace {

using namespace dnnl;
using Tag = memory::format_tag;

class OneDnn final : public Learner {
 public:
  explicit OneDnn(const Problem& problem)
      : row_{problem.row}, rate_{static_cast<float>(problem.learning_rate)}, y_{problem.y.begin(), problem.y.end()} {
    const memory::dim batch = row_.batch;
    const std::size_t layers = row_.widths.size() - 1;
    const algorithm f = row_.activation == Activation::relu   ? algorithm::eltwise_relu
                        : row_.activation == Activation::tanh ? algorithm::eltwise_tanh_use_dst_for_bwd
                                                              : algorithm::eltwise_logistic_use_dst_for_bwd;
    const algorithm from_output = row_.activation == Activation::relu ? algorithm::eltwise_relu_use_dst_for_bwd : f;
    a_.push_back(plain({batch, row_.widths[0]}));
    std::copy(problem.x.begin(), problem.x.end(), data(a_[0]));
    delta_.emplace_back();  // unused: no gradient with respect to x is computed

    const Scalar* theta = problem.theta.data();
    for (std::size_t l = 0; l < layers; ++l) {
      const memory::dim in = row_.widths[l], out = row_.widths[l + 1];
      const auto any = [](memory::dims dims) { return memory::desc(dims, memory::data_type::f32, Tag::any); };
      const auto source = a_[l].get_desc();
      const memory::desc result({batch, out}, memory::data_type::f32, Tag::nc), bias({out}, memory::data_type::f32, Tag::x);
      const bool hidden = l + 1 < layers;

      primitive_attr with_activation;
      post_ops after;
      if (hidden) after.append_eltwise(1, f, 0, 0);
      with_activation.set_post_ops(after);
      const inner_product_forward::primitive_desc forward({prop_kind::forward_training, source, any({out, in}), bias, result},
                                                          with_activation, engine_);
      W_.push_back(memory(forward.weights_desc(), engine_));
      b_.push_back(memory(bias, engine_));
      a_.push_back(memory(result, engine_));
      delta_.push_back(memory(result, engine_));

      // our W, out x in and column-major, has oneDNN's format io
      memory ours({{out, in}, memory::data_type::f32, Tag::io}, engine_);
      std::copy(theta, theta + in * out, data(ours));
      copy(ours, W_[l]);
      std::copy(theta + in * out, theta + (in + 1) * out, data(b_[l]));
      theta += (in + 1) * out;
      forward_.push_back({inner_product_forward(forward),
                          {{DNNL_ARG_SRC, a_[l]}, {DNNL_ARG_WEIGHTS, W_[l]}, {DNNL_ARG_BIAS, b_[l]}, {DNNL_ARG_DST, a_[l + 1]}}});

      if (hidden) {
        const eltwise_forward::primitive_desc hint({prop_kind::forward_training, from_output, result, 0.0f}, engine_);
        const eltwise_backward::primitive_desc derivative({from_output, result, result, 0.0f}, engine_, hint);
        backward_.push_back({eltwise_backward(derivative),
                             {{DNNL_ARG_DST, a_[l + 1]}, {DNNL_ARG_DIFF_DST, delta_[l + 1]}, {DNNL_ARG_DIFF_SRC, delta_[l + 1]}}});
      }
      std::size_t at = backward_.size();
      const inner_product_backward_weights::primitive_desc weights({source, any({out, in}), bias, result}, engine_, forward);
      dW_.push_back(memory(weights.diff_weights_desc(), engine_));
      db_.push_back(memory(bias, engine_));
      backward_.push_back(
          {inner_product_backward_weights(weights),
           {{DNNL_ARG_SRC, a_[l]}, {DNNL_ARG_DIFF_DST, delta_[l + 1]}, {DNNL_ARG_DIFF_WEIGHTS, dW_[l]}, {DNNL_ARG_DIFF_BIAS, db_[l]}}});
      if (dW_[l].get_desc() != W_[l].get_desc()) {  // converts dJ/dW to the layout of W
        memory reordered(W_[l].get_desc(), engine_);
        backward_.push_back({reorder(dW_[l], reordered), {{DNNL_ARG_FROM, dW_[l]}, {DNNL_ARG_TO, reordered}}});
        dW_[l] = reordered;
      }
      if (l > 0) {
        const inner_product_backward_data::primitive_desc input({source, any({out, in}), result}, engine_, forward);
        memory weight = W_[l];
        if (input.weights_desc() != W_[l].get_desc()) {
          weight = memory(input.weights_desc(), engine_);
          backward_.push_back({reorder(W_[l], weight), {{DNNL_ARG_FROM, W_[l]}, {DNNL_ARG_TO, weight}}});
        }
        backward_.push_back({inner_product_backward_data(input),
                             {{DNNL_ARG_WEIGHTS, weight}, {DNNL_ARG_DIFF_DST, delta_[l + 1]}, {DNNL_ARG_DIFF_SRC, delta_[l]}}});
      }
      first_of_layer_.push_back(at - (hidden ? 1 : 0));
    }
  }

  void step() override {
    run(forward_, 0, forward_.size());
    output_delta();
    for (std::size_t l = W_.size(), end = backward_.size(); l-- > 0; end = first_of_layer_[l]) run(backward_, first_of_layer_[l], end);
    stream_.wait();
    for (std::size_t l = 0; l < W_.size(); ++l) {
      descend(W_[l], dW_[l]);
      descend(b_[l], db_[l]);
    }
  }

  Scalar predict() override {
    run(forward_, 0, forward_.size());
    stream_.wait();
    if (row_.loss == Loss::softmax) softmax(data(a_.back()));
    return static_cast<Scalar>(data(a_.back())[0]);
  }

  std::vector<Scalar> parameters() const override {
    std::vector<Scalar> theta;
    for (std::size_t l = 0; l < W_.size(); ++l) {
      memory ours({{row_.widths[l + 1], row_.widths[l]}, memory::data_type::f32, Tag::io}, engine_);
      copy(W_[l], ours);
      theta.insert(theta.end(), data(ours), data(ours) + row_.widths[l] * row_.widths[l + 1]);
      theta.insert(theta.end(), data(b_[l]), data(b_[l]) + row_.widths[l + 1]);
    }
    return theta;
  }

 private:
  struct Call {
    primitive what;
    std::unordered_map<int, memory> with;
  };

  static float* data(const memory& of) { return static_cast<float*>(of.get_data_handle()); }
  memory plain(const memory::dims& dims) const { return memory({dims, memory::data_type::f32, Tag::nc}, engine_); }
  void copy(memory from, memory to) const {
    stream on(engine_);
    reorder(from, to).execute(on, from, to);
    on.wait();
  }
  void run(const std::vector<Call>& calls, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) calls[i].what.execute(stream_, calls[i].with);
  }

  void softmax(float* a) const {
    const int outputs = row_.widths.back();
    for (int i = 0; i < row_.batch; ++i, a += outputs) {
      float largest = a[0], sum = 0;
      for (int k = 1; k < outputs; ++k) largest = std::max(largest, a[k]);
      for (int k = 0; k < outputs; ++k) sum += a[k] = std::exp(a[k] - largest);
      for (int k = 0; k < outputs; ++k) a[k] *= 1 / sum;
    }
  }

  // delta(L+1) = (y_hat - y)/batch
  void output_delta() {
    stream_.wait();
    float* a = data(a_.back());
    float* delta = data(delta_.back());
    if (row_.loss == Loss::softmax) softmax(a);
    const float scale = 1 / static_cast<float>(row_.batch);
    for (std::size_t i = 0; i < y_.size(); ++i) delta[i] = (a[i] - y_[i]) * scale;
  }

  void descend(const memory& theta, const memory& gradient) const {
    float* to = data(theta);
    const float* from = data(gradient);
    const std::size_t size = theta.get_desc().get_size() / sizeof(float);
    for (std::size_t i = 0; i < size; ++i) to[i] -= rate_ * from[i];
  }

  Row row_;
  float rate_;
  std::vector<float> y_;
  engine engine_{engine::kind::cpu, 0};
  stream stream_{engine_};
  std::vector<memory> W_, b_, dW_, db_, a_, delta_;
  std::vector<Call> forward_, backward_;
  std::vector<std::size_t> first_of_layer_;
};

}  // namespace

[[gnu::visibility("default")]] std::unique_ptr<Learner> make_onednn(const Problem& problem) {
  if (sizeof(Scalar) != sizeof(float)) return nullptr;  // oneDNN does not compute in double
  return std::make_unique<OneDnn>(problem);
}

}  // namespace bench
