#include <chainrule/core/random.hpp>
#include <chainrule/kernels/matrix_product.hpp>
#include <chainrule/kernels/pieces.hpp>
#include <chainrule/kernels/small_layer.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using kernels::Function;
namespace as_built = kernels::as_built;

namespace {

/// The kernels for any extents that a layer is measured against: those for the program's flags, and those of this machine.
struct AsBuilt {
  template <class Scalar>
  static void product(const kernels::Product<Scalar>& p, MatrixView<Scalar> c) {
    as_built::product(p.a, p.b, p.depth, p.start, c.data(), c.outerStride(), c.rows(), c.cols());
  }
  template <class Scalar>
  static void dot_products(const Scalar* a, Index a_step, const Scalar* b, Index depth, Scalar start, VectorView<Scalar> c) {
    as_built::dot_products(a, a_step, b, depth, start, c.data(), c.size());
  }
  template <class Scalar>
  static void affine(const Scalar* a, Index rows, const Scalar* b, Index depth, const Scalar* start, VectorView<Scalar> c) {
    as_built::matrix_times_vector(a, rows, b, depth, start, c.data(), rows);
  }
  template <class Scalar>
  static void row_sums(ConstMatrixView<Scalar> m, Scalar* sums) {
    as_built::row_sums(m.data(), m.outerStride(), m.rows(), m.cols(), sums);
  }
  template <Function f, class Scalar>
  static void apply(Index size, Scalar* a) {
    if constexpr (f == Function::relu) as_built::rectify(size, a, a);
    if constexpr (kernels::HasVectors<Scalar>) {
      if constexpr (f == Function::tanh) as_built::tanhs(size, a, a);
      if constexpr (f == Function::sigmoid) as_built::sigmoids(size, a, a);
    } else {
      if constexpr (f == Function::tanh) kernels::tanhs(size, a, a);
      if constexpr (f == Function::sigmoid) kernels::sigmoids(size, a, a);
    }
  }
  template <Function f, class Scalar>
  static void times_derivative(Index size, const Scalar* a, Scalar* delta) {
    as_built::times_derivative<f>(size, a, delta);
  }
};

struct OfMachine {
  template <class Scalar>
  static void product(const kernels::Product<Scalar>& p, MatrixView<Scalar> c) {
    kernels::product(p, c);
  }
  template <class Scalar>
  static void dot_products(const Scalar* a, Index a_step, const Scalar* b, Index depth, Scalar start, VectorView<Scalar> c) {
    kernels::dot_products(a, a_step, b, depth, start, c);
  }
  template <class Scalar>
  static void affine(const Scalar* a, Index rows, const Scalar* b, Index depth, const Scalar* start, VectorView<Scalar> c) {
    kernels::matrix_times_vector(a, rows, b, depth, start, c);
  }
  template <class Scalar>
  static void row_sums(ConstMatrixView<Scalar> m, Scalar* sums) {
    kernels::row_sums<Scalar>(m, sums);
  }
  template <Function f, class Scalar>
  static void apply(Index size, Scalar* a) {
    if constexpr (f == Function::relu) kernels::rectify(size, a, a);
    if constexpr (f == Function::tanh) kernels::tanhs(size, a, a);
    if constexpr (f == Function::sigmoid) kernels::sigmoids(size, a, a);
  }
  template <Function f, class Scalar>
  static void times_derivative(Index size, const Scalar* a, Scalar* delta) {
    kernels::times_derivative<f>(size, a, delta);
  }
};

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

  /// What the kernels for extents that are values give, one after the other.
  template <Function f, class Kernels>
  Results one_by_one() const {
    Results r(samples);
    const auto view = [](Scalar* numbers, Index rows, Index columns, Index step) {
      return MatrixView<Scalar>(numbers, rows, columns, Eigen::OuterStride<>(step));
    };
    if (Out == 1)
      Kernels::template dot_products<Scalar>(x.data(), x_step, w.data(), In, b[0], {r.a.data(), samples});
    else if (samples == 1)
      Kernels::template affine<Scalar>(w.data(), Out, x.data(), In, b.data(), {r.a.data(), Out});
    else
      Kernels::template product<Scalar>({{w.data(), 1, Out}, {x.data(), 1, x_step}, In, {kernels::StartKind::column, b.data()}},
                                        view(r.a.data(), Out, samples, Out));
    const Index size = Out * samples;
    Kernels::template apply<f, Scalar>(size, r.a.data());

    Numbers d = delta;
    if (f != Function::identity) Kernels::template times_derivative<f, Scalar>(size, r.a.data(), d.data());
    Kernels::template product<Scalar>({{d.data(), 1, Out}, {x.data(), x_step, 1}, samples, {}}, view(r.dW.data(), Out, In, Out));
    Kernels::template row_sums<Scalar>(detail::as_const(view(d.data(), Out, samples, Out)), r.db.data());
    if (samples == 1)
      Kernels::template dot_products<Scalar>(w.data(), Out, d.data(), Out, 0, {r.dX.data(), In});
    else
      Kernels::template product<Scalar>({{w.data(), Out, 1}, {d.data(), 1, Out}, Out, {}}, view(r.dX.data(), In, samples, dX_step));
    return r;
  }

  Index samples;
  Numbers w, b, x, delta;
};

template <Function f, class Kernel, class Kernels, class Scalar, int Out, int In>
int different(Index samples) {
  const Layer<Scalar, Out, In> layer(samples);
  return layer.template small<f, Kernel>() == layer.template one_by_one<f, Kernels>() ? 0 : 1;
}

constexpr Index batches[] = {1, 2, 3, 4, 9, 40};

template <class Kernel, class Kernels, class Scalar, int Out, int In>
void check() {
  for (const Index samples : batches) {
    CAPTURE(Out, In, samples);
    CHECK(different<Function::identity, Kernel, Kernels, Scalar, Out, In>(samples) == 0);
    CHECK(different<Function::tanh, Kernel, Kernels, Scalar, Out, In>(samples) == 0);
    CHECK(different<Function::sigmoid, Kernel, Kernels, Scalar, Out, In>(samples) == 0);
    CHECK(different<Function::relu, Kernel, Kernels, Scalar, Out, In>(samples) == 0);
  }
}

/// On this machine, and each kind of layer that this program would run on some machine.
template <class Scalar, int Out, int In>
void check_all() {
  check<kernels::SmallLayer<Scalar, Out, In>, OfMachine, Scalar, Out, In>();
  if constexpr (kernels::HasVectors<Scalar>) check<as_built::RegisterLayer<Scalar, Out, In>, AsBuilt, Scalar, Out, In>();
  if constexpr (CHAINRULE_DISPATCH >= 2 || !kernels::HasVectors<Scalar>)
    check<kernels::ScalarLayer<Scalar, Out, In>, AsBuilt, Scalar, Out, In>();
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

// So a layer that does it all at once is not asked for pieces.
TEST_CASE("small layers are never cut") { STATIC_REQUIRE(kernels::small_layer <= kernels::unit_block); }
