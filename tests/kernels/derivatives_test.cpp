#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/core/chunks.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using kernels::Function;

namespace {

template <class Scalar>
using Kernel = void (*)(Index, const Scalar*, Scalar*);

/// The versions of times_derivative<f> that this machine can run: the one that chooses an instruction set, then each set's own.
template <Function f, class Scalar>
std::vector<Kernel<Scalar>> runnable() {
  namespace k = kernels;
  std::vector<Kernel<Scalar>> all{k::times_derivative<f, Scalar>, k::baseline::times_derivative<f, Scalar>};
  if constexpr (k::HasWiderLanes<Scalar>) {
    if (CHAINRULE_DISPATCH >= 2 && k::best_instruction_set() != k::InstructionSet::baseline)
      all.push_back(k::avx2::times_derivative<f, Scalar>);
    if (k::best_instruction_set() == k::InstructionSet::avx512) all.push_back(k::avx512::times_derivative<f, Scalar>);
  }
  return all;
}

/// Counts entries that differ from delta * f'(z), computed one at a time with the activation's own derivative_from_output, and writes
/// beyond the end. Two NaNs count as equal.
template <Function f, class Scalar, class F>
int different(const F& activation) {
  constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity(), nan = std::numeric_limits<Scalar>::quiet_NaN();
  const std::vector<Scalar> as{Scalar(0.25), 0, Scalar(0.7), 1, -1, -Scalar{0}, Scalar(1e-30), Scalar(-0.3), nan};
  const std::vector<Scalar> deltas{1, Scalar(-0.1), infinity, 0, -infinity, Scalar(3e30), nan};
  int wrong = 0;
  for (const Kernel<Scalar> kernel : runnable<f, Scalar>())
    for (Index size = 0; size <= 70; ++size) {
      std::vector<Scalar> a, delta;
      for (std::size_t i = 0; i < static_cast<std::size_t>(size); ++i) {
        a.push_back(as[i % as.size()]);
        delta.push_back(deltas[i % deltas.size()]);
      }
      const std::vector<Scalar> before = delta;
      delta.push_back(-12345);
      kernel(size, a.data(), delta.data());
      wrong += delta.back() != -12345;
      for (std::size_t i = 0; i < a.size(); ++i) {
        const Scalar expected = before[i] * activation.derivative_from_output(Chunk<Scalar>(Chunk<Scalar>::Constant(a[i])))[0];
        wrong += !(delta[i] == expected || (delta[i] != delta[i] && expected != expected));
      }
    }
  return wrong;
}

}  // namespace

TEMPLATE_TEST_CASE("times_derivative equals delta * f'(z) with the activation's own formula on every instruction set", "", float, double,
                   long double) {
  CHECK(different<Function::tanh, TestType>(Tanh{}) == 0);
  CHECK(different<Function::sigmoid, TestType>(Sigmoid{}) == 0);
  CHECK(different<Function::relu, TestType>(ReLU{}) == 0);
}
