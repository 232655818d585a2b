#include <chainrule/initializers/zeros.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// a = z^2, whose derivative needs z.
struct Square {
  static constexpr std::string_view name = "Square";
  Zeros default_initializer() const { return {}; }

  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return z * z;
  }
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    return 2 * z;
  }
};

/// a = s e^z with a parameter s, whose derivative is a itself.
struct ScaledExponential {
  static constexpr std::string_view name = "ScaledExponential";
  float scale;
  Zeros default_initializer() const { return {}; }

  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return static_cast<typename Chunk::Scalar>(scale) * z.exp();
  }
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    return a;
  }
};

/// 1, 2, ..., size
template <class Scalar>
Vector<Scalar> counting(Index size) {
  return Vector<Scalar>::LinSpaced(size, 1, static_cast<Scalar>(size));
}

}  // namespace

TEMPLATE_TEST_CASE("activate gives f of every number", "", float, double, long double) {
  for (Index size = 0; size <= 70; ++size) {
    CAPTURE(size);
    const Vector<TestType> z = counting<TestType>(size);
    Vector<TestType> a = Vector<TestType>::Constant(size + 1, -1);
    kernels::activate(Square{}, size, z.data(), a.data());
    CHECK(a.head(size) == z.cwiseProduct(z));
    CHECK(a[size] == -1);
  }
}

TEST_CASE("activate works in place") {
  Vector<float> z = counting<float>(21);
  kernels::activate(Square{}, 21, static_cast<const float*>(z.data()), z.data());
  CHECK(z == counting<float>(21).cwiseAbs2());
}

TEST_CASE("activate uses the parameters of the activation") {
  const Vector<double> z = Vector<double>::Zero(9);
  Vector<double> a(9);
  kernels::activate(ScaledExponential{3}, 9, z.data(), a.data());
  CHECK(a == Vector<double>::Constant(9, 3));
}

TEST_CASE("activate works in place on a matrix, and writes nothing between its columns") {
  for (const Index rows : {1, 5, 16, 19}) {
    CAPTURE(rows);
    Matrix<float> z = counting<float>(rows * 4).reshaped(rows, 4);
    Matrix<float> table = Matrix<float>::Constant(rows + 3, 4, -1);
    table.topRows(rows) = z;
    kernels::activate<float>(Square{}, MatrixView<float>(table.data(), rows, 4, Eigen::OuterStride<>(rows + 3)));
    kernels::activate<float>(Square{}, detail::matrix_view(z.data(), rows, 4));
    CHECK(z.col(3)[0] == std::pow(static_cast<float>(3 * rows + 1), 2));
    CHECK(table.topRows(rows) == z);
    CHECK(table.bottomRows(3) == Matrix<float>::Constant(3, 4, -1));
  }
}

// delta = dJ/da * f'(z) with f'(z) = 2 z
TEMPLATE_TEST_CASE("multiply_by_derivative uses z where the derivative needs it", "", float, double, long double) {
  for (Index size = 0; size <= 70; ++size) {
    CAPTURE(size);
    const Vector<TestType> z = counting<TestType>(size);
    Vector<TestType> delta = Vector<TestType>::Constant(size + 1, 3);
    kernels::multiply_by_derivative(Square{}, size, z.data(), delta.data());
    CHECK(delta.head(size) == 6 * z);
    CHECK(delta[size] == 3);
  }
}

// delta = dJ/da * f'(z) with f'(z) = a
TEST_CASE("multiply_by_derivative uses a where that is enough") {
  const Vector<float> a = counting<float>(37);
  Vector<float> delta = Vector<float>::Constant(37, -2);
  kernels::multiply_by_derivative(ScaledExponential{3}, 37, a.data(), delta.data());
  CHECK(delta == -2 * a);
}
