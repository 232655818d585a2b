#pragma once
// Whether two libraries do the same step: a benchmark of other numbers would be worthless.

#include "problem.hpp"

namespace bench {

/// One step of both from equal parameters. In the norm of each W and b by itself, parameters must be within 1e-4 of ours and what
/// the step has added to them within 1e-3; norms, because a ReLU whose z is 0 but for rounding may open in one of two and not in
/// the other, which moves single numbers. Returns the largest relative difference of an added part, 0 for peers whose parameters
/// cannot be read; says where it is too large and returns infinity.
double step_difference(const Row& row, const Peer& ours, const Peer& peer);

/// All peers on all rows of training; prints a summary. Whether all agree.
bool all_agree(const std::vector<Row>& rows, const std::vector<Peer>& peers);

}  // namespace bench
