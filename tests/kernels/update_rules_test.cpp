#include <algorithm>
#include <array>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/kernels/update_rules.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

using namespace chainrule;

namespace {

constexpr std::size_t size = 37;  // not a multiple of any vector width

/// theta, then up to three moments.
template <class Scalar>
using State = std::array<std::vector<Scalar>, 4>;

/// Three steps of the kernel `step` from a random state with random gradients.
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

/// A rule with some hyperparameters, which are floats so that every scalar type gets the same values.
template <template <class> class Rule, int moments>
struct Of {
  template <class Scalar>
  static Rule<Scalar> rule() {
    constexpr float some[] = {0.125f, 0.625f, 0.75f, 0.25f, 0.5f};
    std::array<Scalar, sizeof(Rule<Scalar>) / sizeof(Scalar)> numbers;
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = Scalar{some[i % 5]};
    return detail::bit_cast<Rule<Scalar>>(numbers);
  }
  template <class Scalar>
  using Kernel = void (*)(const Scalar*, State<Scalar>&);

  template <class Scalar>
  static void baseline(const Scalar* dJ, State<Scalar>& s) {
    with_moments([&](auto*... m) { kernels::baseline::update(rule<Scalar>(), Index{size}, dJ, s[0].data(), m...); }, s);
  }
  template <class Scalar>
  static void avx2(const Scalar* dJ, State<Scalar>& s) {
    with_moments([&](auto*... m) { kernels::avx2::update(rule<Scalar>(), Index{size}, dJ, s[0].data(), m...); }, s);
  }
  template <class Scalar>
  static void avx512(const Scalar* dJ, State<Scalar>& s) {
    with_moments([&](auto*... m) { kernels::avx512::update(rule<Scalar>(), Index{size}, dJ, s[0].data(), m...); }, s);
  }

  template <class Scalar>
  static std::vector<State<Scalar>> states() {
    if constexpr (!kernels::HasWiderLanes<Scalar>)
      return {descend<moments, Scalar>(baseline<Scalar>)};
    else
      return by_each<Scalar>();
  }

 private:
  template <class Scalar>
  static std::vector<State<Scalar>> by_each() {
    std::vector<State<Scalar>> all;
    for (const auto kernel : chainrule_test::runnable<Scalar, Kernel<Scalar>>(baseline<Scalar>, avx2<Scalar>, avx512<Scalar>))
      all.push_back(descend<moments, Scalar>(kernel));
    return all;
  }
  template <class F, class Scalar>
  static void with_moments(const F& f, State<Scalar>& s) {
    if constexpr (moments == 0) f();
    if constexpr (moments == 1) f(s[1].data());
    if constexpr (moments == 2) f(s[1].data(), s[2].data());
    if constexpr (moments == 3) f(s[1].data(), s[2].data(), s[3].data());
  }
};

/// The largest difference from the exact state, in units of eps max(|exact|, 1).
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
  (Of<kernels::MomentumRule, 0>), (Of<kernels::MomentumRule, 1>), (Of<kernels::AdamRule, 2>), (Of<kernels::AdamRule, 3>), \
      (Of<kernels::NAdamRule, 2>), (Of<kernels::RMSpropRuleOf<false, false>::Rule, 1>),                                   \
      (Of<kernels::RMSpropRuleOf<false, true>::Rule, 2>), (Of<kernels::RMSpropRuleOf<true, false>::Rule, 2>),             \
      (Of<kernels::RMSpropRuleOf<true, true>::Rule, 3>), (Of<kernels::AdagradRule, 1>), (Of<kernels::AdadeltaRule, 2>),   \
      (Of<kernels::RpropRule, 2>), (Of<kernels::LionRule, 1>)

TEMPLATE_TEST_CASE("three steps of each update rule agree with long double on every instruction set", "", ALL_RULES) {
  const State<long double> exact = TestType::template states<long double>()[0];
  for (const auto& state : TestType::template states<float>()) CHECK(difference(state, exact) <= 100);
  for (const auto& state : TestType::template states<double>()) CHECK(difference(state, exact) <= 100);
  CHECK(exact[0] != descend<0, long double>([](const long double*, State<long double>&) {})[0]);  // the steps have changed theta
}

TEMPLATE_TEST_CASE("AVX2 and AVX-512 versions of an update rule give the same bits", "", ALL_RULES) {
  const auto states = TestType::template states<float>();
  for (std::size_t set = 2; set < states.size(); ++set) CHECK(states[set] == states[1]);
  SUCCEED("this machine may have one set alone");
}

TEST_CASE("an update changes exactly the given range, and every number alike, whatever its position") {
  const kernels::AdamRule<float> rule = Of<kernels::AdamRule, 2>::rule<float>();
  const std::vector<float> dJ(70, 0.5f);
  for (const std::size_t from : std::vector<std::size_t>{0, 1, 7})
    for (std::size_t count = 0; count <= 40; ++count) {
      std::vector<float> theta(70, 1.0f), m(70, 0.25f), v(70, 0.5f);
      kernels::update(rule, static_cast<Index>(count), dJ.data() + from, theta.data() + from, m.data() + from, v.data() + from);
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
