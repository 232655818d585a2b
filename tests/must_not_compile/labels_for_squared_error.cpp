// expect: integer class labels go with SoftmaxCrossEntropy
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  Net net{cr::Seed{42}};
  auto work = net.make_workspace(1);
#ifdef MUST_NOT_COMPILE
  net.loss(std::vector<int>{1}, work);
#else
  if (work.cached_samples() > 0) net.loss(Eigen::Vector2f{0, 1}, work);
#endif
}
