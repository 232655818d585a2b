// mnist FOLDER THREADS: five epochs of MNIST with a 784-128-10 net (ReLU, softmax, SGD with learning rate 0.1, batches of 64). Prints the
// seconds of the training loop and the accuracy on the test images, for chainrule and the Eigen loop, measured alternately.

#include <chainrule/data/idx.hpp>
#include <cstdio>
#include <cstdlib>

#include "peers.hpp"
#include "stopwatch.hpp"

namespace {

using namespace bench;
namespace cr = chainrule;
using Images = cr::Dataset<Scalar>;

Images read(const std::string& folder, const std::string& part) {
  return cr::read_idx<Scalar>(folder + "/" + part + "-images-idx3-ubyte", folder + "/" + part + "-labels-idx1-ubyte");
}

/// Accuracy of a net with one hidden layer and these parameters. All contenders are evaluated with this code.
double accuracy(const std::vector<Scalar>& theta, const Row& row, const Images& test) {
  using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
  const int in = row.widths[0], hidden = row.widths[1], out = row.widths[2];
  const Scalar* W1 = theta.data();
  const Scalar* b1 = W1 + in * hidden;
  const Scalar* W2 = b1 + hidden;
  const Scalar* b2 = W2 + hidden * out;
  Matrix a = Eigen::Map<const Matrix>(W1, hidden, in) * test.features;
  a = (a.colwise() + Eigen::Map<const Matrix>(b1, hidden, 1).col(0)).cwiseMax(Scalar(0));
  Matrix y_hat = Eigen::Map<const Matrix>(W2, out, hidden) * a;
  y_hat.colwise() += Eigen::Map<const Matrix>(b2, out, 1).col(0);
  int right = 0;
  for (Eigen::Index i = 0; i < y_hat.cols(); ++i) {
    Eigen::Index label = 0;
    y_hat.col(i).maxCoeff(&label);
    right += label == static_cast<Eigen::Index>(test.targets[static_cast<std::size_t>(i)]) ? 1 : 0;
  }
  return right / static_cast<double>(y_hat.cols());
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) return std::fprintf(stderr, "usage: mnist FOLDER THREADS\n"), 2;
  const int threads = std::atoi(argv[2]);
  const Images train = read(argv[1], "train"), test = read(argv[1], "t10k");
  const std::vector<int> labels(train.targets.begin(), train.targets.end());
  const Row row{{784, 128, 10}, Activation::relu, Loss::softmax, 64};
  const Problem problem = make_problem(row, 0.1);
  const long batches = static_cast<long>(labels.size()) / row.batch;
  constexpr int epochs = 5, repetitions = 3;

  std::vector<Peer> peers{{"ours", [](const Problem& p) { return make_fixed(p, 1); }},
                          {"Eigen loop", [](const Problem& p) { return make_eigen_loop(p, 1); }}};
  if (threads > 1)
    peers.push_back({"ours, " + std::to_string(threads) + " threads", [&](const Problem& p) { return make_fixed(p, threads); }});
  std::vector<std::vector<double>> seconds(peers.size());
  std::vector<double> right(peers.size());
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    for (std::size_t p = 0; p < peers.size(); ++p) {
      const auto learner = peers[p].make(problem);
      const double begin = now();
      for (int epoch = 0; epoch < epochs; ++epoch) {
        for (long i = 0; i < batches; ++i) {
          learner->set_samples(train.features.data() + i * row.batch * row.widths[0], labels.data() + i * row.batch);
          learner->step();
        }
      }
      seconds[p].push_back(now() - begin);
      right[p] = accuracy(learner->parameters(), row, test);
    }
  }
  std::printf("MNIST, %s, batches of %d, SGD %g, %d epochs of %ld steps; %s\n", row.net().c_str(), row.batch, problem.learning_rate, epochs,
              batches, CHAINRULE_BENCHMARK_TITLE);
  for (std::size_t p = 0; p < peers.size(); ++p)
    std::printf("%-16s %7.3f s  %9.0f samples/s  test accuracy %.4f\n", peers[p].name.c_str(), median(seconds[p]),
                epochs * static_cast<double>(batches) * row.batch / median(seconds[p]), right[p]);
  std::printf("ratio mnist eigen %.3f\n", median(seconds[1]) / median(seconds[0]));
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
