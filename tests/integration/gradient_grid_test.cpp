// Checks backward on a grid of networks: losses x activations x scalars x shapes x fixed or dynamic extents. At every point of the grid
// check_gradient must pass, and networks with fixed and with dynamic extents must give the same bits.

#include <chainrule/chainrule.hpp>
#include <cstdio>

#include "support/catch.hpp"
#include "support/random_data.hpp"

namespace {

using chainrule_test::random_distributions;
using chainrule_test::random_matrix;
namespace cr = chainrule;

/// Result of all checks on a grid.
struct GridResult {
  double worst_error = 0;  // largest relative error of networks in double
  cr::Index entries = 0;   // number of entries compared, in all scalar types
  int nets = 0;            // number of networks checked
};

template <class Scalar, class Loss>
cr::Matrix<Scalar> random_targets(cr::Index outputs, cr::Index samples, cr::Random& random) {
  if constexpr (std::is_same_v<Loss, cr::SoftmaxCrossEntropy>) return random_distributions<Scalar>(outputs, samples, random);
  cr::Matrix<Scalar> y = random_matrix<Scalar>(outputs, samples, random);
  if constexpr (std::is_same_v<Loss, cr::BinaryCrossEntropy>) y = (y.array() + 1) / 2;
  return y;
}

template <class Net, class X, class Y>
void check_point(GridResult& result, const std::string& where, const Net& net, const X& x, const Y& y) {
  const cr::GradientReport report = cr::check_gradient(net, x, y);
  INFO(where << ", " << net.inputs() << " inputs, " << net.parameters().size() << " parameters, " << report.to_string());
  CHECK(report.passed);
  if (std::is_same_v<typename Net::ScalarType, double>) result.worst_error = std::max(result.worst_error, report.worst_error);
  result.entries += report.entries;
  ++result.nets;
}

/// Checks that two networks give the same bits in three training steps: outputs, loss, gradients, dJ/dx, parameters and predictions.
template <class Fixed, class Dynamic, class X, class Y>
void check_same_bits(Fixed fixed, Dynamic dynamic, const X& x, const Y& y) {
  const auto run = [&](auto& net) {
    using Scalar = typename Fixed::ScalarType;
    auto work = net.make_workspace(x.cols() + 3);
    auto gradients = net.make_gradients();
    cr::Matrix<Scalar> input_gradient(x.rows(), x.cols());
    std::vector<Scalar> numbers;
    const auto keep = [&numbers](const auto& m) { numbers.insert(numbers.end(), m.data(), m.data() + m.size()); };
    for (int step = 0; step < 3; ++step) {
      keep(net.forward(x, work));
      numbers.push_back(net.loss(y, work));
      net.backward(x, y, work, gradients, input_gradient);
      keep(gradients.flat());
      keep(input_gradient);
      cr::SGD{.learning_rate = 0.1}.step(net.parameters(), gradients);
      keep(net.parameters());
      keep(net.predict(x));
    }
    return numbers;
  };
  CHECK(run(fixed) == run(dynamic));
}

/// The network with 0.15 added to every parameter. With biases of 0, some networks with ReLU would be dead, and some z exactly at the kink.
template <class Net>
Net shifted(Net net) {
  net.parameters().array() += static_cast<typename Net::ScalarType>(0.15);
  return net;
}

/// Checks all shapes for one activation and scalar type.
template <class Scalar, class Loss, class F>
void check_activation(GridResult& result, const F& f) {
  using cr::Dense;
  using cr::Dynamic;
  // The last layer has no activation if the loss works on logits, otherwise the same as the others.
  using Last = std::conditional_t<Loss::works_on_logits, cr::Identity, F>;
  const Last last = [&] {
    if constexpr (std::is_same_v<Last, F>)
      return f;
    else
      return cr::Identity{};
  }();
  const std::string where = std::string(F::name) + " " + std::string(Loss::name);
  cr::Random random{cr::Seed{2024}};

  const cr::Index shapes[][4] = {{1, 2, 2, 1}, {3, 5, 4, 6}, {4, 17, 3, 2}, {19, 2, 2, 33}};  // inputs, hidden, outputs, samples
  for (const auto& [in, hidden, out, samples] : shapes) {
    const auto x = random_matrix<Scalar>(in, samples, random);
    const auto y = random_targets<Scalar, Loss>(out, samples, random);
    const auto two = shifted(cr::make_network<Scalar, Loss>(cr::Seed{7}, Dense<Dynamic, Dynamic, F>{in, hidden, f},
                                                            Dense<Dynamic, Dynamic, Last>{hidden, out, last}));
    check_point(result, where, two, x, y);
    if (hidden <= 5) {
      const auto three = shifted(cr::make_network<Scalar, Loss>(cr::Seed{8}, Dense<Dynamic, Dynamic, F>{in, hidden, f},
                                                                Dense<Dynamic, Dynamic, F>{hidden, hidden + 1, f},
                                                                Dense<Dynamic, Dynamic, Last>{hidden + 1, out, last}));
      check_point(result, where, three, x, y);
    }
    if (in == 3) {
      using Fixed = cr::Network<Scalar, Loss, Dense<3, 5, F>, Dense<5, 4, Last>>;
      const Fixed fixed = shifted(Fixed{cr::Seed{7}, Dense<3, 5, F>{f}, Dense<5, 4, Last>{last}});
      check_point(result, where, fixed, x, y);
      check_same_bits(fixed, two, x, y);
    }
  }
}

/// One loss with every kind of activation, in every scalar type.
GridResult check_activations() {
  using Loss = cr::SquaredError;
  GridResult result;
  check_activation<double, Loss>(result, cr::Identity{});
  check_activation<double, Loss>(result, cr::Sigmoid{});
  check_activation<double, Loss>(result, cr::Tanh{});
  check_activation<double, Loss>(result, cr::ReLU{});
  check_activation<double, Loss>(result, cr::LeakyReLU{0.2});
  check_activation<float, Loss>(result, cr::Tanh{});
  check_activation<float, Loss>(result, cr::ReLU{});
  check_activation<long double, Loss>(result, cr::Tanh{});
  return result;
}

/// Other losses with one activation, because so many types take long to compile.
GridResult check_losses() {
  GridResult result;
  check_activation<double, cr::MeanSquaredError>(result, cr::Tanh{});
  check_activation<double, cr::BinaryCrossEntropy>(result, cr::Tanh{});
  check_activation<double, cr::SoftmaxCrossEntropy>(result, cr::Tanh{});
  check_activation<float, cr::SoftmaxCrossEntropy>(result, cr::Tanh{});
  return result;
}

constexpr int nets_of_activation = 8;  // 4 shapes with one hidden layer, 3 with two, and 1 of fixed extents

}  // namespace

TEST_CASE("gradients are right on the grid of activations, shapes and scalars, fixed and dynamic") {
  CHECK(check_activations().nets == 8 * nets_of_activation);
}

TEST_CASE("gradients are right on the grid of losses, shapes and scalars, fixed and dynamic") {
  CHECK(check_losses().nets == 4 * nets_of_activation);
}

// Prints the figures of the whole grid. Hidden from the usual test run; `chainrule_tests "[.report]"` runs it.
TEST_CASE("worst relative error of the gradient over the whole grid", "[.report]") {
  const GridResult activations = check_activations(), losses = check_losses();
  const double worst_error = std::max(activations.worst_error, losses.worst_error);
  std::printf("gradient grid: %d nets, %ld entries, worst relative error in double %.2g\n", activations.nets + losses.nets,
              static_cast<long>(activations.entries + losses.entries), worst_error);
  CHECK(worst_error < 1e-7);
}
