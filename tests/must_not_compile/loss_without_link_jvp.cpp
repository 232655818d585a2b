// expect: derivatives of a prediction need the member link_jvp of the loss
// errors: 1
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
namespace cr = chainrule;

struct NoLinkDerivative {
  static constexpr std::string_view name = "NoLinkDerivative";
  static constexpr bool works_on_logits = false;
  static constexpr cr::Index min_outputs = 1;
  template <class Scalar>
  void check(cr::ConstMatrixView<Scalar>, cr::ConstMatrixView<Scalar>) const {}
  template <class Scalar>
  Scalar value(cr::ConstMatrixView<Scalar>, cr::ConstMatrixView<Scalar>) const {
    return 0;
  }
  template <class Scalar>
  void gradient(cr::ConstMatrixView<Scalar>, cr::ConstMatrixView<Scalar>, cr::MatrixView<Scalar>) const {}
  template <class Scalar>
  void link(cr::MatrixView<Scalar>) const {}
};

int main() {
#ifdef MUST_NOT_COMPILE
  const cr::Network<float, NoLinkDerivative, cr::Dense<3, 3>> net{cr::Seed{42}};
#else
  const cr::Network<float, cr::SquaredError, cr::Dense<3, 3>> net{cr::Seed{42}};
#endif
  auto work = net.make_derivative_workspace(1);
  Eigen::Matrix3f J;
  net.of_prediction().jacobian(Eigen::Vector3f(1, 2, 3), work, J);
}
