// expect: so it goes to backward and descend only.*it cannot be a temporary; give it a name first.*this matrix has another scalar type than
// the network
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
namespace cr = chainrule;

int main() {
  const cr::Network<float, cr::SquaredError, cr::Dense<4, 2>> net{cr::Seed{42}};
  auto work = net.make_workspace(1);
  auto gradients = net.make_gradients();
  const Eigen::Vector4f x{1, 2, 3, 4};
  const Eigen::Vector2f dJ_dy{1, -1};
  net.forward(x, work);
#ifdef MUST_NOT_COMPILE
  net.loss(cr::from_outside(dJ_dy), work);
  net.backward(x, cr::from_outside(Eigen::Vector2f{1, -1}), work, gradients);
  const Eigen::Vector2d in_double{1, -1};
  net.backward(x, cr::from_outside(in_double), work, gradients);
#else
  net.loss(dJ_dy, work);
  net.backward(x, cr::from_outside(dJ_dy), work, gradients);
#endif
}
