#pragma once
// The interface between the benchmark and the libraries it compares: a Row of the table, its numbers (Problem), and a library's net
// (Learner).

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bench {

using Scalar = CHAINRULE_BENCHMARK_SCALAR;  // float or double; each has its own program

enum class Activation { relu, tanh, sigmoid };
enum class Loss { squared, softmax };

/// A row of the table: a net, a batch size, and whether prediction or a training step is measured. Hidden layers have the activation; the
/// last layer is linear.
struct Row {
  std::vector<int> widths;
  Activation activation;
  Loss loss;
  int batch;
  bool predicts = false;

  std::string net() const {  // for example "28-300x5-1", with five hidden layers of 300 units
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

  // W(l) a(l) forward, delta a^T and W^T delta backward take 2 in out operations each; the first layer needs no W^T delta.
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

/// A row and its data. theta holds W (out x in, column-major) and b of each layer. One column of x and y is one sample.
struct Problem {
  Row row;
  std::vector<Scalar> theta, x, y;
  std::vector<int> labels;  ///< for softmax; y holds them one-hot
  double learning_rate;
};

/// Makes the data of a row, the same for every contender and in every run.
Problem make_problem(const Row& row, double learning_rate);

/// A net of one library. It may use the data of its problem in place, which must outlive it.
struct Learner {
  virtual ~Learner() = default;
  /// Called before each series of steps, to apply settings that all learners of one library share.
  virtual void begin() {}
  /// Replaces x and the labels by others of the same size. Returns false if the learner cannot.
  virtual bool set_samples(const Scalar* /*x*/, const int* /*labels*/) { return false; }
  /// Forward pass, backward pass and update by plain SGD, without computing the value of the loss.
  virtual void step() = 0;
  /// From now on a step is the calls `backward` and `step` one after the other, and not `descend`, which does both at once.
  virtual void separate_backward_and_step() {}
  /// Predicts all samples of the row, with softmax applied, and returns the first number of the result.
  virtual Scalar predict() = 0;
  /// The parameters in the order of Problem::theta; empty if they cannot be read.
  virtual std::vector<Scalar> parameters() const = 0;
};

/// A contender: a library, or one way to use it. make returns nullptr for a row that the contender cannot run.
struct Peer {
  std::string name;
  std::function<std::unique_ptr<Learner>(const Problem&)> make;
  int threads = 1;

  std::string label() const { return threads > 1 ? name + std::to_string(threads) : name; }  // for example "ours" and "ours2"
};

/// chainrule with extents in types (nullptr for a net that is not in the table) or known at run time.
std::unique_ptr<Learner> make_fixed(const Problem& problem, int threads);
std::unique_ptr<Learner> make_dynamic(const Problem& problem, int threads);

/// chainrule with layers and loss known at run time, on one thread.
std::unique_ptr<Learner> make_any(const Problem& problem);

/// The rows of the table.
std::vector<Row> all_rows();

/// Runs some million fused multiply-adds on registers and returns how many floating-point operations that were.
double run_peak();
const char* peak_name();

}  // namespace bench
