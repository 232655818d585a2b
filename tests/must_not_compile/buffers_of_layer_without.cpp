// expect: buffers<i>(): this layer has none; only layers such as BatchNorm and Normalize do
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
namespace cr = chainrule;

int main() {
  cr::Network<float, cr::SquaredError, cr::Dense<4, 2>, cr::BatchNorm<>> net{cr::Seed{42}};
#ifdef MUST_NOT_COMPILE
  net.buffers<0>();
#else
  net.buffers<1>();
#endif
}
