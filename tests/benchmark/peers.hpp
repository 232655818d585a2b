#pragma once
// The libraries that chainrule is compared with. Each one has its own file, which is built if CMake finds the library.

#include "problem.hpp"

namespace bench {

/// The loop written by hand on Eigen and on LIBXSMM. With more than one thread, std::threads share the samples of a batch; nullptr for a
/// batch with fewer samples than threads.
std::unique_ptr<Learner> make_eigen_loop(const Problem& problem, int threads);
std::unique_ptr<Learner> make_libxsmm(const Problem& problem, int threads);
/// The loop written by hand on OpenBLAS, on as many threads as set_library_threads says.
std::unique_ptr<Learner> make_openblas(const Problem& problem);
std::unique_ptr<Learner> make_torch(const Problem& problem, int threads);
std::unique_ptr<Learner> make_onednn(const Problem& problem);
std::unique_ptr<Learner> make_dlib(const Problem& problem);
std::unique_ptr<Learner> make_fann(const Problem& problem);

/// All contenders, chainrule with fixed extents first. all: adds chainrule with extents, and with layers, known at run time. many: if above
/// 1, adds the contenders that can share their work among this many threads. libraries: adds the other libraries that were found when this
/// was built; LIBXSMM is there whenever this was built with it.
std::vector<Peer> contenders(bool all, int many, bool libraries);

/// Sets the number of threads of OpenMP and OpenBLAS, if one of the libraries has loaded them.
void set_library_threads(int threads);

/// Prints the bytes that chainrule's net, gradients and workspace take for each training row, beside the formula for them.
void print_memory(const std::vector<Row>& rows);

}  // namespace bench
