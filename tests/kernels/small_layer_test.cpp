#include <chainrule/core/random.hpp>
#include <chainrule/kernels/layer_products.hpp>
#include <chainrule/kernels/pieces.hpp>
#include <chainrule/kernels/small_layer.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using kernels::Function;
namespace as_built = kernels::as_built;

namespace {

/// f of all numbers, in vectors of the program's flags where there are such.
template <Function f, class Scalar>
void apply(Index size, Scalar* a) {
  if constexpr (f == Function::relu) as_built::rectify(size, a, a);
  if constexpr (kernels::HasVectors<Scalar>) {
    if constexpr (f == Function::tanh) as_built::tanhs(size, a, a);
    if constexpr (f == Function::sigmoid) as_built::sigmoids(size, a, a);
  } else {
    if constexpr (f == Function::tanh) kernels::tanhs(size, a, a);
    if constexpr (f == Function::sigmoid) kernels::sigmoids(size, a, a);
  }
}

/// A layer of Out x In weights, a batch whose samples lie apart, and all that comes of them with a number behind that nobody may change.
template <class Scalar, int Out, int In>
struct Layer {
  using Numbers = std::vector<Scalar>;
  static constexpr Scalar untouched = -12345;
  static constexpr Index x_step = In + 1, dX_step = In + 2;

  explicit Layer(Index samples_) : samples{samples_} {
    Random random{Seed{1}};
    const auto draw = [&](Index size, Scalar last) {
      Numbers numbers;
      for (Index i = 0; i < size; ++i) numbers.push_back(static_cast<Scalar>(4 * random.uniform() - 2));
      numbers.push_back(last);
      return numbers;
    };
    const Scalar nan = std::numeric_limits<Scalar>::quiet_NaN();  // of which nothing must be seen
    w = draw(Out * In, nan);
    b = draw(Out, nan);
    x = draw(x_step * samples, nan);
    for (Index j = 0; j < samples; ++j) x[static_cast<std::size_t>(j * x_step + In)] = nan;
    delta = draw(Out * samples, untouched);
  }

  struct Results {
    explicit Results(Index samples)
        : a(static_cast<std::size_t>(Out * samples + 1), untouched),
          dW(Out * In + 1, untouched),
          db(Out + 1, untouched),
          dX(static_cast<std::size_t>(dX_step * samples), untouched) {}
    bool operator==(const Results&) const = default;
    Numbers a, dW, db, dX;
  };

  template <Function f, class Kernel>
  Results small() const {
    Results r(samples);
    Numbers d = delta;
    Kernel::template forward<f>({w.data(), x.data(), x_step, samples}, b.data(), r.a.data());
    Kernel::template backward<f>({w.data(), x.data(), x_step, samples}, r.a.data(), d.data(), r.dW.data(), r.db.data(), r.dX.data(),
                                 dX_step);
    if (d.back() != untouched) r.db.back() = 0;
    return r;
  }

  /// What the kernels for extents that are values give, one after the other, with the vectors of the program's flags.
  template <Function f>
  Results one_by_one() const {
    Results r(samples);
    if (Out == 1)
      as_built::dot_products<Scalar>(x.data(), x_step, w.data(), In, b[0], r.a.data(), samples);
    else if (samples == 1)
      as_built::matrix_times_vector<Scalar>(w.data(), Out, x.data(), In, b.data(), r.a.data(), Out);
    else
      as_built::product<Scalar>({w.data(), 1, Out}, {x.data(), 1, x_step}, In, {kernels::StartKind::column, b.data()}, r.a.data(), Out, Out,
                                samples);
    const Index size = Out * samples;
    apply<f>(size, r.a.data());

    Numbers d = delta;
    if (f != Function::identity) as_built::times_derivative<f>(size, r.a.data(), d.data());
    as_built::product<Scalar>({d.data(), 1, Out}, {x.data(), x_step, 1}, samples, {}, r.dW.data(), Out, Out, In);
    as_built::row_sums<Scalar>(d.data(), Out, Out, samples, r.db.data());
    if (samples == 1)
      as_built::dot_products<Scalar>(w.data(), Out, d.data(), Out, 0, r.dX.data(), In);
    else
      as_built::product<Scalar>({w.data(), Out, 1}, {d.data(), 1, Out}, Out, {}, r.dX.data(), dX_step, In, samples);
    return r;
  }

  /// The same of this machine, as a layer of any extents calls them.
  template <Function f>
  Results of_machine() const {
    Results r(samples);
    const kernels::LayerProducts<Scalar> products(Out, In);
    const auto view = [this](auto* numbers, Index rows, Index step) {
      using View =
          std::conditional_t<std::is_const_v<std::remove_pointer_t<decltype(numbers)>>, ConstMatrixView<Scalar>, MatrixView<Scalar>>;
      return View(numbers, rows, samples, Eigen::OuterStride<>(step));
    };
    const ConstMatrixView<Scalar> inputs = view(x.data(), In, x_step);
    const Index size = Out * samples;
    products.affine(w.data(), inputs, b.data(), 0, view(r.a.data(), Out, Out), samples);
    if constexpr (f == Function::relu) kernels::rectify(size, r.a.data(), r.a.data());
    if constexpr (f == Function::tanh) kernels::tanhs(size, r.a.data(), r.a.data());
    if constexpr (f == Function::sigmoid) kernels::sigmoids(size, r.a.data(), r.a.data());

    Numbers d = delta;
    if (f != Function::identity) kernels::times_derivative<f>(size, static_cast<const Scalar*>(r.a.data()), d.data());
    const ConstMatrixView<Scalar> deltas = view(std::as_const(d).data(), Out, Out);
    products.weight_gradient(deltas, inputs, 0, In, r.dW.data());
    products.bias_gradient(deltas, r.db.data());
    products.input_gradient(w.data(), deltas, 0, In, view(r.dX.data(), In, dX_step));
    return r;
  }

  Index samples;
  Numbers w, b, x, delta;
};

constexpr Index batches[] = {1, 2, 3, 4, 9, 40};

template <Function f, class Scalar, int Out, int In>
void check() {
  for (const Index samples : batches) {
    CAPTURE(Out, In, samples, f);
    const Layer<Scalar, Out, In> layer(samples);
    const bool as_on_machine = layer.template small<f, kernels::SmallLayer<Scalar, Out, In>>() == layer.template of_machine<f>();
    CHECK(as_on_machine);
    // and each kind of layer that this program would run on some machine
    const auto one_by_one = layer.template one_by_one<f>();
    if constexpr (kernels::HasVectors<Scalar>) {
      const bool in_registers = layer.template small<f, as_built::RegisterLayer<Scalar, Out, In>>() == one_by_one;
      CHECK(in_registers);
    }
    if constexpr (CHAINRULE_DISPATCH >= 2 || !kernels::HasVectors<Scalar>) {
      const bool in_loops = layer.template small<f, kernels::ScalarLayer<Scalar, Out, In>>() == one_by_one;
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

TEST_CASE("a small layer, worked out") {
  // W = 1 2 3   b = 10   x = 1 0   z = 17 12   delta = 1 10 where z > 0
  //     4 5 6       -99      0 1      -83 -94          0  1
  //                          2 0
  const float w[] = {1, 4, 2, 5, 3, 6}, b[] = {10, -99}, x[] = {1, 0, 2, 0, 1, 0};
  float delta[] = {1, 7, 10, 8};  // of the second unit, which is dead, nothing is left
  float a[4], dW[6], db[2], dX[6];
  using Kernel = kernels::SmallLayer<float, 2, 3>;
  Kernel::forward<Function::relu>({w, x, 3, 2}, b, a);
  CHECK((a[0] == 17 && a[1] == 0 && a[2] == 12 && a[3] == 0));
  Kernel::backward<Function::relu>({w, x, 3, 2}, a, delta, dW, db, dX, 3);
  CHECK((dW[0] == 1 && dW[1] == 0 && dW[2] == 10 && dW[3] == 0 && dW[4] == 2 && dW[5] == 0));
  CHECK((db[0] == 11 && db[1] == 0));
  CHECK((dX[0] == 1 && dX[1] == 2 && dX[2] == 3 && dX[3] == 10 && dX[4] == 20 && dX[5] == 30));
}

TEMPLATE_TEST_CASE("a small layer gives the bits of the kernels for any extents", "", float, double, long double) {
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
