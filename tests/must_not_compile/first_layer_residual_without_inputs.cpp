// expect: the first layer has no layer before it whose outputs it could take, so it must say its inputs
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  cr::Network<float, cr::SquaredError, cr::Residual<cr::BatchNorm<>, cr::Dense<4, 4>>> net{cr::Seed{42}};
#else
  cr::Network<float, cr::SquaredError, cr::Residual<cr::BatchNorm<4>, cr::Dense<4, 4>>> net{cr::Seed{42}};
#endif
}
