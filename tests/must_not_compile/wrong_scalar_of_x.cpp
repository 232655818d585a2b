// expect: this matrix has another scalar type than the network
// errors: 2
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  const Net net{cr::Seed{42}};
  const auto net_of_double = net.rebind<double>();
  const Eigen::Vector4f x{1, 2, 3, 4};
#ifdef MUST_NOT_COMPILE
  net.predict(Eigen::Vector4d{1, 2, 3, 4});
  net_of_double.predict(x);
#else
  net.predict(Eigen::Vector4d{1, 2, 3, 4}.cast<Net::ScalarType>().eval());
  net_of_double.predict(x.cast<double>().eval());
#endif
}
