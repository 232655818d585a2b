// Predicts how far diabetes progresses within a year, with a regularized net, a linear model and the plain mean for comparison.
//
// The data is small and noisy, so the test score depends on the split. The program divides the data several times and prints the mean R2
// and RMSE of each model.
#include <chainrule/chainrule.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "support/flags.hpp"
#include "support/training_output.hpp"
namespace cr = chainrule;
using cr::Index;

using Data = cr::RegressionDataset<float>;
// Normalize standardizes the ten measurements in both nets. A single Dense layer without an activation is linear regression.
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

/// Trains the net on `data` and predicts the targets of `x` in their original unit. The scaling and the decision when to stop depend on
/// `data` only, never on `x`.
template <class Net>
Eigen::MatrixXf learn_and_predict(Net& net, const Data& data, const Eigen::MatrixXf& x, const Options& options, cr::History& history) {
  auto [train, validation] = cr::split(data, {.test_share = 0.2, .seed = cr::Seed{options.seed}});
  net.template buffers<0>().set(cr::Standardizer<float>(train.features));
  const cr::Standardizer<float> unit(train.targets);  // the net learns targets of mean 0 and standard deviation 1
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

/// R2 and RMSE on the test part of each split.
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
  examples::Flags flags("Learns to predict a number from ten others, and measures the error on data that the net has not seen.");
  flags.add("--epochs", options.epochs, "Largest number of passes through the training samples");
  flags.add("--batch-size", options.batch_size, "Number of samples per step");
  flags.add("--learning-rate", options.learning_rate, "Step size of gradient descent");
  flags.add("--l2", options.l2, "Strength of the L2 penalty on large weights");
  flags.add("--patience", options.patience, "Number of epochs without improvement after which training ends");
  flags.add("--splits", splits, "Number of random splits into training and test data", 1, 1000);
  flags.add_seed(options.seed, "the initial weights and all splits");
  flags.add("--data", path, "CSV file with a header, ten numbers and a column progression");
  const examples::TrainingOutput output(flags, "regression");
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
  output.write_learning_curves(history);  // curves of the net trained on the last split
  std::printf("test R2 %.3f, RMSE %.1f (mean of %td splits; a linear model: %.3f, %.1f)\n", mean(small.r2), mean(small.rmse), splits,
              mean(linear.r2), mean(linear.rmse));
} catch (const std::exception& error) {
  std::fprintf(stderr, "regression: %s\n", error.what());
  return 1;
}
