#include <chainrule/kernels/small_layer.hpp>

#include "kernels/small_layers.hpp"
#include "support/catch.hpp"

using namespace chainrule_test;

namespace {

constexpr Index batches[] = {1, 2, 3, 4, 9, 40};

template <Function f, class Scalar, int Out, int In>
void check() {
  for (const Index samples : batches) {
    CAPTURE(Out, In, samples, f);
    const Layer<Scalar, Out, In> layer(samples);
    const bool as_on_machine = layer.template small<f>(kernels::SmallLayer<Scalar, Out, In>(Out, In)) == layer.template of_machine<f>();
    CHECK(as_on_machine);
    const bool steps = layer.template steps_as_it_says<f>(kernels::SmallLayer<Scalar, Out, In>(Out, In));
    CHECK(steps);
    // the versions that this program would choose on other machines
    const auto one_by_one = layer.template one_by_one<f>();
    if constexpr (kernels::HasVectors<Scalar>) {
      const bool in_registers = layer.template small<f>(baseline::RegisterLayer<Scalar, Out, In>{}) == one_by_one;
      CHECK(in_registers);
    }
    if constexpr (CHAINRULE_DISPATCH >= 2 || !kernels::HasVectors<Scalar>) {
      const bool in_loops = layer.template small<f>(kernels::ScalarLayer<Scalar, Out, In>{}) == one_by_one;
      CHECK(in_loops);
    }
  }
}

template <class Scalar, int Out, int In>
void check_all() {
  check<Function::identity, Scalar, Out, In>();
  check<Function::tanh, Scalar, Out, In>();
  check<Function::sigmoid, Scalar, Out, In>();
  check<Function::relu, Scalar, Out, In>();
}

}  // namespace

TEST_CASE("SmallLayer with ReLU: a 2 x 3 layer by hand") {
  // W = 1 2 3   b = 10   x = 1 0   z = 17 12   delta = 1 10 where z > 0
  //     4 5 6       -99      0 1      -83 -94          0  1
  //                          2 0
  const float w[] = {1, 4, 2, 5, 3, 6}, b[] = {10, -99}, x[] = {1, 0, 2, 0, 1, 0};
  float delta[] = {1, 7, 10, 8};  // z < 0 in the second unit, so ReLU zeroes its 7 and 8
  float a[4], dW[6], db[2], dX[6];
  using Kernel = kernels::SmallLayer<float, 2, 3>;
  Kernel::forward<Function::relu>({w, 2, x, 3}, b, a);
  CHECK((a[0] == 17 && a[1] == 0 && a[2] == 12 && a[3] == 0));
  Kernel::backward<Function::relu>({w, 2, x, 3}, a, delta, dW, db, dX, 3);
  CHECK((dW[0] == 1 && dW[1] == 0 && dW[2] == 10 && dW[3] == 0 && dW[4] == 2 && dW[5] == 0));
  CHECK((db[0] == 11 && db[1] == 0));
  CHECK((dX[0] == 1 && dX[1] == 2 && dX[2] == 3 && dX[3] == 10 && dX[4] == 20 && dX[5] == 30));
}

TEMPLATE_TEST_CASE("SmallLayer is bit-identical to the general layer kernels", "", float, double, long double) {
  check_all<TestType, 1, 1>();
  check_all<TestType, 1, 8>();
  check_all<TestType, 1, 13>();
  check_all<TestType, 2, 3>();
  check_all<TestType, 5, 16>();
  check_all<TestType, 8, 1>();
  check_all<TestType, 8, 8>();
  check_all<TestType, 9, 4>();
  check_all<TestType, 16, 16>();
}
