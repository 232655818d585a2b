// expect: arguments of derivatives are, in this order.*net.vjp(x, v, work, result).*net.hessian(x, output, work, H)
// errors: 5
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  const Net net{cr::Seed{42}};
  auto work = net.make_derivative_workspace(3);
  auto jets = net.make_jet_workspace(3);
  const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(4, 3), v = Eigen::MatrixXf::Ones(2, 3);
  Eigen::MatrixXf by_x(4, 3), J(2, 12), H(4, 12);
#ifdef MUST_NOT_COMPILE
  net.vjp(x, work, v, by_x);
  net.jvp(x, x, J, work);
  net.of_prediction().jacobian(x, J, work);
  net.hessian(x, jets, 1, H);
  net.laplacian(x, H);
#else
  net.vjp(x, v, work, by_x);
  net.jvp(x, x, work, by_x.topRows(2));
  net.of_prediction().jacobian(x, work, J);
  net.hessian(x, 1, jets, H);
  net.laplacian(x, jets, H.topLeftCorner(2, 3));
#endif
}
