// expect: and y as it has outputs
// errors: 1
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  Net net{cr::Seed{42}};
  auto work = net.make_workspace(1);
#ifdef MUST_NOT_COMPILE
  net.loss(Eigen::Vector3f{1, 2, 3}, work);
#else
  if (work.cached_samples() > 0) net.loss(Eigen::Vector2f{1, 2}, work);
#endif
}
