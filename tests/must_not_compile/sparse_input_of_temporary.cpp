// expect: SparseInput keeps a pointer to the network, so it cannot be a temporary; give it a name first.*the first layer of the network
// must be a Dense
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 2>>;

int main() {
  const Net net{cr::Seed{42}};
  const cr::Network<float, cr::SquaredError, cr::Activate<cr::ReLU, 4>> without_weight{cr::Seed{42}};
#ifdef MUST_NOT_COMPILE
  const cr::SparseInput position(Net{cr::Seed{42}});
  const cr::SparseInput other(without_weight);
#else
  const cr::SparseInput position(net);
  const cr::SparseInput other(position);
#endif
  return position.is_active(1) && other.is_active(1) && without_weight.inputs() == 4;
}
