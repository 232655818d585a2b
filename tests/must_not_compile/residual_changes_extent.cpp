// expect: Residual<Layers...> is x + F(x), so the last layer inside must have as many outputs as the first has inputs
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  cr::Network<float, cr::SquaredError, cr::Residual<cr::Dense<4, 8>, cr::Dense<8, 5>>> net{cr::Seed{42}};
#else
  cr::Network<float, cr::SquaredError, cr::Residual<cr::Dense<4, 8>, cr::Dense<8, 4>>> net{cr::Seed{42}};
#endif
}
