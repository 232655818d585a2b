#pragma once

#include <functional>
#include <vector>

#include "problem.hpp"

namespace bench {

/// A function that computes the Jacobian of a net of tanh layers with a linear last layer by hand with Eigen, forward or backward,
/// whichever has fewer columns, into J, outputs x inputs. theta: the weights and biases of each layer, one after the other.
std::function<void()> eigen_jacobian(const std::vector<int>& widths, const Scalar* theta, const Scalar* x, Scalar* J);

}  // namespace bench
