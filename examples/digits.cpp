// Reads handwritten digits, 8 x 8 pixels each: 1,437 to learn from, 360 to be tested on.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>
namespace cr = chainrule;
using cr::Index;

constexpr int width = 8;
constexpr int pixels = width * width;
constexpr int darkest = 16;
constexpr int classes = 10;

// 64 pixels -> hidden units -> 10 logits, of which the loss makes probabilities. How many hidden units is known at run time.
using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<pixels, cr::Dynamic, cr::ReLU>, cr::Dense<cr::Dynamic, classes>>;

struct Options {
  std::string data = CHAINRULE_EXAMPLE_DATA "/digits.csv";
  int epochs = 60;
  Index batch_size = 16;
  double learning_rate = 0.2;
  Index hidden = 256;
  std::uint64_t seed = 1;
};

/// One column is one sample.
struct Digits {
  Eigen::MatrixXf images;  // pixels x samples, each pixel from 0 (paper) to 1 (ink)
  Eigen::VectorXi labels;  // the digit that it is

  explicit Digits(Index samples) : images(pixels, samples), labels(samples) {}
  Index size() const { return labels.size(); }
};

/// Copies these samples, in this order, to the first columns of `to`.
void gather(const Digits& from, std::span<const Index> which, Digits& to) {
  for (Index k = 0; const Index i : which) {
    to.images.col(k) = from.images.col(i);
    to.labels[k++] = from.labels[i];
  }
}

/// 0, 1, 2, ..., n - 1
std::vector<Index> numbers_below(Index n) {
  std::vector<Index> numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), Index{0});
  return numbers;
}

/// A file of lines like "0,0,5,13, ... ,0,7": 64 pixels from 0 to 16, row by row, then the digit.
Digits read_digits(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read \"" + path + "\"");
  std::vector<int> values;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    const std::string place = path + ", line " + std::to_string(number);
    if (const auto found = std::ranges::count(line, ',') + 1; found != pixels + 1)
      throw std::runtime_error(place + ": expected 65 values, 64 pixels and the digit, but found " + std::to_string(found));

    std::size_t begin = 0;
    for (int column = 1; column <= pixels + 1; ++column) {
      const std::string cell = line.substr(begin, line.find(',', begin) - begin);
      const int largest = column <= pixels ? darkest : classes - 1;
      int value = -1;
      const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
      if (error != std::errc{} || end != cell.data() + cell.size() || value < 0 || value > largest)
        throw std::runtime_error(place + ", column " + std::to_string(column) + ": expected a whole number from 0 to " +
                                 std::to_string(largest) + ", but found \"" + cell + "\"");
      values.push_back(value);
      begin += cell.size() + 1;
    }
  }
  if (values.empty()) throw std::runtime_error(path + " holds no digits");

  const Eigen::Map<const Eigen::MatrixXi> table(values.data(), pixels + 1, static_cast<Index>(values.size()) / (pixels + 1));
  Digits digits(table.cols());
  digits.images = table.topRows(pixels).cast<float>() / float{darkest};
  digits.labels = table.row(pixels);
  return digits;
}

/// Every fifth sample is for testing: no net ever learns from it, whatever its seed. Before, the samples are shuffled and then
/// ordered by digit, so that both parts have the same share of each digit.
std::pair<Digits, Digits> split(const Digits& all) {
  std::vector<Index> order = numbers_below(all.size());
  cr::Random random{cr::Seed{1998}};
  cr::shuffle(order.begin(), order.end(), random);
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return all.labels[a] < all.labels[b]; });

  std::vector<Index> for_training;
  std::vector<Index> for_testing;
  for (std::size_t k = 0; k < order.size(); ++k) (k % 5 == 0 ? for_testing : for_training).push_back(order[k]);
  cr::shuffle(for_testing.begin(), for_testing.end(), random);

  Digits training(std::ssize(for_training));
  Digits test(std::ssize(for_testing));
  gather(all, for_training, training);
  gather(all, for_testing, test);
  return {training, test};
}

/// The most probable digit of each sample.
Eigen::VectorXi answers(const Eigen::MatrixXf& probabilities) {
  Eigen::VectorXi digits(probabilities.cols());
  for (Index i = 0; i < digits.size(); ++i) probabilities.col(i).maxCoeff(&digits[i]);
  return digits;
}

/// The share of samples whose most probable digit is the right one.
double accuracy(const Net& net, const Digits& digits) {
  return (answers(net.predict(digits.images)).array() == digits.labels.array()).cast<double>().mean();
}

void train(Net& net, const Digits& training, const Digits& test, const Options& options, cr::Random& random) {
  // Everything is allocated here; the steps below allocate nothing.
  auto work = net.make_workspace(options.batch_size);  // the activations a(l), which the backward pass reads
  auto gradients = net.make_gradients();               // dJ/dW(l) and dJ/db(l)
  const cr::SGD sgd{.learning_rate = options.learning_rate};
  Digits batch(options.batch_size);
  std::vector<Index> order = numbers_below(training.size());

  std::printf("epoch     loss   train    test  seconds\n");
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    cr::shuffle(order.begin(), order.end(), random);
    double sum = 0;
    for (Index first = 0; first < training.size(); first += options.batch_size) {
      const Index samples = std::min(options.batch_size, training.size() - first);  // the last batch may be short
      gather(training, {order.begin() + first, order.begin() + first + samples}, batch);
      const auto x = batch.images.leftCols(samples);
      const auto y = batch.labels.head(samples);

      net.forward(x, work);                   // 1  make a prediction
      const float J = net.loss(y, work);      // 2  calculate the loss, a mean over the batch
      net.backward(x, y, work, gradients);    // 3  calculate its gradient by the chain rule
      sgd.step(net.parameters(), gradients);  // 4  take a step in the opposite direction
      sum += double{J} * static_cast<double>(samples);
    }  // 5  iterate

    const double loss = sum / static_cast<double>(training.size());
    if (!std::isfinite(loss))
      throw std::runtime_error("the loss of epoch " + std::to_string(epoch) + " is not finite; try a smaller --learning-rate");
    if (epoch == 1 || epoch % 10 == 0 || epoch == options.epochs)
      std::printf("%5d  %7.4f  %.4f  %.4f  %7.2f\n", epoch, loss, accuracy(net, training), accuracy(net, test), seconds());
  }
  std::printf("trained for %.2f seconds\n", seconds());
}

/// Up to four samples side by side, and under each what it is and what the net says, with the probability that it gives it.
void draw(const Digits& test, const Eigen::MatrixXf& probabilities, const Eigen::VectorXi& answer, std::vector<Index> which) {
  which.resize(std::min(which.size(), std::size_t{4}));
  for (int row = 0; row < width; ++row, std::printf("\n"))
    for (const Index i : which) {
      for (int column = 0; column < width; ++column) {
        const char ink = " .:-=+*#%@"[std::lround(9 * test.images(row * width + column, i))];
        std::printf("%c%c", ink, ink);
      }
      std::printf("   ");
    }
  for (const Index i : which) std::printf("a %d: says %d, %3.0f%%  ", test.labels[i], answer[i], 100 * double{probabilities(answer[i], i)});
  std::printf("\n");
}

void report(const Net& net, const Digits& test) {
  const Eigen::MatrixXf probabilities = net.predict(test.images);
  const Eigen::VectorXi answer = answers(probabilities);
  Eigen::Matrix<int, classes, classes> confusion = Eigen::Matrix<int, classes, classes>::Zero();
  std::vector<Index> right;
  std::vector<Index> wrong;
  for (Index i = 0; i < test.size(); ++i) {
    ++confusion(test.labels[i], answer[i]);
    (answer[i] == test.labels[i] ? right : wrong).push_back(i);
  }

  std::printf("\nTest digits; row: what it is, column: what the net says\n    ");
  for (int k = 0; k < classes; ++k) std::printf("%4d", k);
  for (int digit = 0; digit < classes; ++digit) {
    std::printf("\n%4d", digit);
    for (int k = 0; k < classes; ++k) std::printf("%4d", confusion(digit, k));
  }
  std::printf("\n\nSome that it gets right\n");
  draw(test, probabilities, answer, right);
  if (!wrong.empty()) {
    std::printf("\nSome that it gets wrong\n");
    draw(test, probabilities, answer, wrong);
  }
  std::printf("\ntest accuracy %.4f (%td of %td)\n", accuracy(net, test), std::ssize(right), test.size());
}

int main(int argc, char** argv) try {
  Options options;
  CLI::App app{"Learns to read handwritten digits with a net of one hidden layer, by mini-batch gradient descent."};
  app.option_defaults()->always_capture_default();
  app.add_option("--epochs", options.epochs, "How often to go through the training samples")->check(CLI::Range(1, 1'000'000));
  app.add_option("--batch-size", options.batch_size, "How many samples go into one step")->check(CLI::Range(1, 1'000'000));
  app.add_option("--learning-rate", options.learning_rate, "How long a step is");
  app.add_option("--hidden", options.hidden, "How many units the hidden layer has")->check(CLI::Range(1, 10'000));
  app.add_option("--seed", options.seed, "Decides the initial weights and the order of the samples")->check(CLI::Range(0, 1'000'000'000));
  app.add_option("--data", options.data, "A CSV file, in each line 64 pixels from 0 to 16 and the digit");
  CLI11_PARSE(app, argc, argv);
  if (!(options.learning_rate > 0 && std::isfinite(options.learning_rate)))
    throw std::runtime_error("--learning-rate must be a finite number above 0");

  const auto [training, test] = split(read_digits(options.data));
  if (options.batch_size > training.size())
    throw std::runtime_error("--batch-size is " + std::to_string(options.batch_size) + ", but there are only " +
                             std::to_string(training.size()) + " training samples");

  cr::Random random{cr::Seed{options.seed}};
  Net net{cr::Seed{random()}, {pixels, options.hidden}, {options.hidden, classes}};
  std::printf("%s\n", cr::summary(net).c_str());
  train(net, training, test, options, random);
  report(net, test);
} catch (const std::exception& error) {
  std::fprintf(stderr, "digits: %s\n", error.what());
  return 1;
}
