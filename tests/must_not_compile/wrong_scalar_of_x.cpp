// expect: this matrix has another scalar type than the network
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
#ifdef MUST_NOT_COMPILE
  Net{cr::Seed{42}}.predict(Eigen::Vector4d{1, 2, 3, 4});
#else
  Net{cr::Seed{42}}.predict(Eigen::Vector4d{1, 2, 3, 4}.cast<float>().eval());
#endif
}
