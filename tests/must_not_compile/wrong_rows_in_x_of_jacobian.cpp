// expect: x must have as many rows as the network has inputs
// errors: 1
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;

int main() {
  const cr::Network<float, cr::SquaredError, cr::Dense<4, 2>> net{cr::Seed{42}};
  auto work = net.make_derivative_workspace(1);
  Eigen::MatrixXf J(2, 4);
#ifdef MUST_NOT_COMPILE
  net.jacobian(Eigen::Vector3f{1, 2, 3}, work, J);
#else
  net.jacobian(Eigen::Vector4f{1, 2, 3, 4}, work, J);
#endif
}
