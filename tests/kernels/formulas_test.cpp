#include <algorithm>
#include <chainrule/kernels/formulas.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

using namespace chainrule;
using kernels::Formula;

namespace {

constexpr float p = 0.25f, q = 1.5f;

template <Formula f>
struct Is {
  static constexpr Formula formula = f;
};

/// The kernels for f(z) and f'(z) of one formula with the parameters p and q, one per instruction set that this machine can run.
template <Formula f, class Scalar>
struct Kernels {
  using Kernel = void (*)(Index, const Scalar*, Scalar*, Scalar, Scalar);
  std::vector<Kernel> values = chainrule_test::runnable<Scalar, Kernel>(
      kernels::baseline::values<f, Scalar>, kernels::avx2::values<f, Scalar>, kernels::avx512::values<f, Scalar>);
  std::vector<Kernel> derivatives =
      chainrule_test::runnable<Scalar, Kernel>(kernels::baseline::times_derivative<f, Scalar>, kernels::avx2::times_derivative<f, Scalar>,
                                               kernels::avx512::times_derivative<f, Scalar>);
};

template <class Scalar>
std::vector<Scalar> run(typename Kernels<Formula::elu, Scalar>::Kernel kernel, const std::vector<Scalar>& x) {
  std::vector<Scalar> y(x.size(), 1);
  kernel(static_cast<Index>(x.size()), x.data(), y.data(), Scalar{p}, Scalar{q});
  return y;
}

/// Numbers from -10 to 10 in steps of 1/400.
template <class Scalar>
std::vector<Scalar> numbers() {
  std::vector<Scalar> z;
  for (int i = -4000; i <= 4000; ++i) z.push_back(static_cast<Scalar>(i) / 400);
  return z;
}

/// The largest difference from the same formula in long double, which uses <cmath>, in units of eps max(|exact|, 0.1).
template <class Scalar>
long double worst(const std::vector<Scalar>& y, const std::vector<long double>& exact) {
  long double largest = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const long double size = std::max(std::abs(exact[i]), 0.1L);
    largest = std::max(largest, std::abs(y[i] - exact[i]) / size / std::numeric_limits<Scalar>::epsilon());
  }
  return largest;
}

}  // namespace

#define ALL_FORMULAS                                                                                                              \
  Is<Formula::leaky_relu>, Is<Formula::elu>, Is<Formula::softplus>, Is<Formula::silu>, Is<Formula::gelu>, Is<Formula::gelu_tanh>, \
      Is<Formula::mish>, Is<Formula::softsign>, Is<Formula::hard_tanh>, Is<Formula::hard_sigmoid>

TEMPLATE_TEST_CASE("formulas and their derivatives agree with <cmath> on every instruction set", "", ALL_FORMULAS) {
  constexpr Formula f = TestType::formula;
  const auto check = [](auto scalar) {
    using Scalar = decltype(scalar);
    const std::vector<Scalar> z = numbers<Scalar>();
    const std::vector<long double> wide(z.begin(), z.end());
    const std::vector<long double> values = run<long double>(kernels::baseline::values<f, long double>, wide);
    const std::vector<long double> derivatives = run<long double>(kernels::baseline::times_derivative<f, long double>, wide);
    const Kernels<f, Scalar> kernels;
    for (std::size_t set = 0; set < kernels.values.size(); ++set) {
      CAPTURE(set);
      CHECK(worst(run<Scalar>(kernels.values[set], z), values) <= 20);
      CHECK(worst(run<Scalar>(kernels.derivatives[set], z), derivatives) <= 20);
    }
  };
  check(float{});
  check(double{});
}

TEMPLATE_TEST_CASE("formulas give the same bits at any position and size, write only their range, and propagate NaN", "", ALL_FORMULAS) {
  constexpr Formula f = TestType::formula;
  const Kernels<f, float> kernels;
  std::vector<float> z;
  for (int i = 0; i < 70; ++i) z.push_back(static_cast<float>(i % 2 == 0 ? i : -i) / 8);
  z[33] = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t set = 0; set < kernels.values.size(); ++set) {
    CAPTURE(set);
    const std::vector<float> a = run<float>(kernels.values[set], z);
    const std::vector<float> d = run<float>(kernels.derivatives[set], z);
    CHECK(std::isnan(a[33]));
    int different = 0;
    for (const std::size_t from : std::vector<std::size_t>{0, 1, 5, 34})
      for (std::size_t size = 0; size <= 33; ++size) {
        std::vector<float> part(size + 1, 1), slope(size + 1, 1);
        kernels.values[set](static_cast<Index>(size), z.data() + from, part.data(), p, q);
        kernels.derivatives[set](static_cast<Index>(size), z.data() + from, slope.data(), p, q);
        for (std::size_t i = 0; i < size; ++i) {
          if (from + i == 33) continue;
          different += part[i] != a[from + i] || slope[i] != d[from + i];
        }
        different += part[size] != 1 || slope[size] != 1;
      }
    CHECK(different == 0);
  }
}

TEMPLATE_TEST_CASE("AVX2 and AVX-512 versions of a formula give the same bits", "", ALL_FORMULAS) {
  constexpr Formula f = TestType::formula;
  const Kernels<f, float> kernels;
  const std::vector<float> z = numbers<float>();
  for (std::size_t set = 2; set < kernels.values.size(); ++set) {
    CHECK(run<float>(kernels.values[set], z) == run<float>(kernels.values[1], z));
    CHECK(run<float>(kernels.derivatives[set], z) == run<float>(kernels.derivatives[1], z));
  }
  SUCCEED("this machine may have one set alone");
}
