#pragma once

#include <string>

#include "problem.hpp"

namespace bench {

/// a = f(z) with Eigen, for the activation with this name. Does nothing for an unknown name.
void eigen_values(const std::string& name, long size, const Scalar* z, Scalar* a);

/// A step with Eigen of the optimizer with this name, which may use the moments m and v. Returns false for an unknown name.
bool eigen_step(const std::string& name, long size, const Scalar* dJ, Scalar* theta, Scalar* m, Scalar* v);

}  // namespace bench
