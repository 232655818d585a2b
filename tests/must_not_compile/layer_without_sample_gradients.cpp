// expect: gradients of single samples by theta need the members jvp and vjp of each layer and sample_gradients
// errors: 1
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
namespace cr = chainrule;

struct Plain : cr::Dense<3, 3> {
  Plain() = default;
#ifdef MUST_NOT_COMPILE
  template <class Scalar>
  void sample_gradients(const Scalar*) const {}
#endif
};

int main() {
  const cr::Network<float, cr::SquaredError, cr::Dense<3, 3>, cr::Residual<Plain>> net{cr::Seed{42}};
  auto work = net.make_workspace(1);
  const Eigen::Vector3f x(1, 2, 3);
  net.forward(x, work);
  Eigen::VectorXf norms(1);
  net.sample_gradient_norms(x, x, work, norms);
}
