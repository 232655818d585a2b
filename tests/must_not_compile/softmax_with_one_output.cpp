// expect: SoftmaxCrossEntropy needs at least two outputs
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<4, 1>> net{cr::Seed{42}};
#else
  cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<4, 2>> net{cr::Seed{42}};
#endif
}
