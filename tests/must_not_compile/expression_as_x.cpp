// expect: give an expression a home first
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  const Eigen::Vector4f x{1, 2, 3, 4};
#ifdef MUST_NOT_COMPILE
  Net{cr::Seed{42}}.predict(2 * x);
#else
  Net{cr::Seed{42}}.predict((2 * x).eval());
#endif
}
