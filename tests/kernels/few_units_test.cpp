#include <chainrule/kernels/few_units.hpp>

#include "kernels/small_layers.hpp"
#include "support/catch.hpp"

using namespace chainrule_test;
using kernels::FewUnits;

namespace {

/// Calls the AVX2 kernel directly, because a machine with AVX-512 would choose the other one.
template <class Scalar>
struct InAvx2 {
  Index outputs, inputs;
  template <Function f>
  void forward(const kernels::SmallLayerPass<Scalar>& pass, const Scalar* bias, Scalar* a) const {
    kernels::avx2::forward_of_few(outputs, inputs, f, pass, bias, a);
  }
  template <Function f>
  void backward(const kernels::SmallLayerPass<Scalar>& pass, const Scalar* a, Scalar* delta, Scalar* dW, Scalar* db, Scalar* dX,
                Index dX_step, const Scalar* factor = nullptr) const {
    kernels::avx2::backward_of_few(outputs, inputs, f, pass, a, delta, dW, db, dX, dX_step, factor);
  }
};

constexpr Index batches[] = {1, 2, 3, 4, 5, 9, 40};

template <Function f, class Scalar, int Out, int In>
void check() {
  for (const Index samples : batches) {
    CAPTURE(Out, In, samples, f);
    const Layer<Scalar, Out, In> layer(samples);
    const FewUnits<Scalar> few(Out, In);
    const bool as_on_machine = layer.template small<f>(few) == layer.template of_machine<f>();
    CHECK(as_on_machine);
#if CHAINRULE_DISPATCH >= 2
    const bool in_avx2 = layer.template small<f>(InAvx2<Scalar>{Out, In}) == layer.template of_machine<f>();
    CHECK(in_avx2);
#endif
    const bool steps = layer.template steps_as_it_says<f>(few);
    CHECK(steps);
  }
}

template <class Scalar, int Out, int In>
void check_all() {
  if (!FewUnits<Scalar>(Out, In).is_small()) return;
  check<Function::identity, Scalar, Out, In>();
  check<Function::tanh, Scalar, Out, In>();
  check<Function::sigmoid, Scalar, Out, In>();
  check<Function::relu, Scalar, Out, In>();
}

template <class Scalar, int... Out>
void check_square(std::integer_sequence<int, Out...>) {
  (check_all<Scalar, Out, 1>(), ...);
  (check_all<Scalar, Out, 3>(), ...);
  (check_all<Scalar, Out, 4>(), ...);
  (check_all<Scalar, Out, 7>(), ...);
  (check_all<Scalar, Out, 8>(), ...);
  (check_all<Scalar, Out, 13>(), ...);
  (check_all<Scalar, Out, 16>(), ...);
}

}  // namespace

TEMPLATE_TEST_CASE("FewUnits is bit-identical to the general layer kernels", "", float, double) {
  check_square<TestType>(std::integer_sequence<int, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16>{});
}

TEST_CASE("FewUnits accepts up to 16 floats or 8 doubles per side, and nothing without AVX2") {
  const bool there_are = FewUnits<float>(1, 1).is_small();
  CHECK(FewUnits<float>(16, 16).is_small() == there_are);
  CHECK(FewUnits<float>(1, 16).is_small() == there_are);
  CHECK(FewUnits<double>(8, 8).is_small() == there_are);
  CHECK_FALSE(FewUnits<float>(17, 1).is_small());
  CHECK_FALSE(FewUnits<float>(1, 17).is_small());
  CHECK_FALSE(FewUnits<double>(9, 1).is_small());
  CHECK_FALSE(FewUnits<long double>(1, 1).is_small());
}
