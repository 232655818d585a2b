// expect: the weights have another scalar type than the network
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>
#include <vector>
namespace cr = chainrule;

int main() {
  cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<4, 2>> net{cr::Seed{42}};
  auto work = net.make_workspace(3);
  const std::vector<int> y{0, 1, 0};
#ifdef MUST_NOT_COMPILE
  const std::vector<double> w{1, 2, 1};
#else
  const std::vector<float> w{1, 2, 1};
#endif
  net.loss(cr::weighted(y, w), work);
}
