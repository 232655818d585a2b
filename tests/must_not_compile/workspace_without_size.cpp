// expect: make_workspace(max_batch) must be told for how many samples it shall have room
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
