// expect: a training step keeps what it computes in a workspace and in gradients
// errors: 5
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

void step(const Net& net, const Eigen::MatrixXf& x, const Eigen::Matrix2Xf& y) {
#ifdef MUST_NOT_COMPILE
  net.forward(x);
  net.loss(y);
  net.loss(x, y);
  net.backward(x, y);
  net.evaluate(x, y);
#else
  auto work = net.make_workspace(x.cols());
  auto gradients = net.make_gradients();
  net.forward(x, work);
  net.loss(y, work);
  net.backward(x, y, work, gradients);
  net.evaluate(x, y, work);
  net.predict(x);
#endif
}

int main() { step(Net{cr::Seed{42}}, Eigen::MatrixXf::Ones(4, 3), Eigen::Matrix2Xf::Ones(2, 3)); }
