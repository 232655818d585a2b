// Training in a hand-written loop over the five steps.

#include <chainrule/chainrule.hpp>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;

namespace {

/// Whether a network 2-3-1 has learned XOR after 2,000 steps from this seed: every probability is within 0.1 of its target.
bool learns_xor(Seed seed) {
  Network<float, BinaryCrossEntropy, Dense<2, 3, Tanh>, Dense<3, 1>> net{seed};
  auto work = net.make_workspace(4);
  auto gradients = net.make_gradients();
  const Eigen::Matrix<float, 2, 4> x{{0, 0, 1, 1}, {0, 1, 0, 1}};
  const Eigen::Matrix<float, 1, 4> y{0, 1, 1, 0};
  const SGD sgd{.learning_rate = 0.5};
  for (int step = 0; step < 2000; ++step) {
    net.forward(x, work);
    net.backward(x, y, work, gradients);
    sgd.step(net.parameters(), gradients);
  }
  return (net.predict(x) - y).cwiseAbs().maxCoeff() < 0.1f;
}

/// theta after 20 epochs of mini-batches, the last of which is shorter.
template <class Scalar>
Vector<Scalar> train(Seed seed) {
  Network<Scalar, SoftmaxCrossEntropy, Dense<6, 16, ReLU>, Dense<16, 3>> net{seed};
  auto work = net.make_workspace(8);
  auto gradients = net.make_gradients();
  Random random{Seed{99}};
  const auto x = chainrule_test::random_matrix<Scalar>(6, 30, random);
  const auto y = chainrule_test::random_labels(30, 3, random);
  for (int epoch = 0; epoch < 20; ++epoch)
    for (Index begin = 0; begin < 30; begin += 8) {
      const Index n = std::min<Index>(8, 30 - begin);
      const std::span labels(y.data() + begin, static_cast<std::size_t>(n));
      net.forward(x.middleCols(begin, n), work);
      net.backward(x.middleCols(begin, n), labels, work, gradients);
      SGD{.learning_rate = 0.1}.step(net.parameters(), gradients);
    }
  return net.parameters();
}

}  // namespace

// From the other seeds the net is still in a plateau after 2,000 steps; of 1,000 seeds 921 are learned.
TEST_CASE("XOR is learned from at least 16 of 20 seeds") {
  int learned = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) learned += learns_xor(Seed{seed}) ? 1 : 0;
  INFO(learned << " of 20");
  CHECK(learned >= 16);
}

TEST_CASE("the same seed gives the same bits, and another seed gives others") {
  CHECK(train<float>(Seed{5}) == train<float>(Seed{5}));
  CHECK(train<float>(Seed{5}) != train<float>(Seed{6}));
}

TEST_CASE("another scalar type changes only the rounding") {
  const Eigen::VectorXd difference = train<float>(Seed{5}).cast<double>() - train<double>(Seed{5});
  CHECK(difference.cwiseAbs().maxCoeff() < 1e-4);
  CHECK(difference.cwiseAbs().maxCoeff() > 0);
}

TEST_CASE("initial parameters have the same bits with every compiler and flag") {
  const Network<float, SquaredError, Dense<2, 2, ReLU>, Dense<2, 1, Tanh>> net{Seed{42}};
  Eigen::VectorXf expected(9);
  expected << 0x1.78558p+0f, 0x1.4cdc02p-1f, 0x1.1cce78p+0f, -0x1.1b87a4p-2f, 0, 0, 0x1.4ae002p+0f, -0x1.67bf4ep+0f, 0;
  CHECK(net.parameters() == expected);

  // a Random of the same seed, from which a program may draw its data, draws other numbers
  std::vector<float> drawn(4);
  Random random{Seed{42}};
  HeNormal{}(std::span(drawn), 2, 2, random);
  for (const float number : drawn) CHECK((net.parameters().array() == number).count() == 0);
}

TEST_CASE("the loss decreases in every step if the steps are small") {
  Network<double, MeanSquaredError, Dense<3, 10, Tanh>, Dense<10, 2>> net{Seed{1}};
  auto work = net.make_workspace(20);
  auto gradients = net.make_gradients();
  Random random{Seed{3}};
  const auto x = chainrule_test::random_matrix<double>(3, 20, random);
  const auto y = chainrule_test::random_matrix<double>(2, 20, random);
  double before = std::numeric_limits<double>::infinity();
  for (int step = 0; step < 200; ++step) {
    net.forward(x, work);
    const double J = net.loss(y, work);
    CHECK(J < before);
    before = J;
    net.backward(x, y, work, gradients);
    SGD{.learning_rate = 0.05}.step(net.parameters(), gradients);
  }
}
