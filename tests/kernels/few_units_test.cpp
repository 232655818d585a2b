#include <chainrule/kernels/few_units.hpp>

#include "kernels/small_layers.hpp"
#include "support/catch.hpp"

using namespace chainrule_test;
using kernels::FewUnits;

namespace {

/// The kernel of one instruction set, called as the one that chooses among them is.
template <class Scalar, class Kernel>
struct OneSet {
  Kernel kernel;
  template <Function f>
  void forward(const kernels::SmallLayerPass<Scalar>& pass, const Scalar* bias, Scalar* a) const {
    kernel.forward(f, pass, bias, a);
  }
  template <Function f>
  void backward(const kernels::SmallLayerPass<Scalar>& pass, const Scalar* a, Scalar* delta, Scalar* dW, Scalar* db, Scalar* dX,
                Index dX_step, const Scalar* factor = nullptr) const {
    kernel.backward(f, pass, a, delta, dW, db, dX, dX_step, factor);
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
    using Avx2 = kernels::avx2::LayerOfFew<Scalar>;  // which a machine with AVX-512 would not call
    const bool in_avx2 = layer.template small<f>(OneSet<Scalar, Avx2>{Avx2(Out, In)}) == layer.template of_machine<f>();
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
  (check_all<Scalar, Out + 1, 1>(), ...);
  (check_all<Scalar, Out + 1, 3>(), ...);
  (check_all<Scalar, Out + 1, 4>(), ...);
  (check_all<Scalar, Out + 1, 7>(), ...);
  (check_all<Scalar, Out + 1, 8>(), ...);
}

}  // namespace

TEMPLATE_TEST_CASE("a layer of few units gives the bits of the kernels for any extents", "", float, double) {
  check_square<TestType>(std::make_integer_sequence<int, 8>{});
}

TEST_CASE("units are few up to half a register of AVX-512, or a register of AVX2, where there is one of these") {
  const bool there_are = FewUnits<float>(1, 1).is_small();
  CHECK(FewUnits<float>(8, 8).is_small() == there_are);
  CHECK(FewUnits<float>(1, 8).is_small() == there_are);
  CHECK(FewUnits<double>(4, 4).is_small() == there_are);
  CHECK_FALSE(FewUnits<float>(9, 1).is_small());
  CHECK_FALSE(FewUnits<float>(1, 9).is_small());
  CHECK_FALSE(FewUnits<double>(5, 1).is_small());
  CHECK_FALSE(FewUnits<long double>(1, 1).is_small());
}
