// expect: layer<i>() counts from 0, and the network has fewer layers than that
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  Net net{cr::Seed{42}};
#ifdef MUST_NOT_COMPILE
  net.layer<2>();
#else
  net.layer<1>();
#endif
}
