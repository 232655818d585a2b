// expect: a Trainer refers to its network
#include <chainrule/chainrule.hpp>
#include <memory>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<4, 2>>;

struct Model {
  Net net{cr::Seed{42}};
  cr::Trainer<Net, cr::SGD> trainer{net, cr::SGD{}};
};

int main() {
#ifdef MUST_NOT_COMPILE
  Model first;
  Model moved = std::move(first);
#else
  std::vector<std::unique_ptr<Model>> models;
  models.push_back(std::make_unique<Model>());
#endif
}
