#include <chainrule/parallel/mpi.hpp>
#include <cstdio>

int main() {
  try {
    chainrule::Mpi mpi;
  } catch (const chainrule::StateError& error) {
    std::puts(error.what());  // MPI was not started
    return 0;
  }
  return 1;
}
