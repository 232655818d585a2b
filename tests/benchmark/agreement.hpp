#pragma once
// Whether two libraries do the same step: a benchmark of other numbers would be worthless.

#include "problem.hpp"

namespace bench {

/// One step of both from equal parameters; returns whether parameters are within 1e-4 of the largest of their layer, and what
/// the step has added to them within 1e-3. Says where they are not. True for peers whose parameters cannot be read.
bool same_step(const Row& row, const Peer& ours, const Peer& peer);

}  // namespace bench
