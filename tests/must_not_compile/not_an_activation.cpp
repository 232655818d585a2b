// expect: Dense<In, Out, F>: F must be an activation, such as ReLU or Tanh
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

struct NotAnActivation {
  cr::Zeros default_initializer() const { return {}; }
};

int main() {
#ifdef MUST_NOT_COMPILE
  cr::Dense<3, 1, NotAnActivation> layer;
#else
  cr::Dense<3, 1, cr::ReLU> layer;
#endif
}
