// expect: the layers do not fit together.*proof_that<.*layer<1.*>.*expects_inputs<64>.*but_layer<0.*>.*gives_outputs<32>
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<64, 32, cr::ReLU>, cr::Dense<64, 10>>;
  Net net{cr::Seed{42}};
#else
  using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<64, 32, cr::ReLU>, cr::Dense<32, 10>>;
  Net net{cr::Seed{42}};
#endif
}
