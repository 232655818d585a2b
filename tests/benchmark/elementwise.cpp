// elementwise: prints the nanoseconds per number of each activation, forward and backward, per parameter of each optimizer's step, and per
// number of some losses and their gradients, beside those of Eigen's array expressions, which are built with -O3 -march=native.
//
// SiLU, Adam and Huber are also measured as types of a user, written in both ways: as a formula, which should take as long as the library's
// own type, and with Eigen arrays or single numbers, which get the vectors that the program's flags allow.

#include "elementwise.hpp"

#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "stopwatch.hpp"

namespace {

using namespace bench;
namespace cr = chainrule;

constexpr long numbers = 4096, batch = 64, parameters = 300 * 301;

/// Nanoseconds that f takes per number if it processes `count` numbers: the fastest of 9 repetitions.
template <class F>
double nanoseconds(long count, const F& f) {
  const long calls = calls_in(0.005, f);
  double best = 1;
  for (int repetition = 0; repetition < 9; ++repetition) best = std::min(best, seconds_of(calls, f) / static_cast<double>(calls));
  return best / static_cast<double>(count) * 1e9;
}

std::vector<Scalar> random_numbers(long count, double low, double high) {
  cr::Random random{cr::Seed{1}};
  std::vector<Scalar> x;
  for (long i = 0; i < count; ++i) x.push_back(static_cast<Scalar>(low + (high - low) * random.uniform()));
  return x;
}

/// SiLU as a user writes it for the widest vectors.
struct SiLUAsFormula : cr::ElementwiseActivation<SiLUAsFormula> {
  static constexpr std::string_view name = "SiLU, user, formula";
  cr::HeNormal default_initializer() const { return {}; }
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return z * sigmoid(z);
  }
  template <class V>
  CHAINRULE_FORMULA V f_prime(V z) const {
    const V sigma = sigmoid(z);
    return sigma * fma(z, 1 - sigma, 1);
  }
};

/// SiLU as a user writes it with Eigen arrays.
struct SiLUOfArrays {
  static constexpr std::string_view name = "SiLU, user, arrays";
  cr::HeNormal default_initializer() const { return {}; }
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return z / (1 + (-z).exp());
  }
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    const Chunk sigma = 1 / (1 + (-z).exp());
    return sigma * (1 + z * (1 - sigma));
  }
};

/// Base of the two rules of Adam below: hyperparameters, state, and the corrections in step t for moments that start at 0.
struct UserAdam {
  double learning_rate = 1e-6, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  cr::Index moments() const { return 2; }
  template <class S>
  cr::OptimizerState<S> make_state(cr::Index size) const {
    return {size, moments()};
  }
  double step_size(double t) const { return learning_rate / (1 - std::pow(beta1, t)); }
  double inverse_root(double t) const { return 1 / std::sqrt(1 - std::pow(beta2, t)); }
};

/// Adam as a user writes it for the widest vectors.
struct AdamAsFormula : UserAdam {
  static constexpr std::string_view name = "Adam, user, formula";
  template <class Theta, class Gradient, class S>
  void step(Theta&& theta, const Gradient& gradient, cr::OptimizerState<S>& state) const {
    const auto t = static_cast<double>(state.steps + 1);
    const S keep1 = static_cast<S>(beta1), fresh1 = static_cast<S>(1 - beta1), keep2 = static_cast<S>(beta2),
            fresh2 = static_cast<S>(1 - beta2), size = static_cast<S>(step_size(t)), root = static_cast<S>(inverse_root(t)),
            least = static_cast<S>(epsilon);
    cr::formula_step<2>(*this, theta, gradient, state, [=](const auto& g, auto& theta_i, auto& m, auto& v) CHAINRULE_FORMULA {
      m = fma(keep1, m, fresh1 * g);
      v = fma(keep2, v, fresh2 * g * g);
      theta_i -= size * m / fma(root, sqrt(v), least);
    });
  }
};

/// Adam as a user writes it with Eigen arrays.
struct AdamOfArrays : UserAdam {
  static constexpr std::string_view name = "Adam, user, arrays";
  template <class Theta, class Gradient, class S>
  void step(Theta&& theta, const Gradient& gradient, cr::OptimizerState<S>& state) const {
    const auto t = static_cast<double>(state.steps + 1);
    const S keep1 = static_cast<S>(beta1), keep2 = static_cast<S>(beta2), size = static_cast<S>(step_size(t)),
            root = static_cast<S>(inverse_root(t)), least = static_cast<S>(epsilon);
    cr::elementwise_step<2>(*this, theta, gradient, state, [=](const auto& g, auto& theta_i, auto& m, auto& v) {
      m = keep1 * m + (1 - keep1) * g;
      v = keep2 * v + (1 - keep2) * g.square();
      theta_i -= size * m / (root * v.sqrt() + least);
    });
  }
};

/// Huber's loss with delta = 1 as a user writes it for the widest vectors, with the library's formula.
struct HuberAsFormula {
  static constexpr std::string_view name = "Huber, user, formula";
  template <class S>
  S value(cr::ConstMatrixView<S> y_hat, cr::ConstMatrixView<S> y) const {
    return cr::mean_over_elements(y_hat, y, [d = S(1)](auto p, auto target) CHAINRULE_FORMULA {
      const auto e = abs(p - target);
      return select(e > d, d * (e - d / 2), e * e / 2);
    });
  }
  template <class S>
  void gradient(cr::ConstMatrixView<S> y_hat, cr::ConstMatrixView<S> y, cr::MatrixView<S> dJ) const {
    cr::slopes_over_elements(y_hat, y, dJ, [d = S(1)](auto p, auto target) CHAINRULE_FORMULA { return min(max(p - target, -d), d); });
  }
};

/// Huber's loss with delta = 1 as a user writes it with functions of single numbers.
struct HuberOfNumbers {
  static constexpr std::string_view name = "Huber, user, numbers";
  template <class S>
  S value(cr::ConstMatrixView<S> y_hat, cr::ConstMatrixView<S> y) const {
    return cr::mean_over_elements(y_hat, y, [](S p, S target) {
      const S e = std::abs(p - target);
      return e > 1 ? e - S(0.5) : e * e / 2;
    });
  }
  template <class S>
  void gradient(cr::ConstMatrixView<S> y_hat, cr::ConstMatrixView<S> y, cr::MatrixView<S> dJ) const {
    cr::slopes_over_elements(y_hat, y, dJ, [](S p, S target) { return std::clamp(p - target, S(-1), S(1)); });
  }
};

/// The name of the library's type that a user's type is compared with: "SiLU" for "SiLU, user, formula".
std::string compared_name(std::string_view name) { return std::string(name.substr(0, name.find(", user"))); }

template <class F>
void activation(const F& f) {
  const std::vector<Scalar> z = random_numbers(numbers, -3, 3);
  std::vector<Scalar> a(z.size()), delta = random_numbers(numbers, 0.5, 1);
  const double value = nanoseconds(numbers, [&] { cr::kernels::activate(f, numbers, z.data(), a.data()); });
  const std::vector<Scalar> kept = cr::DerivativeFromOutput<F> ? a : z;
  // delta is restored before each call, because derivatives of 0 would make it 0; the time includes this copy
  const std::vector<Scalar> fresh = delta;
  const double slope = nanoseconds(numbers, [&] {
    std::copy(fresh.begin(), fresh.end(), delta.begin());
    cr::kernels::multiply_by_derivative(f, numbers, kept.data(), delta.data());
  });
  const std::string name(F::name);
  const std::string of_eigen = compared_name(name);
  const double eigen = nanoseconds(numbers, [&] { eigen_values(of_eigen, numbers, z.data(), a.data()); });
  std::printf("%-21s %8.3f %10.3f %10.3f %8.2f\n", name.c_str(), value, slope, eigen, eigen / value);
}

template <class Rule>
void optimizer(const char* name, const Rule& rule) {
  std::vector<Scalar> numbers_of_theta = random_numbers(parameters, -1, 1), m(numbers_of_theta.size()), v(m.size());
  const std::vector<Scalar> gradient = random_numbers(parameters, -0.01, 0.01);
  cr::VectorView<Scalar> theta(numbers_of_theta.data(), parameters);
  const cr::ConstVectorView<Scalar> dJ(gradient.data(), parameters);
  auto state = rule.template make_state<Scalar>(parameters);
  const double ours = nanoseconds(parameters, [&] { rule.step(theta, dJ, state); });
  const std::string of_eigen = compared_name(name);
  if (!eigen_step(of_eigen, parameters, dJ.data(), theta.data(), m.data(), v.data())) {
    std::printf("%-21s %8.3f %10s %10s %8s\n", name, ours, "", "-", "-");
    return;
  }
  const double eigen = nanoseconds(parameters, [&] { eigen_step(of_eigen, parameters, dJ.data(), theta.data(), m.data(), v.data()); });
  std::printf("%-21s %8.3f %10s %10.3f %8.2f\n", name, ours, "", eigen, eigen / ours);
}

template <class L>
void loss(const L& J) {
  const std::vector<Scalar> y_hat = random_numbers(numbers, -3, 3), y = random_numbers(numbers, 0, 1);
  std::vector<Scalar> dJ(y.size());
  const cr::ConstMatrixView<Scalar> y_hat_view = cr::detail::matrix_view(y_hat.data(), numbers / batch, batch),
                                    y_view = cr::detail::matrix_view(y.data(), numbers / batch, batch);
  const cr::MatrixView<Scalar> dJ_view(dJ.data(), numbers / batch, batch, Eigen::OuterStride<>(numbers / batch));
  volatile Scalar result = 0;  // keeps the compiler from leaving out the calls
  const double value = nanoseconds(numbers, [&] { result = J.value(y_hat_view, y_view); });
  const double gradient = nanoseconds(numbers, [&] { J.gradient(y_hat_view, y_view, dJ_view); });
  const std::string name(L::name), of_eigen = compared_name(name);
  const double eigen_value = nanoseconds(numbers, [&] { result = eigen_loss(of_eigen, numbers, batch, y_hat.data(), y.data()); });
  const double eigen_gradient =
      nanoseconds(numbers, [&] { eigen_loss_gradient(of_eigen, numbers, batch, y_hat.data(), y.data(), dJ.data()); });
  std::printf("%-21s %8.3f %10.3f %10.3f %10.3f %8.2f %8.2f\n", name.c_str(), value, gradient, eigen_value, eigen_gradient,
              eigen_value / value, eigen_gradient / gradient);
}

template <class... F>
void activations(const F&... f) {
  (activation(f), ...);
}
template <class... L>
void losses(const L&... J) {
  (loss(J), ...);
}

}  // namespace

int main() {
  std::printf("%s, nanoseconds per number, arrays of %ld\n", CHAINRULE_BENCHMARK_TITLE, numbers);
  std::printf("%-21s %8s %10s %10s %8s\n", "activation", "f", "f'", "Eigen f", "Eigen/f");
  activations(cr::Tanh{}, cr::Sigmoid{}, cr::ReLU{}, cr::LeakyReLU{}, cr::ELU{}, cr::SELU{}, cr::GELU{}, cr::GELUTanh{}, cr::SiLU{},
              SiLUAsFormula{}, SiLUOfArrays{}, cr::Mish{}, cr::Sine{}, cr::Softplus{}, cr::Softsign{}, cr::HardTanh{}, cr::HardSigmoid{},
              cr::HardSwish{});
  std::printf("\n%-21s %8s %10s %10s %8s   nanoseconds per parameter of %ld\n", "optimizer", "step", "", "Eigen", "ratio", parameters);
  optimizer("SGD", cr::SGD{.learning_rate = 1e-6});
  optimizer("SGD, momentum", cr::SGD{.learning_rate = 1e-6, .momentum = 0.9});
  optimizer("Adam", cr::Adam{.learning_rate = 1e-6});
  optimizer("Adam, user, formula", AdamAsFormula{});
  optimizer("Adam, user, arrays", AdamOfArrays{});
  optimizer("AdamW", cr::AdamW{.learning_rate = 1e-6});
  optimizer("NAdam", cr::NAdam{.learning_rate = 1e-6});
  optimizer("RMSprop", cr::RMSprop{.learning_rate = 1e-6});
  optimizer("Adagrad", cr::Adagrad{.learning_rate = 1e-6});
  optimizer("Adadelta", cr::Adadelta{.learning_rate = 1e-6});
  optimizer("Lion", cr::Lion{.learning_rate = 1e-6});
  optimizer("Rprop", cr::Rprop{.learning_rate = 1e-6});
  std::printf("\n%-21s %8s %10s %10s %10s %8s %8s   nanoseconds per number of %ld\n", "loss", "value", "gradient", "Eigen", "Eigen",
              "ratio", "ratio", numbers);
  losses(cr::BinaryCrossEntropy{}, cr::Huber{}, HuberAsFormula{}, HuberOfNumbers{}, cr::LogCosh{}, cr::PoissonNLL{});
}
