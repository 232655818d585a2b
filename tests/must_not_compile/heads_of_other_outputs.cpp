// expect: Heads<Head<Loss, Outputs>...> needs as many outputs of the last layer as its heads have together
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/heads.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>
namespace cr = chainrule;

using Loss = cr::Heads<cr::Head<cr::SoftmaxCrossEntropy, 3>, cr::Head<cr::Huber, 1>>;

int main() {
#ifdef MUST_NOT_COMPILE
  cr::Network<float, Loss, cr::Dense<4, 3>> net{cr::Seed{42}};
#else
  cr::Network<float, Loss, cr::Dense<4, 4>> net{cr::Seed{42}};
#endif
}
