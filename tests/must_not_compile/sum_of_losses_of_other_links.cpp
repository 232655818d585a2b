// expect: SumOfLosses<Losses...>: all losses must make the same prediction of the outputs
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/kl_divergence.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/sum_of_losses.hpp>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  cr::SumOfLosses<cr::SoftmaxCrossEntropy, cr::BinaryCrossEntropy> loss;
#else
  cr::SumOfLosses<cr::SoftmaxCrossEntropy, cr::KLDivergence> loss;
#endif
  static_cast<void>(loss);
}
