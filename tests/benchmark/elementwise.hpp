#pragma once

#include <string>

#include "problem.hpp"

namespace bench {

/// a = f(z) with Eigen, for the activation with this name. Does nothing for an unknown name.
void eigen_values(const std::string& name, long size, const Scalar* z, Scalar* a);

/// A step with Eigen of the optimizer with this name, which may use the moments m and v. Returns false for an unknown name.
bool eigen_step(const std::string& name, long size, const Scalar* dJ, Scalar* theta, Scalar* m, Scalar* v);

/// J with Eigen, for the loss with this name, or 0 for an unknown name. BinaryCrossEntropy divides its sum by the batch size, the other
/// losses by the number of elements.
Scalar eigen_loss(const std::string& name, long size, long batch, const Scalar* y_hat, const Scalar* y);

/// dJ/dy_hat with Eigen, for the loss with this name. Does nothing for an unknown name.
void eigen_loss_gradient(const std::string& name, long size, long batch, const Scalar* y_hat, const Scalar* y, Scalar* dJ);

}  // namespace bench
