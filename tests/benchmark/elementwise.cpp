// elementwise: prints the nanoseconds per number of each activation, forward and backward, and per parameter of each optimizer's step,
// beside those of Eigen's array expressions, which are built with -O3 -march=native.

#include "elementwise.hpp"

#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <cstdio>
#include <vector>

#include "stopwatch.hpp"

namespace {

using namespace bench;
namespace cr = chainrule;

constexpr long numbers = 4096, parameters = 300 * 301;

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
  const double eigen = nanoseconds(numbers, [&] { eigen_values(name, numbers, z.data(), a.data()); });
  std::printf("%-16s %8.3f %10.3f %10.3f %8.2f\n", name.c_str(), value, slope, eigen, eigen / value);
}

template <class Rule>
void optimizer(const char* name, const Rule& rule) {
  std::vector<Scalar> numbers_of_theta = random_numbers(parameters, -1, 1), m(numbers_of_theta.size()), v(m.size());
  const std::vector<Scalar> gradient = random_numbers(parameters, -0.01, 0.01);
  cr::VectorView<Scalar> theta(numbers_of_theta.data(), parameters);
  const cr::ConstVectorView<Scalar> dJ(gradient.data(), parameters);
  auto state = rule.template make_state<Scalar>(parameters);
  const double ours = nanoseconds(parameters, [&] { rule.step(theta, dJ, state); });
  if (!eigen_step(name, parameters, dJ.data(), theta.data(), m.data(), v.data())) {
    std::printf("%-16s %8.3f %10s %10s %8s\n", name, ours, "", "-", "-");
    return;
  }
  const double eigen = nanoseconds(parameters, [&] { eigen_step(name, parameters, dJ.data(), theta.data(), m.data(), v.data()); });
  std::printf("%-16s %8.3f %10s %10.3f %8.2f\n", name, ours, "", eigen, eigen / ours);
}

template <class... F>
void activations(const F&... f) {
  (activation(f), ...);
}

}  // namespace

int main() {
  std::printf("%s, nanoseconds per number, arrays of %ld\n", CHAINRULE_BENCHMARK_TITLE, numbers);
  std::printf("%-16s %8s %10s %10s %8s\n", "activation", "f", "f'", "Eigen f", "Eigen/f");
  activations(cr::Tanh{}, cr::Sigmoid{}, cr::ReLU{}, cr::LeakyReLU{}, cr::ELU{}, cr::SELU{}, cr::GELU{}, cr::GELUTanh{}, cr::SiLU{},
              cr::Mish{}, cr::Softplus{}, cr::Softsign{}, cr::HardTanh{}, cr::HardSigmoid{});
  std::printf("\n%-16s %8s %10s %10s %8s   nanoseconds per parameter of %ld\n", "optimizer", "step", "", "Eigen", "ratio", parameters);
  optimizer("SGD", cr::SGD{.learning_rate = 1e-6});
  optimizer("SGD, momentum", cr::SGD{.learning_rate = 1e-6, .momentum = 0.9});
  optimizer("Adam", cr::Adam{.learning_rate = 1e-6});
  optimizer("AdamW", cr::AdamW{.learning_rate = 1e-6});
  optimizer("NAdam", cr::NAdam{.learning_rate = 1e-6});
  optimizer("RMSprop", cr::RMSprop{.learning_rate = 1e-6});
  optimizer("Adagrad", cr::Adagrad{.learning_rate = 1e-6});
  optimizer("Adadelta", cr::Adadelta{.learning_rate = 1e-6});
  optimizer("Lion", cr::Lion{.learning_rate = 1e-6});
  optimizer("Rprop", cr::Rprop{.learning_rate = 1e-6});
}
