// expect: the second argument must be a loss, such as SquaredError
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  cr::Network<float, cr::Dense<4, 8>, cr::Dense<8, 1>> net{cr::Seed{42}};
#else
  cr::Network<float, cr::SquaredError, cr::Dense<4, 8>, cr::Dense<8, 1>> net{cr::Seed{42}};
#endif
}
