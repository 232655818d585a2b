// Trains two nets of fixed size and predicts with them, on the microcontroller and on the machine that compiles the tests; both must give
// the same numbers. Compiles without exceptions and run-time type information, and uses no heap.

#include "board.hpp"

#include <array>
#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/optimizers/sgd.hpp>

namespace cr = chainrule;

namespace {

using Xor = cr::Network<float, cr::BinaryCrossEntropy, cr::Dense<2, 8, cr::Tanh>, cr::Dense<8, 1>>;
using Flowers = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<4, 16, cr::ReLU>, cr::Dense<16, 3>>;

// constexpr data stays in flash. One column of x is one sample.
constexpr float xor_x[] = {0, 0, 0, 1, 1, 0, 1, 1};
constexpr float xor_y[] = {0, 1, 1, 0};
constexpr float flower_x[] = {-0.9f, 1.1f,  -1.3f, -1.2f, -1.1f, -0.2f, -1.2f, -1.3f, -1.4f, 0.4f,  -1.4f, -1.1f,
                              -0.6f, 1.9f,  -1.1f, -1.0f, 1.2f,  0.3f,  0.5f,  0.3f,  0.1f,  -0.8f, 0.2f,  0.1f,
                              0.6f,  -0.4f, 0.4f,  0.4f,  -0.3f, -1.2f, 0.3f,  0.2f,  0.7f,  -0.7f, 1.0f,  0.9f,
                              1.5f,  0.2f,  1.1f,  1.2f,  0.1f,  -0.5f, 0.8f,  1.4f,  1.0f,  0.5f,  1.2f,  1.7f};
constexpr std::array flower_y{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2};

bool passed = true;

// Prints a number with 6 decimals, without printf.
void print(float number) {
  if (number < 0) board::print("-");
  const auto millionths = static_cast<std::uint64_t>((number < 0 ? -number : number) * 1e6f + 0.5f);
  std::array<char, 24> text{};
  std::size_t at = text.size() - 1;
  std::uint64_t left = millionths;
  for (int digit = 0; digit < 7 || left > 0; ++digit, left /= 10) {
    if (digit == 6) text[--at] = '.';
    text[--at] = static_cast<char>('0' + left % 10);
  }
  board::print(&text[at]);
}

// Prints a number and checks that it differs from `expected` by at most the relative tolerance.
void check(const char* what, float number, float expected, float tolerance) {
  board::print(what);
  print(number);
  const float difference = number < expected ? expected - number : number - expected;
  if (!(difference <= tolerance * (expected < 0 ? -expected : expected))) {
    board::print(", but expected ");
    print(expected);
    passed = false;
  }
  board::print("\n");
}

constexpr float tight = 1e-6f;  // relative tolerance after one step
constexpr float loose = 1e-3f;  // after many steps, because rounding errors accumulate and expf and tanhf differ between C libraries

/// The numbers that all machines must agree on.
struct Expected {
  float first_weight, first_loss, gradient, second_loss, last_loss;
};

/// Gradient descent: `steps` steps of the rule on the whole batch, with checks of the expected numbers. `state` is empty for a rule
/// without one.
template <int Batch, class Net, class X, class Y, class Rule, class... State>
void learn(Net& net, const X& x, const Y& y, const Rule& rule, int steps, const Expected& expected, State... state) {
  auto work = net.template make_workspace<Batch>();
  auto dJ = net.make_gradients();

  check("  W(1)(0, 0) at first      ", net.parameters()[0], expected.first_weight, 0);
  float loss = 0;
  for (int step = 0; step < steps; ++step) {
    net.forward(x, work);
    loss = net.loss(y, work);
    net.backward(x, y, work, dJ);
    rule.step(net.parameters(), dJ, state...);
    if (step == 0) {
      check("  loss before              ", loss, expected.first_loss, tight);
      check("  largest number in dJ     ", dJ.flat().cwiseAbs().maxCoeff(), expected.gradient, tight);
    } else if (step == 1) {
      check("  loss after one step      ", loss, expected.second_loss, tight);
    }
  }
  check("  loss after all steps     ", loss, expected.last_loss, loose);
}

void learn_xor() {
  board::print("xor, 2-8-1 tanh, 300 steps\n");
  const Eigen::Map<const Eigen::Matrix<float, 2, 4>> x(xor_x);
  const Eigen::Map<const Eigen::Matrix<float, 1, 4>> y(xor_y);
  Xor net{cr::Seed{1}};
  learn<4>(net, x, y, cr::SGD{.learning_rate = 0.5}, 300, {0.63946557f, 0.704572904f, 0.0669556804f, 0.696648481f, 0.0147633241f});
  const float expected[] = {0.00492497928f, 0.98343265f, 0.983012486f, 0.0198019766f};
  for (int j = 0; j < 4; ++j)
    check("  P(1 | x)               ", net.predict(x.col(j))[0], expected[j], loose);  // one sample, as a vector of fixed size
}

[[maybe_unused]] void learn_flowers() {
  board::print("flowers, 4-16-3 ReLU, 100 steps of Adam\n");
  const Eigen::Map<const Eigen::Matrix<float, 4, 12>> x(flower_x);
  Flowers net{cr::Seed{2}};
  const cr::Adam adam{.learning_rate = 0.02};
  learn<12>(net, x, flower_y, adam, 100, {-0.148693696f, 1.51700214f, 0.734366747f, 1.29449209f, 0.00311891918f}, adam.make_state(net));
  auto work = net.make_workspace<3>();
  const auto p = net.predict(x.middleCols<3>(3), work);  // one flower of the first kind, two of the second
  check("  P(kind 1)              ", p(0, 0), 0.999868378f, loose);
  check("  P(kind 2)              ", p(1, 1), 0.996697281f, loose);
  check("  P(kind 2)              ", p(1, 2), 0.998134564f, loose);
}

}  // namespace

bool learn_and_predict() {
  learn_xor();
#if !defined(XOR_ALONE)
  learn_flowers();
#endif
  board::print(passed ? "passed\n" : "failed\n");
  return passed;
}
