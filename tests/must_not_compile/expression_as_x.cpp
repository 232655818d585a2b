// expect: give an expression a home first
// errors: 1
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  const Net net{cr::Seed{42}};
  auto work = net.make_workspace(1);
  const Eigen::Vector4f x{1, 2, 3, 4};
#ifdef MUST_NOT_COMPILE
  net.predict(2 * x);
  net.forward(2 * x, work);
#else
  net.predict((2 * x).eval());
  net.forward((2 * x).eval(), work);
#endif
}
