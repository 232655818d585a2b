// expect: a matrix is read by the type of its numbers
// errors: 1
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  const Eigen::MatrixXf x = cr::read_npy<Eigen::MatrixXf>("x.npy");
#else
  const Eigen::MatrixXf x = cr::read_npy<float>("x.npy");
#endif
  return static_cast<int>(x.cols());
}
