// expect: this argument is written to, so it cannot be const
// errors: 1
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;

int main() {
  const cr::Network<float, cr::SquaredError, cr::Dense<4, 2>> net{cr::Seed{42}};
  auto work = net.make_derivative_workspace(1);
  const Eigen::Vector4f x = Eigen::Vector4f::Ones();
  Eigen::MatrixXf J(2, 4);
#ifdef MUST_NOT_COMPILE
  net.jacobian(x, work, std::as_const(J));
#else
  net.jacobian(x, work, J);
#endif
}
