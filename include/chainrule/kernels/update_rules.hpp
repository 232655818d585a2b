#pragma once
// What optimizers do to each number of theta, with the widest vectors of this machine. What the numbers of a rule are, and where its
// formula comes from, stands at the rule, in optimizers/.

#include <chainrule/kernels/pack.hpp>

namespace chainrule::kernels {

/// SGD with momentum: moment b. Without, there is no b, and nothing but decay and rate counts.
template <class Scalar>
struct MomentumRule {
  Scalar decay, rate, momentum, of_g, of_b;
};

/// Adam and AdamW: moments m, v and, with amsgrad, the largest v.
template <class Scalar>
struct AdamRule {
  Scalar pull, keep;  // of the two decays
  Scalar beta1, fresh1, beta2, fresh2, epsilon;
  Scalar step_size;   // learning_rate / (1 - beta1^t)
  Scalar root_scale;  // 1 / sqrt(1 - beta2^t)
};

/// NAdam: moments m, v.
template <class Scalar>
struct NAdamRule {
  Scalar decay, beta1, fresh1, beta2, fresh2, epsilon, rate_of_g, rate_of_m, root_scale;
};

/// RMSprop: moments v; mean, if centered; b, with momentum.
template <class Scalar, bool centered, bool has_momentum>
struct RMSpropRule {
  Scalar decay, rate, kept, fresh, epsilon, momentum;
};
/// It by its scalar alone.
template <bool centered, bool has_momentum>
struct RMSpropRuleOf {
  template <class Scalar>
  using Rule = RMSpropRule<Scalar, centered, has_momentum>;
};

/// Adagrad: moment s, the sum of squares.
template <class Scalar>
struct AdagradRule {
  Scalar decay, rate, initial_sum, epsilon;
};

/// Adadelta: moments v, u.
template <class Scalar>
struct AdadeltaRule {
  Scalar decay, rate, kept, fresh, epsilon;
};

/// Rprop: moments last, size.
template <class Scalar>
struct RpropRule {
  Scalar first_size, eta_minus, eta_plus, min_step, max_step;
};

/// Lion: moment m.
template <class Scalar>
struct LionRule {
  Scalar keep, rate, beta1, fresh1, beta2, fresh2;
};

}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/update_rules.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

/// A step of theta by a rule, and of its moments: `size` numbers each.
template <class Rule, class Scalar, class... Moments>
[[gnu::noinline]] void update(const Rule& rule, Index size, const Scalar* dJ, Scalar* theta, Moments*... moments) {
  if constexpr (HasWiderLanes<Scalar>) {
    const InstructionSet set = best_instruction_set();
    if (set == InstructionSet::avx512) return avx512::update(rule, size, dJ, theta, moments...);
    if (set == InstructionSet::avx2) return avx2::update(rule, size, dJ, theta, moments...);
  }
  baseline::update(rule, size, dJ, theta, moments...);
}

}  // namespace chainrule::kernels
