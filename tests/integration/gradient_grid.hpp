#pragma once
// The grid on which backward is proved: shapes x activations x scalars x fixed/dynamic for one loss; a test file for each loss.
// At every point: check_gradient passes, and the fixed net gives the dynamic net's numbers bit for bit.

#include <chainrule/chainrule.hpp>
#include <chrono>

#include "support/catch.hpp"
#include "support/random_data.hpp"

namespace chainrule_test {

namespace cr = chainrule;

/// The worst entry met on a grid.
struct GridResult {
  double worst_error = 0;  // in double
  cr::Index entries = 0;   // in all scalars
  int nets = 0;
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
  INFO(where << ", " << cr::summary(net) << report.to_string());
  CHECK(report.passed);
  if (std::is_same_v<typename Net::ScalarType, double>) result.worst_error = std::max(result.worst_error, report.worst_error);
  result.entries += report.entries;
  ++result.nets;
}

/// Every bit of two training runs: forward, loss, gradients, dJ/dx and the parameters after three steps.
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

/// With every parameter a little larger: biases of 0 would leave some nets of ReLUs dead, and some z exactly at the kink.
template <class Net>
Net shifted(Net net) {
  net.parameters().array() += static_cast<typename Net::ScalarType>(0.15);
  return net;
}

/// One activation and scalar on all shapes.
template <class Scalar, class Loss, class F>
void check_activation(GridResult& result, const F& f) {
  using cr::Dense;
  using cr::Dynamic;
  // A loss on logits has a last layer without activation; the others take the activation there too.
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

template <class Scalar, class Loss>
void check_scalar(GridResult& result) {
  check_activation<Scalar, Loss>(result, cr::Identity{});
  check_activation<Scalar, Loss>(result, cr::Sigmoid{});
  check_activation<Scalar, Loss>(result, cr::Tanh{});
  check_activation<Scalar, Loss>(result, cr::ReLU{});
  check_activation<Scalar, Loss>(result, cr::LeakyReLU{0.2});
}

/// Whether a loss goes through float and long double too: one of each kind does, because compiling these many types takes long, and
/// none under sanitizers.
#ifdef CHAINRULE_SMALL_GRID
template <class Loss>
inline constexpr bool in_all_scalars = false;
#else
template <class Loss>
inline constexpr bool in_all_scalars = std::is_same_v<Loss, cr::SquaredError> || std::is_same_v<Loss, cr::SoftmaxCrossEntropy>;
#endif

/// How many nets a grid has.
template <class Loss>
inline constexpr int grid_nets = in_all_scalars<Loss> ? 120 : 40;

template <class Loss>
GridResult check_grid() {
  GridResult result;
  check_scalar<double, Loss>(result);
  if constexpr (in_all_scalars<Loss>) {
    check_scalar<float, Loss>(result);
    check_scalar<long double, Loss>(result);
  }
  return result;
}

// defined in the test file of each loss
GridResult squared_error_grid();
GridResult mean_squared_error_grid();
GridResult binary_cross_entropy_grid();
GridResult softmax_cross_entropy_grid();

}  // namespace chainrule_test
