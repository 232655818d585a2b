#pragma once
// The libraries in the table beside ours: each in a file of its own, built where CMake finds it.

#include "problem.hpp"

namespace bench {

std::unique_ptr<Learner> make_eigen_loop(const Problem& problem);
std::unique_ptr<Learner> make_torch(const Problem& problem, int threads);
std::unique_ptr<Learner> make_onednn(const Problem& problem);
std::unique_ptr<Learner> make_dlib(const Problem& problem);
std::unique_ptr<Learner> make_fann(const Problem& problem);

/// Ours first. all: also with extents known at run time. many: how many threads for those who can. libraries: also those that were
/// found when this was built.
std::vector<Peer> contenders(bool all, int many, bool libraries);

/// How many threads OpenMP and OpenBLAS take from now on, if any library here has brought them along.
void set_library_threads(int threads);

/// Bytes that net, gradients and workspace of ours take for each row of training, beside the formula for them.
void print_memory(const std::vector<Row>& rows);

}  // namespace bench
