// expect: this argument is written to, so it cannot be const
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  Net net{cr::Seed{42}};
  auto work = net.make_workspace(1);
  auto gradients = net.make_gradients();
  const bool ready = work.cached_samples() > 0;
  const Eigen::Vector4f x{1, 2, 3, 4};
  const Eigen::Vector2f y{1, 2};
  Eigen::Vector4f writable;
  const Eigen::Vector4f& constant = writable;
  static_cast<void>(constant);
#ifdef MUST_NOT_COMPILE
  if (ready) net.backward(x, y, work, gradients, constant);
#else
  if (ready) net.backward(x, y, work, gradients, writable);
#endif
}
