// expect: must be an Eigen matrix, in which one column is one sample
// errors: 2
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  const Net net{cr::Seed{42}};
  auto work = net.make_workspace(1);
  const std::vector<float> numbers{1, 2, 3, 4};
#ifdef MUST_NOT_COMPILE
  net.predict({1, 2, 3, 4});
  net.forward(numbers, work);
#else
  net.predict(Eigen::Vector4f{1, 2, 3, 4});
  net.forward(Eigen::Map<const Eigen::MatrixXf>(numbers.data(), 4, 1), work);
#endif
}
