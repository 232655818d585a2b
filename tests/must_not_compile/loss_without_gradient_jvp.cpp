// expect: hessian_vector_product needs the member gradient_jvp of the loss
// errors: 1
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/network.hpp>
namespace cr = chainrule;

struct Plain : cr::MeanSquaredError {
#ifdef MUST_NOT_COMPILE
  void gradient_jvp() const {}
#endif
};

int main() {
  const cr::Network<float, Plain, cr::Dense<3, 2>> net{cr::Seed{42}};
  auto work = net.make_hessian_vector_workspace(1);
  auto v = net.make_gradients(), Hv = net.make_gradients();
  net.hessian_vector_product(Eigen::Vector3f(1, 2, 3), Eigen::Vector2f(1, 2), v, work, Hv);
}
