#include <algorithm>
#include <array>
#include <chainrule/chainrule.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

using namespace chainrule;

namespace {

constexpr std::size_t size = 37;  // not a multiple of any vector width

/// theta and up to three moments.
template <class Scalar>
using State = std::array<std::vector<Scalar>, 4>;

/// theta and the moments after three calls of step(dJ, state), from random state and random gradients of both signs.
template <int Moments, class Scalar, class Step>
State<Scalar> descend(const Step& step) {
  Random random{Seed{3}};
  State<Scalar> state;
  for (auto& numbers : state)
    for (std::size_t i = 0; i < size; ++i) numbers.push_back(static_cast<Scalar>(static_cast<float>(random.uniform())));
  for (int t = 0; t < 3; ++t) {
    std::vector<Scalar> dJ;
    for (std::size_t i = 0; i < size; ++i) dJ.push_back(static_cast<Scalar>(static_cast<float>(2 * random.uniform() - 1)));
    step(dJ.data(), state);
  }
  return state;
}

/// Runs the formula of an optimizer with `moments` moments. Its hyperparameters are exact in float, so they are equal for all scalar types.
template <template <class> class Formula, int moments>
struct Of {
  template <class Scalar>
  static Formula<Scalar> formula() {
    constexpr float some[] = {0.125f, 0.625f, 0.75f, 0.25f, 0.5f};
    std::array<Scalar, sizeof(Formula<Scalar>) / sizeof(Scalar)> numbers;
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = Scalar{some[i % 5]};
    return detail::bit_cast<Formula<Scalar>>(numbers);
  }

  /// theta and the moments after three steps, one result for each instruction set that this machine can run.
  template <class Scalar>
  static std::vector<State<Scalar>> states() {
    std::vector<State<Scalar>> all;
    chainrule_test::for_each_runnable_set<Scalar>([&](auto set) {
      all.push_back(descend<moments, Scalar>([set](const Scalar* dJ, State<Scalar>& s) {
        const auto f = formula<Scalar>();
        if constexpr (moments == 0) update(set, Index{size}, f, dJ, s[0].data());
        if constexpr (moments == 1) update(set, Index{size}, f, dJ, s[0].data(), s[1].data());
        if constexpr (moments == 2) update(set, Index{size}, f, dJ, s[0].data(), s[1].data(), s[2].data());
        if constexpr (moments == 3) update(set, Index{size}, f, dJ, s[0].data(), s[1].data(), s[2].data(), s[3].data());
      }));
    });
    return all;
  }
};

template <class Scalar>
using Momentum = detail::SGDFormula<Scalar, false>;
template <class Scalar>
using Nesterov = detail::SGDFormula<Scalar, true>;
template <bool centered, bool has_momentum>
struct RMSpropOf {
  template <class Scalar>
  using Formula = detail::RMSpropFormula<Scalar, centered, has_momentum>;
};

/// The largest error relative to the exact values, in units of eps. Errors of values below 1 are absolute.
template <class Scalar>
long double difference(const State<Scalar>& a, const State<long double>& exact) {
  long double largest = 0;
  for (std::size_t k = 0; k < a.size(); ++k)
    for (std::size_t i = 0; i < size; ++i)
      largest = std::max(largest, std::abs(a[k][i] - exact[k][i]) / std::max(std::abs(exact[k][i]), 1.0L));
  return largest / std::numeric_limits<Scalar>::epsilon();
}

}  // namespace

#define ALL_RULES                                                                                                         \
  (Of<Momentum, 0>), (Of<Momentum, 1>), (Of<Nesterov, 1>), (Of<detail::AdamFormula, 2>), (Of<detail::AdamFormula, 3>),    \
      (Of<detail::NAdamFormula, 2>), (Of<RMSpropOf<false, false>::Formula, 1>), (Of<RMSpropOf<false, true>::Formula, 2>), \
      (Of<RMSpropOf<true, false>::Formula, 2>), (Of<RMSpropOf<true, true>::Formula, 3>), (Of<detail::AdagradFormula, 1>), \
      (Of<detail::AdadeltaFormula, 2>), (Of<detail::RpropFormula, 2>), (Of<detail::LionFormula, 1>)

TEMPLATE_TEST_CASE("an optimizer's steps agree with long double, on each instruction set", "", ALL_RULES) {
  const State<long double> exact = TestType::template states<long double>()[0];
  for (const auto& state : TestType::template states<float>()) CHECK(difference(state, exact) <= 100);
  for (const auto& state : TestType::template states<double>()) CHECK(difference(state, exact) <= 100);
  CHECK(exact[0] != descend<0, long double>([](const long double*, State<long double>&) {})[0]);  // theta has changed
}

TEMPLATE_TEST_CASE("an optimizer's steps give the same bits on all instruction sets with fused multiply-adds", "", ALL_RULES) {
  const auto states = TestType::template states<float>();
  for (std::size_t set = 2; set < states.size(); ++set) CHECK(states[set] == states[1]);
  SUCCEED("this machine may run only one instruction set");
}

TEST_CASE("a step gives the same bits at any position and size, and changes only its range") {
  const auto rule = Of<detail::AdamFormula, 2>::formula<float>();
  const std::vector<float> dJ(70, 0.5f);
  for (const std::size_t from : std::vector<std::size_t>{0, 1, 7})
    for (std::size_t count = 0; count <= 40; ++count) {
      std::vector<float> theta(70, 1.0f), m(70, 0.25f), v(70, 0.5f);
      kernels::update(static_cast<Index>(count), rule, dJ.data() + from, theta.data() + from, m.data() + from, v.data() + from);
      int wrong = 0;
      for (std::size_t i = 0; i < 70; ++i) {
        const bool inside = i >= from && i < from + count;
        wrong += inside ? theta[i] == 1 || theta[i] != theta[from] || m[i] != m[from] || v[i] != v[from]
                        : theta[i] != 1 || m[i] != 0.25f || v[i] != 0.5f;
      }
      CAPTURE(from, count);
      CHECK(wrong == 0);
    }
}
