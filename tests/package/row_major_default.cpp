// A user's program that makes row-major order Eigen's default. The library's own matrices must stay column-major.
#define EIGEN_DEFAULT_TO_ROW_MAJOR
#include <chainrule/chainrule.hpp>

static_assert(!chainrule::ConstMatrixView<float>::IsRowMajor);
static_assert(!chainrule::Matrix<float, 3, 4>::IsRowMajor);
static_assert(!decltype(chainrule::Dense<3, 4>::Parameters<float>::weight)::IsRowMajor);
static_assert(Eigen::MatrixXf::IsRowMajor);
