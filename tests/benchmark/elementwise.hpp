#pragma once

#include <string>

#include "problem.hpp"

namespace bench {

/// a = f(z) of an activation by its name.
void eigen_values(const std::string& name, long size, const Scalar* z, Scalar* a);

/// A step of an optimizer by its name, with two moments; false, if it is not among these.
bool eigen_step(const std::string& name, long size, const Scalar* dJ, Scalar* theta, Scalar* m, Scalar* v);

}  // namespace bench
