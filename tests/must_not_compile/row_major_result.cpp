// expect: this argument is written to, so it must be a column-major matrix
// errors: 1
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;

int main() {
  const cr::Network<float, cr::SquaredError, cr::Dense<4, 2>> net{cr::Seed{42}};
  auto work = net.make_derivative_workspace(1);
  const Eigen::Vector4f x = Eigen::Vector4f::Ones();
  Eigen::Matrix<float, 2, 4, Eigen::RowMajor> by_rows;
#ifdef MUST_NOT_COMPILE
  net.jacobian(x, work, by_rows);
#else
  Eigen::MatrixXf J(2, 4);
  net.jacobian(x, work, J);
  by_rows = J;
#endif
}
