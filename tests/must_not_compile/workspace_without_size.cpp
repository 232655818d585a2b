// expect: make_workspace(max_batch) needs the largest number of samples of a batch
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;

int main() {
  const cr::Network<float, cr::SquaredError, cr::Dense<3, 2>> net{cr::Seed{1}};
#ifdef MUST_NOT_COMPILE
  auto work = net.make_workspace();
#else
  auto work = net.make_workspace(8);
#endif
  return work.max_batch() == 8 ? 0 : 1;
}
