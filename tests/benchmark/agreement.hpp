#pragma once
// Checks that two libraries compute the same training step and prediction; comparing the times of different work would be worthless.

#include "problem.hpp"

namespace bench {

/// Takes one step with both libraries from equal parameters and compares each W and b. In the Euclidean norm, the parameters must agree
/// within 1e-4 and the changes made by the step within 1e-3. Single numbers are not compared, because a ReLU whose z is 0 up to rounding
/// may be active in one library and not in the other. Returns the largest relative difference of a change, or 0 for a peer whose
/// parameters cannot be read. If a difference is too large, prints where and returns infinity.
double step_difference(const Row& row, const Peer& ours, const Peer& peer);

/// Predicts with both libraries and compares the number that they return, which must agree within 1e-4, or within 1e-4 of it if it is above
/// 1. Returns the difference, or 0 if one of them cannot run the row. If it is too large, prints both and returns infinity.
double prediction_difference(const Row& row, const Peer& ours, const Peer& peer);

/// Compares all peers with the first one on all rows, and prints a summary. Returns whether all agree.
bool all_agree(const std::vector<Row>& rows, const std::vector<Peer>& peers);

}  // namespace bench
