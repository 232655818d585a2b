// expect: y must be an Eigen matrix (outputs x batch), or a vector of integer class labels
// errors: 3
#include <chainrule/chainrule.hpp>
#include <string>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  const Net net{cr::Seed{42}};
  auto work = net.make_workspace(1);
  auto dJ = net.make_gradients();
  const Eigen::Vector4f x{1, 2, 3, 4};
  const std::vector<float> numbers{1, 0};
  net.forward(x, work);
#ifdef MUST_NOT_COMPILE
  net.loss(numbers, work);
  net.loss({1, 0}, work);
  net.backward(x, std::string("cat"), work, dJ);
#else
  net.loss(Eigen::Map<const Eigen::MatrixXf>(numbers.data(), 2, 1), work);
  net.loss(Eigen::Vector2f{1, 0}, work);
  net.backward(x, Eigen::Vector2f{1, 0}, work, dJ);
#endif
}
