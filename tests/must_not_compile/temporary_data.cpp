// expect: it is a temporary; give it a name first.*weighted() keeps views of y and of the weights.*a DataView keeps views of its arguments
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<4, 2>>;

cr::Dataset<float> make_data() { return {Eigen::MatrixXf::Ones(4, 3), {0, 1, 0}}; }
std::vector<float> make_weights() { return {1, 2, 1}; }

int main() {
  Net net{cr::Seed{42}};
  const cr::Dataset<float> train = make_data(), test = make_data();
  const std::vector<float> w = make_weights();
#ifdef MUST_NOT_COMPILE
  const cr::FitOptions<float, cr::Labels<int>> options{.batch_size = 2, .validation = make_data()};
  const auto y = cr::weighted(train.targets, make_weights());
  const cr::DataView view{Eigen::MatrixXf::Ones(4, 3).eval(), train.targets};
#else
  const cr::FitOptions<float, cr::Labels<int>> options{.batch_size = 2, .validation = test};
  const auto y = cr::weighted(train.targets, w);
  const cr::DataView view{train.features.leftCols(3), train.targets};
#endif
  cr::Trainer trainer{net, cr::SGD{}};
  trainer.fit(view, options);
  return static_cast<int>(y.weights.size());
}
