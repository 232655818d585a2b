// expect: net.forward(x, work), net.loss(y, work), net.backward(x, y, work, gradients)
// errors: 3
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  const Net net{cr::Seed{42}};
  auto work = net.make_workspace(1);
  auto dJ = net.make_gradients();
  const Eigen::Vector4f x{1, 2, 3, 4};
  const Eigen::Vector2f y{1, 0};
  net.forward(x, work);
#ifdef MUST_NOT_COMPILE
  net.loss(x, y);
  net.backward(x, y, dJ, work);
#else
  net.loss(y, work);
  net.backward(x, y, work, dJ);
#endif
}
