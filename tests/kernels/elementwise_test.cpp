#include <chainrule/initializers/zeros.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <cmath>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// f(z) = z^3, an activation whose derivative 3 z^2 is computed from z.
struct Cube {
  static constexpr std::string_view name = "Cube";
  Zeros default_initializer() const { return {}; }

  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return z * z * z;
  }
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    return 3 * z * z;
  }
  template <class Chunk>
  Chunk second_derivative(const Chunk& z) const {
    return 6 * z;
  }
  template <class Chunk>
  Chunk third_derivative(const Chunk&) const {
    return Chunk::Constant(6);
  }
};

/// f(z) = s/z with a hyperparameter s, an activation whose derivative -a^2/s is computed from the output a.
struct ScaledReciprocal {
  static constexpr std::string_view name = "ScaledReciprocal";
  float scale;
  Zeros default_initializer() const { return {}; }

  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return static_cast<typename Chunk::Scalar>(scale) / z;
  }
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    return -a * a / static_cast<typename Chunk::Scalar>(scale);
  }
};

/// Returns 1, 2, ..., size.
template <class Scalar>
Vector<Scalar> counting(Index size) {
  return Vector<Scalar>::LinSpaced(size, 1, static_cast<Scalar>(size));
}

}  // namespace

TEMPLATE_TEST_CASE("activate writes f(z) for every number and nothing beyond the end", "", float, double, long double) {
  for (Index size = 0; size <= 70; ++size) {
    CAPTURE(size);
    const Vector<TestType> z = counting<TestType>(size);
    Vector<TestType> a = Vector<TestType>::Constant(size + 1, -1);
    kernels::activate(Cube{}, size, z.data(), a.data());
    CHECK(a.head(size) == Vector<TestType>(z.array().cube()));
    CHECK(a[size] == -1);
  }
}

TEST_CASE("activate works in place") {
  Vector<float> z = counting<float>(21);
  kernels::activate(Cube{}, 21, static_cast<const float*>(z.data()), z.data());
  CHECK(z == Vector<float>(counting<float>(21).array().cube()));
}

TEST_CASE("activate uses the hyperparameters of the activation") {
  const Eigen::Vector4d z(1, 2, 4, 8);
  Eigen::Vector4d a;
  kernels::activate(ScaledReciprocal{8}, 4, z.data(), a.data());
  CHECK(a == Eigen::Vector4d(8, 4, 2, 1));
}

TEST_CASE("activate works in place on a matrix and leaves the padding between its columns untouched") {
  for (const Index rows : {1, 5, 16, 19}) {
    CAPTURE(rows);
    const auto in_place = [](MatrixView<float> z) { kernels::activate(Cube{}, detail::as_const(z), z); };
    Matrix<float> z = counting<float>(rows * 4).reshaped(rows, 4);
    Matrix<float> table = Matrix<float>::Constant(rows + 3, 4, -1);
    table.topRows(rows) = z;
    in_place(MatrixView<float>(table.data(), rows, 4, Eigen::OuterStride<>(rows + 3)));
    in_place(detail::matrix_view(z.data(), rows, 4));
    CHECK(z.col(3)[0] == std::pow(static_cast<float>(3 * rows + 1), 3));
    CHECK(table.topRows(rows) == z);
    CHECK(table.bottomRows(3) == Matrix<float>::Constant(3, 4, -1));
  }
}

TEST_CASE("activate and multiply_by_derivative accept matrices with padding between columns") {
  for (const Index rows : {1, 5, 16, 19}) {
    CAPTURE(rows);
    const Matrix<float> z = counting<float>(rows * 4).reshaped(rows, 4);
    Matrix<float> kept = Matrix<float>::Constant(rows + 2, 4, -1), a = Matrix<float>::Constant(rows + 1, 4, -1), delta = a;
    kept.topRows(rows) = z;
    delta.topRows(rows).setConstant(3);
    const ConstMatrixView<float> from(kept.data(), rows, 4, Eigen::OuterStride<>(rows + 2));
    kernels::activate(Cube{}, from, MatrixView<float>(a.data(), rows, 4, Eigen::OuterStride<>(rows + 1)));
    kernels::multiply_by_derivative(Cube{}, from, MatrixView<float>(delta.data(), rows, 4, Eigen::OuterStride<>(rows + 1)));
    CHECK(a.topRows(rows) == Matrix<float>(z.array().cube()));
    CHECK(delta.topRows(rows) == Matrix<float>(9 * z.array().square()));
    CHECK((a.row(rows).array() == -1).all());
    CHECK((delta.row(rows).array() == -1).all());
  }
}

// delta = dJ/da * f'(z) with f'(z) = 3 z^2
TEMPLATE_TEST_CASE("multiply_by_derivative passes z to an activation with derivative(z)", "", float, double, long double) {
  for (Index size = 0; size <= 70; ++size) {
    CAPTURE(size);
    const Vector<TestType> z = counting<TestType>(size);
    Vector<TestType> delta = Vector<TestType>::Constant(size + 1, 3);
    kernels::multiply_by_derivative(Cube{}, size, z.data(), delta.data());
    CHECK(delta.head(size) == 9 * z.cwiseAbs2());
    CHECK(delta[size] == 3);
  }
}

// delta = dJ/da * f'(z) with f'(z) = -a^2/s
TEST_CASE("multiply_by_derivative passes a to an activation with derivative_from_output(a)") {
  const Vector<float> a = counting<float>(37);
  Vector<float> delta = Vector<float>::Constant(37, -2);
  kernels::multiply_by_derivative(ScaledReciprocal{0.5f}, 37, a.data(), delta.data());
  CHECK(delta == 4 * a.cwiseAbs2());
}

TEMPLATE_TEST_CASE("derivatives writes the orders whose arrays are not null", "", float, double) {
  static_assert(HasThirdDerivative<Cube> && !HasSecondDerivative<ScaledReciprocal>);
  for (const Index size : {1, 16, 37}) {
    CAPTURE(size);
    const Vector<TestType> z = counting<TestType>(size), untouched = Vector<TestType>::Constant(size + 1, -1);
    Vector<TestType> first = untouched, second = untouched, third = untouched;
    kernels::derivatives(Cube{}, size, z.data(), first.data(), second.data(), third.data());
    CHECK(first.head(size) == 3 * z.cwiseAbs2());
    CHECK(second.head(size) == 6 * z);
    CHECK((third.head(size).array() == 6).all());
    CHECK((first[size] == -1 && second[size] == -1 && third[size] == -1));
    Vector<TestType> alone = untouched;
    kernels::derivatives(Cube{}, size, z.data(), static_cast<TestType*>(nullptr), alone.data(), static_cast<TestType*>(nullptr));
    CHECK(alone == second);
  }
  const Vector<TestType> a = counting<TestType>(5);
  Vector<TestType> slope(5);
  kernels::derivatives(ScaledReciprocal{0.5f}, 5, a.data(), slope.data(), nullptr, nullptr);  // an activation without f''
  CHECK(slope == -2 * a.cwiseAbs2());
}
