// expect: but it is row-major or has gaps between its numbers; copy it
// errors: 2
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  const Eigen::MatrixXf samples_in_rows = Eigen::MatrixXf::Ones(3, 4);
  const Eigen::Matrix<float, 4, 3, Eigen::RowMajor> x = Eigen::Matrix<float, 4, 3>::Ones();
#ifdef MUST_NOT_COMPILE
  Net{cr::Seed{42}}.predict(x);
  Net{cr::Seed{42}}.predict(samples_in_rows.transpose().eval());  // is row-major, too
#else
  Net{cr::Seed{42}}.predict(Eigen::MatrixXf(x));
  Net{cr::Seed{42}}.predict(Eigen::MatrixXf(samples_in_rows.transpose()));
#endif
}
