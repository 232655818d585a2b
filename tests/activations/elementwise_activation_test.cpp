#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "support/activation_contract.hpp"
#include "support/instruction_sets.hpp"

using namespace chainrule;

namespace {

template <class Scalar>
using Numbers = std::vector<Scalar>;

/// f(z), one result for each instruction set that this machine can run.
template <class Scalar, class F>
std::vector<Numbers<Scalar>> values(const F& f, const Scalar* z, std::size_t size) {
  std::vector<Numbers<Scalar>> results;
  chainrule_test::for_each_runnable_set<Scalar>([&](auto set) {
    Numbers<Scalar> a(size + 1, 1);  // the last number must stay untouched
    map(
        set, static_cast<Index>(size), [f](auto z_i) CHAINRULE_FORMULA { return f.f(z_i); }, a.data(), z);
    results.push_back(a);
  });
  return results;
}

/// f'(z), one result for each instruction set; `kept` is a = f(z) for activations with f_prime_from_output, else z.
template <class Scalar, class F>
std::vector<Numbers<Scalar>> derivatives(const F& f, const Scalar* kept, std::size_t size) {
  std::vector<Numbers<Scalar>> results;
  chainrule_test::for_each_runnable_set<Scalar>([&](auto set) {
    Numbers<Scalar> delta(size + 1, 1);
    map(
        set, static_cast<Index>(size), [f](auto d, auto kept_i) CHAINRULE_FORMULA { return d * F::derivative_of(f, kept_i); }, delta.data(),
        static_cast<const Scalar*>(delta.data()), kept);
    results.push_back(delta);
  });
  return results;
}

/// f', f'' and f''' one after another, as kernels::derivatives computes them, one result for each instruction set.
template <class Scalar, class F>
std::vector<Numbers<Scalar>> derivatives_of_all_orders(const F& f, const Numbers<Scalar>& kept) {
  std::vector<Numbers<Scalar>> results;
  chainrule_test::for_each_runnable_set<Scalar>([&](auto set) {
    Numbers<Scalar> d(3 * kept.size());
    const std::array orders{d.data(), d.data() + kept.size(), d.data() + 2 * kept.size()};
    map_several(
        set, static_cast<Index>(kept.size()),
        [f](auto kept_i, auto k)
            CHAINRULE_FORMULA { return F::template derivative_of<static_cast<int>(decltype(k)::value) + 1>(f, kept_i); },
        kept.data(), orders, std::make_index_sequence<3>{});
    results.push_back(d);
  });
  return results;
}

/// The activation F, with hyperparameters that differ from the defaults if it has any.
template <class F>
F made() {
  if constexpr (std::is_same_v<F, HardTanh>)
    return HardTanh{0.25, 1.5};
  else if constexpr (std::is_constructible_v<F, double>)
    return F(0.25);
  else
    return F{};
}

/// 8001 equidistant numbers from -10 to 10.
template <class Scalar>
std::vector<Scalar> numbers() {
  std::vector<Scalar> z;
  for (int i = -4000; i <= 4000; ++i) z.push_back(static_cast<Scalar>(i) / 400);
  return z;
}

/// The largest error relative to the exact values, in units of eps. Errors of values below 0.1 are taken relative to 0.1.
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

TEMPLATE_LIST_TEST_CASE("formulas and their derivatives agree with <cmath> in long double, on each instruction set", "[activation]",
                        Activations) {
  const TestType f = made<TestType>();
  const auto check = [&f](auto scalar) {
    using Scalar = decltype(scalar);
    const Numbers<Scalar> z = numbers<Scalar>();
    const Numbers<long double> wide(z.begin(), z.end());
    const auto exact = values(f, wide.data(), wide.size())[0], exact_derivatives = derivatives_of_all_orders(f, wide)[0];
    for (const auto& a : values(f, z.data(), z.size())) CHECK(worst(a, exact) <= 20);
    for (const auto& d : derivatives_of_all_orders(f, z)) CHECK(worst(d, exact_derivatives) <= 20);
  };
  check(float{});
  check(double{});
}

TEMPLATE_LIST_TEST_CASE("formulas give the same bits at any position and size, write only their range, and keep NaN", "[activation]",
                        Activations) {
  const TestType f = made<TestType>();
  Numbers<float> z;
  for (int i = 0; i < 70; ++i) z.push_back(static_cast<float>(i % 2 == 0 ? i : -i) / 8);
  z[33] = std::numeric_limits<float>::quiet_NaN();
  const auto a = values(f, z.data(), z.size()), d = derivatives(f, z.data(), z.size());
  for (std::size_t set = 0; set < a.size(); ++set) CHECK(std::isnan(a[set][33]));
  int different = 0;
  for (const std::size_t from : {0u, 1u, 5u, 34u})
    for (std::size_t size = 0; size <= 33; ++size) {
      const auto part = values(f, z.data() + from, size), slope = derivatives(f, z.data() + from, size);
      for (std::size_t set = 0; set < a.size(); ++set) {
        for (std::size_t i = 0; i < size; ++i)
          if (from + i != 33) different += part[set][i] != a[set][from + i] || slope[set][i] != d[set][from + i];
        different += part[set][size] != 1 || slope[set][size] != 1;
      }
    }
  CHECK(different == 0);
}

TEMPLATE_LIST_TEST_CASE("all instruction sets with fused multiply-adds give the same bits", "[activation]", Activations) {
  const TestType f = made<TestType>();
  const Numbers<float> z = numbers<float>();
  const auto a = values(f, z.data(), z.size()), d = derivatives_of_all_orders(f, z);
  for (std::size_t set = 2; set < a.size(); ++set) {
    CHECK(a[set] == a[1]);
    CHECK(d[set] == d[1]);
  }
  SUCCEED("this machine may run only one instruction set");
}

TEMPLATE_LIST_TEST_CASE("values and times_derivative give the same bits for an array and for a Chunk", "[activation]", Activations) {
  const TestType f = made<TestType>();
  const Numbers<float> z{-3, -2, -1, -0.5f, 0, 0.5f, 1, 2, 3, -4, -5, -6, 4, 5, 6, 7, -7};
  Numbers<float> a(z.size()), slope(z.size(), 1);
  f.values(static_cast<Index>(z.size()), z.data(), a.data());
  f.times_derivative(static_cast<Index>(z.size()), z.data(), slope.data());
  for (std::size_t i = 0; i < z.size(); ++i) {
    const Chunk<float> chunk = Chunk<float>::Constant(z[i]);
    CHECK(f.value(chunk)[0] == a[i]);
    if constexpr (DerivativeFromOutput<TestType>)
      CHECK(f.derivative_from_output(chunk)[0] == slope[i]);
    else
      CHECK(f.derivative(chunk)[0] == slope[i]);
  }
}

namespace {

/// An activation as a user writes it, marked with CHAINRULE_FORMULA.
struct Swish : ElementwiseActivation<Swish> {
  static constexpr std::string_view name = "Swish";
  HeNormal default_initializer() const { return {}; }
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return z * sigmoid(z);
  }
  template <class V>
  CHAINRULE_FORMULA V f_prime(V z) const {
    return sigmoid(z) * (1 + z * sigmoid(-z));
  }
};

/// Swish without CHAINRULE_FORMULA: slower, with the same results.
struct UnmarkedSwish : ElementwiseActivation<UnmarkedSwish> {
  static constexpr std::string_view name = "UnmarkedSwish";
  HeNormal default_initializer() const { return {}; }
  template <class V>
  V f(V z) const {
    return z * sigmoid(z);
  }
  template <class V>
  V f_prime(V z) const {
    return sigmoid(z) * (1 + z * sigmoid(-z));
  }
};

}  // namespace

TEST_CASE("a user's formula gives the same bits with and without CHAINRULE_FORMULA, on each instruction set", "[activation]") {
  const Numbers<float> z = numbers<float>();
  const auto marked = values(Swish{}, z.data(), z.size()), unmarked = values(UnmarkedSwish{}, z.data(), z.size());
  CHECK(marked == unmarked);
  CHECK(derivatives(Swish{}, z.data(), z.size()) == derivatives(UnmarkedSwish{}, z.data(), z.size()));
  Numbers<long double> exact;
  for (const float z_i : z) exact.push_back(z_i / (1 + std::exp(-static_cast<long double>(z_i))));
  exact.push_back(1);
  for (const auto& a : marked) CHECK(worst(a, exact) <= 20);
  chainrule_test::check_activation<float>(Swish{}, {.nondecreasing = false});
  chainrule_test::check_activation<double>(Swish{}, {.nondecreasing = false});
}
