// expect: ParallelSum<Branches...> adds the outputs of its branches, so they must have the same outputs
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/parallel.hpp>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  cr::ParallelSum<cr::Dense<4, 8>, cr::Dense<4, 7>> layer;
#else
  cr::ParallelSum<cr::Dense<4, 8>, cr::Dense<4, 8>> layer;
#endif
  static_cast<void>(layer);
}
