// expect: x must have as many rows as the network has inputs
// errors: 1
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
#ifdef MUST_NOT_COMPILE
  Net{cr::Seed{42}}.predict(Eigen::Vector3f{1, 2, 3});
#else
  Net{cr::Seed{42}}.predict(Eigen::Vector4f{1, 2, 3, 4});
#endif
}
