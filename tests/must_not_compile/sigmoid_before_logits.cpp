// expect: this loss works on logits and brings its own link, so the last layer must have no activation
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  cr::Network<float, cr::BinaryCrossEntropy, cr::Dense<4, 1, cr::Sigmoid>> net{cr::Seed{42}};
#else
  cr::Network<float, cr::BinaryCrossEntropy, cr::Dense<4, 1>> net{cr::Seed{42}};
#endif
}
