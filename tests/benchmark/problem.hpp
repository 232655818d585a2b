#pragma once
// What every contender is given, and what it gives back: the one interface between the table and the libraries in it.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bench {

using Scalar = CHAINRULE_BENCHMARK_SCALAR;  // float or double, one program each

enum class Activation { relu, tanh, sigmoid };
enum class Loss { squared, softmax };

/// A net and a batch: the hidden layers have the activation, the last one is linear. samples > 0: a row of prediction, not of training.
struct Row {
  std::vector<int> widths;
  Activation activation;
  Loss loss;
  int batch;
  bool predicts = false;

  std::string net() const {  // 28-300x5-1
    std::string name;
    for (std::size_t i = 0, next; i < widths.size(); i = next) {
      for (next = i; next < widths.size() && widths[next] == widths[i];) ++next;
      name += (i == 0 ? "" : "-") + std::to_string(widths[i]);
      if (next - i > 4) name += "x" + std::to_string(next - i);
      if (next - i <= 4) next = i + 1;
    }
    return name;
  }
  std::string name() const {
    const char* activations[] = {"relu", "tanh", "sigmoid"};
    const char* losses[] = {"squared", "softmax"};
    return (predicts ? "predict/" : "train/") + net() + "/" + activations[static_cast<int>(activation)] + "/" +
           losses[static_cast<int>(loss)] + "/" + std::to_string(batch);
  }

  bool same_net(const Row& other) const { return widths == other.widths && activation == other.activation && loss == other.loss; }

  // W(l) a(l) forward, delta a^T and W^T delta backward, 2 in out each; the first layer has no W^T delta
  double flop() const {
    double sum = 0;
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) sum += (predicts ? 2.0 : 6.0) * widths[l] * widths[l + 1];
    if (!predicts) sum -= 2.0 * widths[0] * widths[1];
    return sum * batch;
  }
  std::size_t parameters() const {
    std::size_t sum = 0;
    for (std::size_t l = 0; l + 1 < widths.size(); ++l)
      sum += static_cast<std::size_t>(widths[l] + 1) * static_cast<std::size_t>(widths[l + 1]);
    return sum;
  }
};

/// A row with its numbers. theta: for each layer W (out x in, column-major), then b. One column of x and y is one sample.
struct Problem {
  Row row;
  std::vector<Scalar> theta, x, y;
  std::vector<int> labels;  ///< for softmax; y has them one-hot
  double learning_rate;
};

/// The numbers of a row, the same for everybody and in every run.
Problem make_problem(const Row& row, double learning_rate);

/// A net of some library. Its problem outlives it, and its data may be used in place. A step: forward, backward, plain SGD, without the
/// value of the loss.
struct Learner {
  virtual ~Learner() = default;
  virtual void begin() {}  ///< before each series of steps: settings that several learners of one library share
  /// Takes other samples from now on, as many and also with labels. Whether it can.
  virtual bool use(const Scalar* /*x*/, const int* /*labels*/) { return false; }
  virtual void step() = 0;
  virtual Scalar predict() = 0;                        ///< all samples of the row, softmax applied; one number of the answer
  virtual std::vector<Scalar> parameters() const = 0;  ///< in the order of Problem::theta; empty: they cannot be compared
};

/// One library, or one way to use it. make gives nullptr for a row that it does not do.
struct Peer {
  std::string name;
  std::function<std::unique_ptr<Learner>(const Problem&)> make;
  int threads = 1;
};

/// Ours, with extents as types (nullptr for a net that is not in the table) or as values.
std::unique_ptr<Learner> make_fixed(const Problem& problem, int threads);
std::unique_ptr<Learner> make_dynamic(const Problem& problem, int threads);

/// Ours with layers and loss known at run time, on one thread.
std::unique_ptr<Learner> make_any(const Problem& problem);

/// The rows of the table.
std::vector<Row> all_rows();

/// Fused multiply-adds on registers: runs some millions and says how many floating-point operations that were.
double run_peak();
const char* peak_name();

}  // namespace bench
