// expect: each argument after the loss must be a layer
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  cr::Network<float, cr::SquaredError, cr::ReLU> net{cr::Seed{42}};
#else
  cr::Network<float, cr::SquaredError, cr::Dense<1, 1, cr::ReLU> > net{cr::Seed{42}};
#endif
}
