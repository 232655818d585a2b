// One of two translation units that include all headers and are linked into one program, which fails if a function is not inline.
#include <all_headers.hpp>

namespace cr = chainrule;

using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<4, 8, cr::ReLU>, cr::Dense<8, 3>>;

float in_the_second_unit(const Net& net, const Eigen::Vector4f& x);

int main() {
  const Net net{cr::Seed{42}};
  const Eigen::Vector4f x{1, 2, 3, 4};
  return net.predict(x)[0] == in_the_second_unit(net, x) ? 0 : 1;
}
