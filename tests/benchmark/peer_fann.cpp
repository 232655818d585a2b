// FANN, which processes a batch sample by sample; one epoch of its batch training is one step here. It has neither ReLU nor softmax, so it
// takes part only in the rows without them.

#include "peers.hpp"

#if CHAINRULE_BENCHMARK_DOUBLE
#include <doublefann.h>
#else
#include <floatfann.h>
#endif

namespace bench {
namespace {

class Fann final : public Learner {
 public:
  explicit Fann(const Problem& problem) : row_{problem.row} {
    const std::vector<unsigned> widths(row_.widths.begin(), row_.widths.end());
    ann_.reset(fann_create_standard_array(static_cast<unsigned>(widths.size()), widths.data()));
    // FANN computes 1/(1 + exp(-2 s z)) and tanh(s z) with steepness s
    const bool sigmoid = row_.activation == Activation::sigmoid;
    fann_set_activation_function_hidden(ann_.get(), sigmoid ? FANN_SIGMOID : FANN_SIGMOID_SYMMETRIC);
    fann_set_activation_steepness_hidden(ann_.get(), sigmoid ? Scalar(0.5) : Scalar(1));
    fann_set_activation_function_output(ann_.get(), FANN_LINEAR);
    fann_set_activation_steepness_output(ann_.get(), 1);
    fann_set_training_algorithm(ann_.get(), FANN_TRAIN_BATCH);
    fann_set_train_error_function(ann_.get(), FANN_ERRORFUNC_LINEAR);
    fann_set_learning_rate(ann_.get(), static_cast<float>(problem.learning_rate));
    for_each_parameter([theta = problem.theta](std::size_t i, Scalar& weight) { weight = theta[i]; });

    data_.reset(fann_create_train(static_cast<unsigned>(row_.batch), widths.front(), widths.back()));
    for (std::size_t i = 0; i < static_cast<std::size_t>(row_.batch); ++i) {
      std::copy_n(problem.x.data() + i * widths.front(), widths.front(), data_->input[i]);
      std::copy_n(problem.y.data() + i * widths.back(), widths.back(), data_->output[i]);
    }
  }

  void step() override { fann_train_epoch(ann_.get(), data_.get()); }

  Scalar predict() override {
    Scalar first = 0;
    for (int i = 0; i < row_.batch; ++i) {
      const Scalar number = fann_run(ann_.get(), data_->input[i])[0];
      if (i == 0) first = number;
    }
    return first;
  }

  std::vector<Scalar> parameters() const override {
    std::vector<Scalar> theta(row_.parameters());
    for_each_parameter([&](std::size_t i, Scalar& weight) { theta[i] = weight; });
    return theta;
  }

 private:
  // Calls visit(i, weight) for each weight, where i is its index in Problem::theta. FANN stores W by rows, each followed by its bias.
  template <class F>
  void for_each_parameter(const F& visit) const {
    Scalar* weight = ann_->weights;
    for (std::size_t l = 0, begin = 0; l + 1 < row_.widths.size(); ++l) {
      const auto in = static_cast<std::size_t>(row_.widths[l]), out = static_cast<std::size_t>(row_.widths[l + 1]);
      for (std::size_t i = 0; i < out; ++i)
        for (std::size_t j = 0; j <= in; ++j) visit(begin + j * out + i, *weight++);
      begin += (in + 1) * out;
    }
  }

  struct Destroy {
    void operator()(fann* ann) const { fann_destroy(ann); }
    void operator()(fann_train_data* data) const { fann_destroy_train(data); }
  };

  Row row_;
  std::unique_ptr<fann, Destroy> ann_;
  std::unique_ptr<fann_train_data, Destroy> data_;
};

}  // namespace

[[gnu::visibility("default")]] std::unique_ptr<Learner> make_fann(const Problem& problem) {
  if (problem.row.loss == Loss::softmax || problem.row.activation == Activation::relu) return nullptr;
  return std::make_unique<Fann>(problem);
}

}  // namespace bench
