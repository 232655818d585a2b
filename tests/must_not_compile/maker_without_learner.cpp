// expect: must return it with its optimizer: return Learner{net, Adam{}};
// errors: 1
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;
using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<2, 2>>;

int main() {
  const cr::Dataset<float> data{Eigen::MatrixXf::Random(2, 6), {0, 1, 0, 1, 0, 1}};
#ifdef MUST_NOT_COMPILE
  const auto make = [](auto& part) { return Net{part.seed}; };
#else
  const auto make = [](auto& part) { return cr::Learner{Net{part.seed}, cr::SGD{}}; };
#endif
  return static_cast<int>(cr::cross_validate(data, cr::k_fold(data, 2), make, {.fit = {.epochs = 1}}).diverged());
}
