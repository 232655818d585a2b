// The memory of a training run with chainrule: bytes allocated for net, gradients and workspace, beside the formula for them.

#include <cstdio>
#include <string>

#include "peers.hpp"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace bench {
namespace {

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
constexpr bool can_count = true;
std::size_t bytes_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}
#else
constexpr bool can_count = false;
std::size_t bytes_in_use() { return 0; }
#endif

}  // namespace

void print_memory(const std::vector<Row>& rows) {
  if (!can_count) {
    std::printf("memory is counted with mallinfo2 of glibc 2.33 and newer only\n");
    return;
  }
  std::printf("%-44s %12s %12s %8s\n", "memory of a training run, bytes", "counted", "formula", "ratio");
  for (const Row& row : rows) {
    if (row.predicts) continue;
    const Problem problem = make_problem(row, 1e-7);
    const std::size_t before = bytes_in_use();
    const auto learner = make_fixed(problem, 1);
    const std::size_t counted = bytes_in_use() - before;
    // parameters + gradients + 2 x batch x (sum of the layers' outputs), in scalars
    std::size_t outputs = 0;
    for (std::size_t l = 1; l < row.widths.size(); ++l) outputs += static_cast<std::size_t>(row.widths[l]);
    const std::size_t formula = (2 * row.parameters() + 2 * static_cast<std::size_t>(row.batch) * outputs) * sizeof(Scalar);
    std::printf("%-44s %12zu %12zu %8.3f\n", row.name().c_str(), counted, formula, double(counted) / double(formula));
  }
}

}  // namespace bench
