// expect: Out is the number of outputs: at least 1, or Dynamic
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  cr::Dense<3, 0> layer{};
#else
  cr::Dense<3, 1> layer{};
#endif
}
