// Predicts how far diabetes progresses within a year, with a regularised net beside a linear model and the plain mean.
#include <chainrule/chainrule.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "support/flags.hpp"
#include "support/output.hpp"
namespace cr = chainrule;
using cr::Index;

using Data = cr::RegressionDataset<float>;
// Both bring the ten measurements to mean 0 and deviation 1 first; a single Dense without an activation is linear regression.
using Linear = cr::Network<float, cr::MeanSquaredError, cr::Normalize<10>, cr::Dense<10, 1>>;
using Small = cr::Network<float, cr::MeanSquaredError, cr::Normalize<10>, cr::Dense<10, 16, cr::ReLU>, cr::Dense<16, 1>>;

struct Options {
  Index epochs = 500;
  Index batch_size = 32;
  double learning_rate = 0.01;
  double l2 = 0.1;
  Index patience = 20;
  std::uint64_t seed = 1;
};

/// Has the net learn from `data` and predict the targets of `x` in their own unit. Whatever is fitted, be it to scale or to decide when
/// to stop, is fitted to `data` alone.
template <class Net>
Eigen::MatrixXf learn_and_predict(Net& net, const Data& data, const Eigen::MatrixXf& x, const Options& options, cr::History& history) {
  auto [train, validation] = cr::split(data, {.test_share = 0.2, .seed = cr::Seed{options.seed}});
  net.template buffers<0>().set(cr::Standardizer<float>(train.features));
  const cr::Standardizer<float> unit(train.targets);  // the net learns a target of mean 0 and deviation 1
  unit.transform_in_place(train.targets);
  unit.transform_in_place(validation.targets);

  cr::Trainer trainer{net, cr::Adam{.learning_rate = options.learning_rate}};
  history = trainer.fit(train,
                        {.epochs = options.epochs,
                         .batch_size = options.batch_size,
                         .validation = validation,
                         .seed = cr::Seed{options.seed},
                         .l2 = options.l2},
                        cr::EarlyStopping{.patience = options.patience});
  return unit.inverse(net.predict(x));
}

/// How good some predictions were, over several splits.
struct Scores {
  std::vector<double> r2;
  std::vector<double> rmse;

  void add(const Eigen::MatrixXf& y_hat, const Eigen::MatrixXf& y) {
    r2.push_back(cr::r2(y_hat, y));
    rmse.push_back(cr::rmse(y_hat, y));
  }
};

double mean(const std::vector<double>& numbers) { return Eigen::Map<const Eigen::VectorXd>(numbers.data(), std::ssize(numbers)).mean(); }

int main(int argc, char** argv) try {
  Options options;
  std::string path = CHAINRULE_EXAMPLE_DATA "/diabetes.csv";
  Index splits = 5;
  examples::Flags flags("Learns to predict a number from ten others, and measures it on data that it has not seen.");
  flags.add("--epochs", options.epochs, "How often to go through the training samples at most");
  flags.add("--batch-size", options.batch_size, "How many samples go into one step");
  flags.add("--learning-rate", options.learning_rate, "How long a step is");
  flags.add("--l2", options.l2, "How much large weights cost");
  flags.add("--patience", options.patience, "How many epochs without improvement end a training");
  flags.add("--splits", splits, "How often to divide the data for training and testing", 1, 1000);
  flags.add_seed(options.seed, "the initial weights and all splits");
  flags.add("--data", path, "A CSV file with a header, ten numbers and a column progression");
  const examples::Output output(flags, "regression");
  flags.parse(argc, argv);

  const auto data = cr::read_csv<Data>(path, {.target = "progression"});
  std::printf("%s\n", cr::summary(Small{cr::Seed{options.seed}}).c_str());
  std::printf("        R2 on the test part      RMSE on the test part\n");
  std::printf("split   mean  linear     net      mean  linear     net\n");
  Scores constant, linear, small;
  cr::History history;
  for (Index split = 1; split <= splits; ++split, ++options.seed) {
    const auto [rest, test] = cr::split(data, {.test_share = 0.2, .seed = cr::Seed{options.seed}});
    constant.add(Eigen::MatrixXf::Constant(1, test.size(), rest.targets.mean()), test.targets);
    Linear linear_net{cr::Seed{options.seed}};
    linear.add(learn_and_predict(linear_net, rest, test.features, options, history), test.targets);
    Small net{cr::Seed{options.seed}};
    small.add(learn_and_predict(net, rest, test.features, options, history), test.targets);
    std::printf("%5td  %5.2f  %6.3f  %6.3f    %6.2f  %6.2f  %6.2f\n", split, constant.r2.back(), linear.r2.back(), small.r2.back(),
                constant.rmse.back(), linear.rmse.back(), small.rmse.back());
  }
  std::printf(" mean  %5.2f  %6.3f  %6.3f    %6.2f  %6.2f  %6.2f\n\n", mean(constant.r2), mean(linear.r2), mean(small.r2),
              mean(constant.rmse), mean(linear.rmse), mean(small.rmse));
  output.write_learning_curves(history);  // of the last net
  std::printf("test R2 %.3f, RMSE %.1f (mean of %td splits; a linear model: %.3f, %.1f)\n", mean(small.r2), mean(small.rmse), splits,
              mean(linear.r2), mean(linear.rmse));
} catch (const std::exception& error) {
  std::fprintf(stderr, "regression: %s\n", error.what());
  return 1;
}
