// expect: all branches read the same x, so they must have the same inputs
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/parallel.hpp>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  cr::Parallel<cr::Dense<4, 8>, cr::Dense<5, 8>> layer;
#else
  cr::Parallel<cr::Dense<4, 8>, cr::Dense<4, 7>> layer;
#endif
  static_cast<void>(layer);
}
