// expect: the first layer has no layer before it whose outputs it could take, so it must say its inputs: Normalize<4>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/normalize.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  cr::Network<float, cr::SquaredError, cr::Normalize<>, cr::Dense<4, 2>> net{cr::Seed{42}};
#else
  cr::Network<float, cr::SquaredError, cr::Normalize<4>, cr::Dense<4, 2>> net{cr::Seed{42}};
#endif
}
