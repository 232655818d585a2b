// expect: derivatives of a network by x need the members jvp and vjp of each of its layers
// errors: 1
#include <chainrule/core/shape_preserving_layer.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
namespace cr = chainrule;

struct Doubling : cr::SameShape<3>, cr::WithoutParameters {
  Doubling() = default;
  static constexpr std::string_view name = "Doubling";
  template <class Scalar, int MaxBatch>
  struct Cache {
    Cache(const Doubling& layer, cr::Index max_batch) : output(layer.outputs(), max_batch) {}
    cr::BatchStorage<Scalar, 3, MaxBatch> output;
  };
  template <class Scalar, int MaxBatch>
  void forward(const Scalar*, cr::ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache) const {
    cache.output.first(x.cols()) = 2 * x;
  }
  template <class Scalar, int MaxBatch>
  void backward(const Scalar*, cr::ConstMatrixView<Scalar>, Cache<Scalar, MaxBatch>&, cr::MatrixView<Scalar> delta, Scalar*,
                cr::MatrixView<Scalar>* input_gradient) const {
    if (input_gradient != nullptr) *input_gradient = 2 * delta;
  }
};

int main() {
#ifdef MUST_NOT_COMPILE
  cr::Network<float, cr::SquaredError, cr::Dense<3, 3>, cr::Residual<Doubling>> net{cr::Seed{42}};
#else
  cr::Network<float, cr::SquaredError, cr::Dense<3, 3>, cr::Residual<cr::Dense<3, 3>>> net{cr::Seed{42}};
#endif
  auto work = net.make_derivative_workspace(1);
  Eigen::Matrix3f J;
  net.jacobian(Eigen::Vector3f(1, 2, 3), work, J);
}
