// expect: a training step keeps what it computes in a workspace and in gradients
// errors: 5
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  const Net net{cr::Seed{42}};
  const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(4, 3);
  const Eigen::Matrix2Xf y = Eigen::Matrix2Xf::Ones(2, 3);
#ifdef MUST_NOT_COMPILE
  net.forward(x);
  net.loss(y);
  net.loss(x, y);
  net.backward(x, y);
  net.evaluate(x, y);
#else
  auto work = net.make_workspace(3);
  auto gradients = net.make_gradients();
  net.forward(x, work);
  net.loss(y, work);
  net.backward(x, y, work, gradients);
  net.evaluate(x, y, work);
#endif
}
