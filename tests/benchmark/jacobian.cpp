// Microseconds for dF/dx of one sample: net.jacobian, the same by hand with Eigen, and by one backward pass for each output whose dJ/dy_hat
// is a unit vector, which computes dJ/dtheta too. Beside them the prediction for as many samples as the Jacobian has directions.

#include "jacobian.hpp"

#include <algorithm>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/core/from_outside.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <cmath>
#include <cstdio>

#include "stopwatch.hpp"

namespace {

using namespace bench;
namespace cr = chainrule;
using Matrix = cr::Matrix<Scalar>;

template <int In, int Hidden, int Out>
void row() {
  using Net =
      cr::Network<Scalar, cr::SquaredError, cr::Dense<In, Hidden, cr::Tanh>, cr::Dense<Hidden, Hidden, cr::Tanh>, cr::Dense<Hidden, Out>>;
  const Net net{cr::Seed{1}};
  constexpr int directions = std::min(In, Out);
  const Matrix x = Matrix::Random(In, 1), several = Matrix::Random(In, directions), unit = Matrix::Identity(Out, Out);
  Matrix ours(Out, In), by_hand(Out, In), by_backward(Out, In), dJ_dx(In, 1);
  auto derivatives = net.make_derivative_workspace(1);
  auto one = net.make_workspace(1), more = net.make_workspace(directions);
  auto gradients = net.make_gradients();
  const auto eigen = eigen_jacobian({In, Hidden, Hidden, Out}, net.parameters().data(), x.data(), by_hand.data());
  const auto times = microseconds({[&] { net.jacobian(x, derivatives, ours); }, eigen,
                                   [&] {
                                     net.forward(x, one);
                                     for (int o = 0; o < Out; ++o) {
                                       net.backward(x, cr::from_outside(unit.col(o)), one, gradients, dJ_dx);
                                       by_backward.row(o) = dJ_dx.transpose();
                                     }
                                   },
                                   [&] { net.predict_raw(several, more); }});
  const Scalar difference = std::max((ours - by_hand).cwiseAbs().maxCoeff(), (ours - by_backward).cwiseAbs().maxCoeff());
  char name[40];
  std::snprintf(name, sizeof name, "%d-%d-%d-%d", In, Hidden, Hidden, Out);
  std::printf("%-16s %8.2f %8.2f %10.2f %10.2f %11d x %5.2f %10.2f   %.0e\n", name, times[0], times[1] / times[0], times[2] / times[0],
              times[3], directions, times[3] / directions, times[0] / times[3], static_cast<double>(difference));
}

}  // namespace

int main() {
  std::printf("%s, %s, tanh, one sample\n\n", CHAINRULE_BENCHMARK_TITLE, sizeof(Scalar) == 4 ? "float" : "double");
  std::printf("%-16s %8s %8s %10s %10s %19s %10s   %s\n", "dF/dx of", "us", "eigen/us", "backward/", "predict us", "of samples x each",
              "us/predict", "largest difference");
  row<4, 64, 2>();
  row<12, 32, 12>();
  row<17, 128, 13>();
  row<60, 256, 6>();
}
