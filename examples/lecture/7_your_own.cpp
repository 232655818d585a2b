// Your own activation, loss, layer and optimizer, each checked against its contract, then used together in a net.
//
// A type becomes an activation, a loss, a layer or an optimizer by having the members that the concepts in core/concepts.hpp ask for; it
// is not registered anywhere. The types below show these members. check_all() then runs the checks that the library's own types pass, and
// the net of all four kinds learns three quantiles of noisy data.
//
// Activations, losses and optimizers can be written in two ways. The simple way is Eigen arrays or single numbers, which the compiler turns
// into the vectors that the program's flags allow: 4 floats at once with plain -O2. The full-width way is a formula marked
// CHAINRULE_FORMULA, from which the library makes loops for each instruction set, as for its own types: 16 floats at once on a processor
// with AVX-512, whatever the flags. kernels/simd.hpp lists the functions that a formula may call.
#include <algorithm>
#include <array>
#include <chainrule/chainrule.hpp>
#include <chainrule/testing/contracts.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <vector>

#include "support/flags.hpp"
#include "support/noisy_wave.hpp"
#include "support/output_folder.hpp"
#include "support/require.hpp"
namespace cr = chainrule;
using cr::Index;

// An activation: its formula, its derivative, and the initializer for the weights before it. Squareplus (J. T. Barron 2021, "Squareplus: A
// Softplus-Like Algebraic Rectifier") is close to max(0, z), without a kink and without e^z.
struct Squareplus {
  static constexpr std::string_view name = "Squareplus";
  cr::HeNormal default_initializer() const { return {}; }
  // f(z) = (z + r)/2 with r = sqrt(z^2 + 1). Two numerical issues: z^2 must not overflow, and for z < 0 the sum z + r would cancel, so it
  // is computed as the equal 1/2/(r - z).
  template <class Chunk>  // an Eigen array of several z
  Chunk value(const Chunk& z) const {
    const Chunk r = (z.abs() > 1e15f).select(z.abs(), (z * z + 1).sqrt());
    return (z > 0).select(z / 2 + r / 2, 0.5 / (r - z));
  }
  // f'(z) = f(z)/r. The derivative is "nice": with a = f(z), r = a + 1/(4a), so f'(z) = 1/(1 + 1/(2a)^2) and the net need not keep z.
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    return 1 / (1 + (0.5 / a).square());
  }
};

// Squareplus at full width: f and f' of a number V, which is a vector register full of numbers.
struct WideSquareplus : cr::ElementwiseActivation<WideSquareplus> {
  static constexpr std::string_view name = "WideSquareplus";
  cr::HeNormal default_initializer() const { return {}; }
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    const V r = select(abs(z) > 1e15f, abs(z), sqrt(z * z + 1));
    return select(z > 0, z / 2 + r / 2, 0.5 / (r - z));
  }
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V a) const {
    const V half = 0.5 / a;
    return 1 / (1 + half * half);
  }
};

// A loss: J(y, y_hat) as a mean over the batch, and dJ/dy_hat. The quantile loss (R. Koenker and G. Bassett 1978, "Regression Quantiles")
// is smallest if a share tau of the targets lies below y_hat.
struct QuantileLoss {
  static constexpr std::string_view name = "QuantileLoss";
  static constexpr bool works_on_logits = false;  // the last layer's output is the prediction, so link() does nothing
  static constexpr Index min_outputs = 1;
  double tau = 0.5;
  template <class Scalar>
  void check(cr::ConstMatrixView<Scalar>, cr::ConstMatrixView<Scalar> y) const {
    if (!y.allFinite()) throw cr::ValueError("QuantileLoss: targets must be finite numbers");
  }
  // J = 1/(outputs batch) sum of: tau (y - y_hat) where y > y_hat, else (1 - tau) (y_hat - y)
  template <class Scalar>
  Scalar value(cr::ConstMatrixView<Scalar> y_hat, cr::ConstMatrixView<Scalar> y) const {
    return cr::mean_over_elements(
        y_hat, y, [t = Scalar(tau)](Scalar p, Scalar target) { return std::max(t * (target - p), (1 - t) * (p - target)); });
  }
  // dJ/dy_hat = 1/(outputs batch) times: -tau where y > y_hat, else 1 - tau
  template <class Scalar>
  void gradient(cr::ConstMatrixView<Scalar> y_hat, cr::ConstMatrixView<Scalar> y, cr::MatrixView<Scalar> dJ) const {
    cr::slopes_over_elements(y_hat, y, dJ, [t = Scalar(tau)](Scalar p, Scalar target) { return target > p ? -t : 1 - t; });
  }
  template <class Scalar>
  void link(cr::MatrixView<Scalar>) const {}
};

// QuantileLoss at full width: the same two functions, with formulas in place of functions of single numbers.
struct WideQuantileLoss : QuantileLoss {
  static constexpr std::string_view name = "WideQuantileLoss";
  template <class Scalar>
  Scalar value(cr::ConstMatrixView<Scalar> y_hat, cr::ConstMatrixView<Scalar> y) const {
    return cr::mean_over_elements(
        y_hat, y, [t = Scalar(tau)](auto p, auto target) CHAINRULE_FORMULA { return max(t * (target - p), (1 - t) * (p - target)); });
  }
  template <class Scalar>
  void gradient(cr::ConstMatrixView<Scalar> y_hat, cr::ConstMatrixView<Scalar> y, cr::MatrixView<Scalar> dJ) const {
    cr::slopes_over_elements(y_hat, y, dJ,
                             [t = Scalar(tau)](auto p, auto target) CHAINRULE_FORMULA { return select(target > p, -t, 1 - t); });
  }
};

// A layer: its parameters in theta, a cache for what the backward pass needs, forward and backward. Snake (L. Ziyin, T. Hartwig and M. Ueda
// 2020, "Neural Networks Fail to Learn Periodic Functions and How to Fix It") learns a frequency alpha for each unit.
template <int N>
struct Snake : cr::SameShape<N> {  // as many outputs as inputs: N, or the constructor's argument if N is Dynamic
  static constexpr std::string_view name = "Snake";
  static constexpr Index parameters_at_compile_time = N;
  Snake() = default;
  explicit Snake(Index units) : cr::SameShape<N>("Snake", units) {}
  std::array<cr::TensorShape, 1> tensors() const { return {{{"alpha", this->inputs(), 1, false}}}; }  // false: no weight decay
  template <class Scalar>
  struct Parameters {
    cr::TensorView<Scalar, N> alpha;
  };
  template <class Scalar>
  Parameters<Scalar> parameters(Scalar* theta) const {
    return {{theta, this->inputs()}};
  }
  template <class Scalar>
  void initialize(Scalar* theta, cr::Random&) const {
    parameters(theta).alpha.setOnes();
  }

  template <class Scalar, int MaxBatch>
  struct Cache {
    Cache(const Snake& layer, Index max_batch) : output(layer.outputs(), max_batch) {}
    cr::BatchStorage<Scalar, N, MaxBatch> output;
  };
  // a = z + sin^2(alpha z)/alpha        (N x batch)
  template <class Scalar, int MaxBatch>
  void forward(const Scalar* alpha, cr::ConstMatrixView<Scalar> z, Cache<Scalar, MaxBatch>& cache) const {
    cr::MatrixView<Scalar> a = cache.output.first(z.cols());
    for (Index j = 0; j < z.cols(); ++j)
      for (Index i = 0; i < z.rows(); ++i) {
        const Scalar s = std::sin(alpha[i] * z(i, j));
        a(i, j) = z(i, j) + s * s / alpha[i];
      }
  }
  // dJ/dalpha = sum over the batch of delta (z sin(2 alpha z) - sin^2(alpha z)/alpha)/alpha,  dJ/dz = delta (1 + sin(2 alpha z))
  template <class Scalar, int MaxBatch>
  void backward(const Scalar* alpha, cr::ConstMatrixView<Scalar> z, Cache<Scalar, MaxBatch>&, cr::MatrixView<Scalar> delta,
                Scalar* dJ_dalpha, cr::MatrixView<Scalar>* dJ_dz) const {
    std::fill_n(dJ_dalpha, z.rows(), Scalar{0});
    for (Index j = 0; j < z.cols(); ++j)
      for (Index i = 0; i < z.rows(); ++i) {
        const Scalar s = std::sin(alpha[i] * z(i, j)), sin_twice = std::sin(2 * alpha[i] * z(i, j));
        dJ_dalpha[i] += delta(i, j) * (z(i, j) * sin_twice - s * s / alpha[i]) / alpha[i];
        if (dJ_dz != nullptr) (*dJ_dz)(i, j) = delta(i, j) * (1 + sin_twice);  // nullptr in the first layer of a net
      }
  }
};

// An optimizer: its update of theta, and the number of moments, vectors of theta's size, that it keeps between steps. Signum (J. Bernstein
// et al. 2018, "signSGD: Compressed Optimisation for Non-Convex Problems") changes every parameter by the learning rate, up or down.
struct Signum {
  static constexpr std::string_view name = "Signum";
  double learning_rate = 1e-3, beta = 0.9;
  Index moments() const { return 1; }
  template <cr::HasParameters Net>
  auto make_state(const Net& net) const {
    return cr::OptimizerState(net, moments());
  }

  // m <- beta m + (1 - beta) dJ/dtheta,  theta <- theta - learning_rate sign(m)
  template <class Theta, class Gradient, class Scalar>
  void step(Theta&& theta, const Gradient& gradient, cr::OptimizerState<Scalar>& state) const {
    const auto rate = static_cast<Scalar>(learning_rate), keep = static_cast<Scalar>(beta), fresh = static_cast<Scalar>(1 - beta);
    cr::elementwise_step<1>(*this, theta, gradient, state, [=](const auto& g, auto& t, auto& m) {
      m = keep * m + fresh * g;
      t -= rate * m.sign();
    });
  }
};

// Signum at full width: formula_step in place of elementwise_step.
struct WideSignum : Signum {
  static constexpr std::string_view name = "WideSignum";
  template <class Theta, class Gradient, class Scalar>
  void step(Theta&& theta, const Gradient& gradient, cr::OptimizerState<Scalar>& state) const {
    const auto rate = static_cast<Scalar>(learning_rate), keep = static_cast<Scalar>(beta), fresh = static_cast<Scalar>(1 - beta);
    cr::formula_step<1>(*this, theta, gradient, state, [=](const auto& g, auto& t, auto& m) CHAINRULE_FORMULA {
      m = keep * m + fresh * g;
      t -= rate * sign(m);
    });
  }
};

using Net = cr::Network<float, WideQuantileLoss, cr::Dense<1, 16, WideSquareplus>, cr::Dense<16, 16>, Snake<16>, cr::Dense<16, 1>>;

// Runs the checks of the library's own activations, losses, layers and optimizers, as a test would. Throws if one fails.
void check_all(std::uint64_t seed) {
  const cr::ActivationProperties squareplus{.at_minus_infinity = 0, .at_infinity = HUGE_VAL};
  examples::require(cr::testing::check_activation<float>(Squareplus{}, squareplus));
  examples::require(cr::testing::check_activation<float>(WideSquareplus{}, squareplus));
  examples::require(cr::testing::check_loss<float>(QuantileLoss{0.9}, cr::testing::random_matrix<float>));
  examples::require(cr::testing::check_loss<float>(WideQuantileLoss{{0.9}}, cr::testing::random_matrix<float>));
  examples::require(cr::testing::check_layer(Snake<5>{}, Snake<cr::Dynamic>{5}, {.initial_parameters = {1, 1, 1, 1, 1}}));
  examples::require(cr::testing::check_optimizer(Signum{}));
  examples::require(cr::testing::check_optimizer(WideSignum{}));
  cr::Random random{cr::Seed{seed}};
  const auto x = cr::testing::random_matrix<float>(1, 8, random), y = cr::testing::random_matrix<float>(1, 8, random);
  examples::require(cr::check_gradient(Net{cr::Seed{seed}, WideQuantileLoss{{0.9}}}, x, y));
}

// Gradient descent on a wave with noise that grows with x: learns the curve below which a share tau of all y lies. Each batch has new
// samples. The learning rate falls to 0, because steps of constant length would never settle.
Net learn(double tau, Index steps, double learning_rate, std::uint64_t seed) {
  Net net{cr::Seed{seed}, WideQuantileLoss{{tau}}};
  auto work = net.make_workspace(64);
  auto dJ = net.make_gradients();
  auto state = WideSignum{}.make_state(net);
  cr::Random random{cr::Seed{seed + 1}};
  Eigen::RowVectorXf x(64), y(64);
  for (Index t = 0; t < steps; ++t) {
    examples::sample_noisy_wave(random, x, y);
    net.forward(x, work);
    net.backward(x, y, work, dJ);
    const double rate = learning_rate * (1 - static_cast<double>(t) / static_cast<double>(steps));
    WideSignum{{.learning_rate = rate}}.step(net.parameters(), dJ, state);
  }
  return net;
}

int main(int argc, char** argv) try {
  Index steps = 4000;
  double learning_rate = 0.005;
  std::uint64_t seed = 1;
  examples::Flags flags("Checks an activation, a loss, a layer and an optimizer defined in this example, and trains nets made of them.");
  flags.add("--steps", steps, "Number of training steps for each quantile");
  flags.add("--learning-rate", learning_rate, "Change of each parameter in the first step");
  flags.add_seed(seed, "the samples and the initial weights");
  const examples::OutputFolder output(flags);
  flags.parse(argc, argv);

  check_all(seed);
  const auto [x, y] = examples::noisy_wave(10000, cr::Seed{seed + 2});  // not used for training
  std::vector<examples::QuantileCurve> curves;
  for (const double tau : {0.1, 0.5, 0.9}) curves.push_back({tau, learn(tau, steps, learning_rate, seed).predict(x)});
  examples::plot_quantiles("your_own", x, y, curves, output);
  std::printf("of 10000 new samples %.1f, %.1f and %.1f %% lie below the curves for 10, 50 and 90 %%\n", curves[0].percent_below(y),
              curves[1].percent_below(y), curves[2].percent_below(y));
} catch (const std::exception& error) {
  std::fprintf(stderr, "your_own: %s\n", error.what());
  return 1;
}
