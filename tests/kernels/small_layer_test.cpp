#include <chainrule/any/known.hpp>
#include <chainrule/layers/dense.hpp>

#include "kernels/small_layers.hpp"
#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

using namespace chainrule_test;

namespace {

constexpr Index batches[] = {1, 2, 3, 4, 9, 40, 600};  // sums of 600 samples are added in blocks

/// The small-layer kernel of one given instruction set, also if this machine has a better one.
template <class Set, class Scalar, int Out, int In>
struct InSet {
  template <class F>
  void forward(const F& f, const kernels::SmallForward<Scalar>& pass) const {
    small_forward(Set{}, kernels::SmallLayerOf<Out, In, F>{f}, pass);
  }
  template <class F>
  void backward(const F& f, const kernels::SmallBackward<Scalar>& pass) const {
    small_backward(Set{}, kernels::SmallLayerOf<Out, In, F>{f}, pass);
  }
};

/// The kernels of one small layer: for compile-time extents, for run-time extents, and those of the other instruction sets, which this
/// program would run on other machines. Those of AVX2 are empty where this machine cannot run them.
template <class Scalar>
struct AllPasses {
  SmallPasses<Scalar> fixed, dynamic, baseline, avx2 = {}, avx2_dynamic = {};
};

/// Checks that these kernels give the bits of the kernels for any extents.
template <class Scalar, class F>
void check_passes(const F& f, Index out, Index in, const AllPasses<Scalar>& passes) {
  const bool is_small = kernels::SmallLayer<Scalar, Dynamic, Dynamic>::is_small(out, in);
  for (const Index samples : batches) {
    CAPTURE(out, in, samples, F::name);
    const RandomLayer<Scalar> layer(out, in, samples);
    const auto expected = layer.machine_results(f);
    const bool fixed_agrees = layer.small(passes.fixed) == expected;
    CHECK(fixed_agrees);
    CHECK(layer.step_agrees_with_gradients(passes.fixed));
    if (is_small) {
      const bool dynamic_agrees = layer.small(passes.dynamic) == expected;
      CHECK(dynamic_agrees);
      CHECK(layer.step_agrees_with_gradients(passes.dynamic));
    }
    const bool baseline_agrees = layer.small(passes.baseline) == layer.baseline_results(f);
    CHECK(baseline_agrees);
    if (!passes.avx2.forward) continue;
    const bool avx2_agrees = layer.small(passes.avx2) == expected;
    CHECK(avx2_agrees);
    if (!is_small) continue;
    const bool avx2_dynamic_agrees = layer.small(passes.avx2_dynamic) == expected;
    CHECK(avx2_dynamic_agrees);
  }
}

/// Checks that the small-layer kernels, for compile-time and run-time extents and each instruction set, give the bits of the kernels for
/// any extents.
template <class Scalar, int Out, int In, class F>
void check(const F& f) {
  AllPasses<Scalar> passes{passes_of<Scalar>(f, kernels::SmallLayer<Scalar, Out, In>{}),
                           passes_of<Scalar>(f, kernels::SmallLayer<Scalar, Dynamic, Dynamic>{}),
                           passes_of<Scalar>(f, InSet<baseline::Tag, Scalar, Out, In>{})};
#if CHAINRULE_DISPATCH >= 2
  if constexpr (kernels::HasWiderLanes<Scalar>) {
    if (kernels::best_instruction_set() != kernels::InstructionSet::baseline) {
      passes.avx2 = passes_of<Scalar>(f, InSet<kernels::avx2::Tag, Scalar, Out, In>{});
      passes.avx2_dynamic = passes_of<Scalar>(f, InSet<kernels::avx2::Tag, Scalar, Dynamic, Dynamic>{});
    }
  }
#endif
  check_passes(f, Out, In, passes);
}

template <class Scalar, int Out, int In>
void check_tanh() {
  check<Scalar, Out, In>(Tanh{});
}

template <class Scalar, int... Out>
void check_square(std::integer_sequence<int, Out...>) {
  (check_tanh<Scalar, Out, 1>(), ...);
  (check_tanh<Scalar, Out, 3>(), ...);
  (check_tanh<Scalar, Out, 8>(), ...);
  (check_tanh<Scalar, Out, 13>(), ...);
}

/// The results of both passes of a layer of 3 inputs and 5 outputs: a, then dJ/dtheta, then dJ/dx.
template <class L>
std::vector<float> results_of_layer(const L& layer) {
  constexpr Index samples = 9;
  Random random{Seed{1}};
  const auto draw = [&](Index rows, Index columns) {
    Matrix<float> numbers(rows, columns);
    for (float& number : numbers.reshaped()) number = static_cast<float>(8 * random.uniform() - 4);
    return numbers;
  };
  const Matrix<float> theta = draw(5, 3 + 1), x = draw(3, samples);
  Matrix<float> delta = draw(5, samples), gradient(5, 3 + 1), input_gradient(3, samples);
  MatrixView<float> dx = detail::mutable_view<float>(input_gradient);
  typename L::template Cache<float, Dynamic> cache(layer, samples);
  layer.forward(theta.data(), detail::const_view<float>(x), cache, ForwardContext<float>{});
  layer.backward(theta.data(), detail::const_view<float>(x), cache, detail::mutable_view<float>(delta), gradient.data(), &dx);
  std::vector<float> results;
  const auto add = [&results](const auto& numbers) { results.insert(results.end(), numbers.begin(), numbers.end()); };
  add(cache.output.first(samples).reshaped());
  add(gradient.reshaped());
  add(input_gradient.reshaped());
  return results;
}

template <class... F, class Check>
void for_each_type(Types<F...>, const Check& check) {
  (check.template operator()<F>(), ...);
}

}  // namespace

TEST_CASE("the passes of a small layer, by hand") {
  // W = 1 2 3   b = 10   x = 1 0   z = 17 12   delta = 1 10 where z > 0
  //     4 5 6       -99      0 1      -83 -94          0  1
  //                          2 0
  const float w[] = {1, 4, 2, 5, 3, 6}, b[] = {10, -99}, x[] = {1, 0, 2, 0, 1, 0};
  float delta[] = {1, 7, 10, 8};  // the second unit is dead (z < 0), so its delta becomes 0
  float a[4], dW[6], db[2], dX[6];
  const kernels::SmallLayer<float, 2, 3> layer;
  layer.forward(ReLU{}, {2, w, 3, 2, x, 3, b, a});
  CHECK((a[0] == 17 && a[1] == 0 && a[2] == 12 && a[3] == 0));
  layer.backward(ReLU{}, {2, w, 3, 2, x, 3, a, delta, dW, db, dX, 3});
  CHECK((dW[0] == 1 && dW[1] == 0 && dW[2] == 10 && dW[3] == 0 && dW[4] == 2 && dW[5] == 0));
  CHECK((db[0] == 11 && db[1] == 0));
  CHECK((dX[0] == 1 && dX[1] == 2 && dX[2] == 3 && dX[3] == 10 && dX[4] == 20 && dX[5] == 30));
}

TEMPLATE_TEST_CASE("a small layer gives the same bits as the kernels for any extents", "", float, double, long double) {
  check_tanh<TestType, 1, 1>();
  check_tanh<TestType, 1, 8>();
  check_tanh<TestType, 1, 13>();
  check_tanh<TestType, 2, 3>();
  check_tanh<TestType, 5, 16>();
  check_tanh<TestType, 8, 1>();
  check_tanh<TestType, 9, 4>();
  check_tanh<TestType, 16, 16>();
}

TEMPLATE_TEST_CASE("a small layer fuses every activation whose derivative is a formula of its output", "", float, double) {
  check<TestType, 1, 8>(Sigmoid{});
  check<TestType, 8, 8>(Sigmoid{});
  check<TestType, 1, 13>(ReLU{});
  check<TestType, 3, 5>(ReLU{});
  check<TestType, 1, 1>(Identity{});
  check<TestType, 8, 8>(Identity{});
  check<TestType, 7, 2>(LeakyReLU{0.25});
  check<TestType, 4, 9>(Softplus{2});
}

TEST_CASE("a layer with any known activation gives the same bits for fixed and run-time extents") {
  for_each_type(Activations{}, []<class F>() {
    CAPTURE(F::name);
    CHECK(results_of_layer(Dense<3, 5, F>{}) == results_of_layer(Dense<Dynamic, Dynamic, F>{3, 5}));
  });
}

TEMPLATE_TEST_CASE("a small layer of 24 more shapes gives the same bits as the kernels for any extents", "", float) {
  check_square<TestType>(std::integer_sequence<int, 3, 4, 6, 7, 12, 15>{});
}

TEST_CASE("a layer with run-time extents is small up to 16 floats or 8 doubles, on machines with AVX2 or AVX-512") {
  const auto is_small = [](auto scalar, Index outputs, Index inputs) {
    return kernels::SmallLayer<decltype(scalar), Dynamic, Dynamic>::is_small(outputs, inputs);
  };
  const bool has_masks = is_small(1.0f, 1, 1);
  CHECK(is_small(1.0f, 16, 16) == has_masks);
  CHECK(is_small(1.0f, 1, 16) == has_masks);
  CHECK(is_small(1.0, 8, 8) == has_masks);
  CHECK_FALSE(is_small(1.0f, 17, 1));
  CHECK_FALSE(is_small(1.0f, 1, 17));
  CHECK_FALSE(is_small(1.0, 9, 1));
  CHECK_FALSE(is_small(1.0L, 1, 1));
}
