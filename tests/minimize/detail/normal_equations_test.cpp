#include <chainrule/minimize/detail/normal_equations.hpp>

#include <Eigen/Cholesky>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;

TEST_CASE("normal equations have the solution of Eigen's") {
  Random random{Seed{1}};
  for (const Index size : {1, 5, 64, 130}) {
    CAPTURE(size);
    detail::NormalEquations<double> equations(size);
    equations.set_zero();
    Matrix<long double> matrix = Matrix<long double>::Zero(size, size);
    Vector<long double> gradient = Vector<long double>::Zero(size);
    for (const Index residuals : {200, 7}) {
      const Matrix<double> columns = chainrule_test::random_matrix<double>(size, residuals, random);
      const Vector<double> r = chainrule_test::random_matrix<double>(residuals, 1, random);
      equations.add(detail::matrix_view(columns.data(), size, residuals), r.data());
      matrix += columns.cast<long double>() * columns.cast<long double>().transpose();
      gradient += columns.cast<long double>() * r.cast<long double>();
    }
    equations.add_penalty(size - 1, 2, 3);
    matrix(size - 1, size - 1) += 2;
    gradient[size - 1] += 6;
    CHECK((equations.gradient().cast<long double>() - gradient).norm() < 1e-13L * gradient.norm());
    CHECK(std::abs(equations.largest_diagonal() - static_cast<double>(matrix.diagonal().maxCoeff())) < 1e-12);
    Vector<double> h(size);
    REQUIRE(equations.solve(0.5, h));
    matrix.diagonal().array() += 0.5L;
    const Vector<long double> exact = matrix.ldlt().solve(-gradient);
    CHECK((h.cast<long double>() - exact).norm() < 1e-12L * exact.norm());
  }
}

TEST_CASE("normal equations that are singular are not solved without damping") {
  detail::NormalEquations<double> equations(3);
  equations.set_zero();
  const Matrix<double> columns = Matrix<double>::Ones(3, 4);
  const Vector<double> r = Vector<double>::Ones(4);
  equations.add(detail::matrix_view(columns.data(), 3, 4), r.data());
  Vector<double> h(3);
  CHECK_FALSE(equations.solve(0, h));
  CHECK(equations.solve(1, h));
  CHECK((h - Vector<double>::Constant(3, -4.0 / 13)).norm() < 1e-15);
  CHECK_THROWS_SAYING(detail::NormalEquations<double>(Index{1} << 40), ShapeError, "LevenbergMarquardt: J^T J");
}
