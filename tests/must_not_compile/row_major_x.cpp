// expect: must be a column-major matrix
// errors: 1
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  const Eigen::Matrix<float, 4, 3, Eigen::RowMajor> x = Eigen::Matrix<float, 4, 3>::Ones();
#ifdef MUST_NOT_COMPILE
  Net{cr::Seed{42}}.predict(x);
#else
  Net{cr::Seed{42}}.predict(Eigen::MatrixXf(x));
#endif
}
