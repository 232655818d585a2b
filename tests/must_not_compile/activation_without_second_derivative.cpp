// expect: derivatives of second order need the members JetCache, forward_jet and backward_jet.*second derivative of each activation
// errors: 1
#include <chainrule/activations/tanh.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
namespace cr = chainrule;

struct Cubic final : cr::ElementwiseActivation<Cubic> {
  static constexpr std::string_view name = "Cubic";
  cr::XavierUniform default_initializer() const { return {}; }
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return z * z * z;
  }
  template <class V>
  CHAINRULE_FORMULA V f_prime(V z) const {
    return 3 * z * z;
  }
};

int main() {
#ifdef MUST_NOT_COMPILE
  const cr::Network<float, cr::SquaredError, cr::Dense<3, 3, Cubic>, cr::Dense<3, 1>> net{cr::Seed{42}};
#else
  const cr::Network<float, cr::SquaredError, cr::Dense<3, 3, cr::Tanh>, cr::Dense<3, 1>> net{cr::Seed{42}};
#endif
  auto work = net.make_jet_workspace(1);
  Eigen::Matrix3f H;
  net.hessian(Eigen::Vector3f(1, 2, 3), work, H);
}
