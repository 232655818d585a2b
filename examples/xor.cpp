// Learns XOR, the smallest task that a single layer cannot do, with each step of gradient descent written out.
//
// A good first example: all four samples, the net, the five steps of the training loop and the predictions are on this page.
#include <CLI/CLI.hpp>
#include <chainrule/chainrule.hpp>
#include <cstdint>
#include <cstdio>
namespace cr = chainrule;

// Success depends on the initial weights: out of 200 seeds, all four answers are right with a probability above 0.9 for 115 with two hidden
// units, 181 with three, 196 with four and 200 with five. With the other seeds the loss gets stuck on a plateau.
constexpr int hidden = 3;
constexpr int epochs = 1000;

// z(2) = W(1) x    + b(1),  a(2)  = tanh(z(2))     (3 x batch)
// z(3) = W(2) a(2) + b(2),  y_hat = sigma(z(3))    (1 x batch), the probability of a 1; the loss applies the sigma
using Net = cr::Network<float, cr::BinaryCrossEntropy, cr::Dense<2, hidden, cr::Tanh>, cr::Dense<hidden, 1>>;

int main(int argc, char** argv) {
  CLI::App app{"Learns XOR with a net that has three hidden units."};
  std::uint64_t seed = 1;
  app.add_option("--seed", seed, "Seed for the initial weights")->check(CLI::Range(0, 1'000'000'000))->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  // One column is one sample. The batch holds all four possible inputs x and their correct answers y.
  Eigen::Matrix<float, 2, 4> x;
  x << 0, 0, 1, 1,  //
      0, 1, 0, 1;
  const Eigen::RowVector4f y{0, 1, 1, 0};

  Net net{cr::Seed{seed}};
  auto work = net.make_workspace(x.cols());  // keeps a(2) and z(3), which backward needs
  auto gradients = net.make_gradients();     // dJ/dW(1), dJ/db(1), dJ/dW(2), dJ/db(2)
  const cr::SGD sgd{.learning_rate = 2};
  std::printf("%s\n", cr::summary(net).c_str());

  for (int epoch = 1; epoch <= epochs; ++epoch) {
    net.forward(x, work);                   // 1  make a prediction: z(2), a(2), z(3)
    const float J = net.loss(y, work);      // 2  calculate the loss J(y, y_hat), a mean over the four samples
    net.backward(x, y, work, gradients);    // 3  calculate dJ/dW(2), then dJ/dW(1): delta(3) = (y_hat - y)/4,
                                            //    delta(2) = W(2)^T delta(3) * tanh'(z(2)), dJ/dW(l) = delta(l+1) a(l)^T
    sgd.step(net.parameters(), gradients);  // 4  update by a step in the opposite direction: W(l) <- W(l) - learning_rate dJ/dW(l)
    if (epoch == 1 || epoch == 10 || epoch == 30 || epoch == 100 || epoch == 300 || epoch == epochs)
      std::printf("epoch %4d   loss %.5f\n", epoch, static_cast<double>(J));
  }  // 5  iterate

  const Eigen::RowVector4f y_hat = net.predict(x);
  std::printf("\nx1 x2   y   y_hat\n");
  for (int i = 0; i < 4; ++i) std::printf("%2.0f %2.0f  %2.0f   %.4f\n", double{x(0, i)}, double{x(1, i)}, double{y(i)}, double{y_hat(i)});
  const auto right = ((y_hat - y).array().abs() < 0.1f).count();
  std::printf("%d of 4 right with a probability above 0.9%s\n", static_cast<int>(right), right < 4 ? "; another --seed may do better" : "");
}
