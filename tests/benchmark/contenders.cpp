#include <dlfcn.h>

#include <cstdio>

#include "peers.hpp"

namespace bench {

void set_library_threads(int threads) {
  using Set = void (*)(int);
  for (const char* name : {"omp_set_num_threads", "openblas_set_num_threads"})
    if (const auto set = reinterpret_cast<Set>(dlsym(RTLD_DEFAULT, name))) set(threads);
}

std::vector<Peer> contenders(bool all, int many, bool libraries) {
  std::vector<Peer> peers;
  const auto add = [&](const char* name, const std::function<std::unique_ptr<Learner>(const Problem&, int)>& make) {
    peers.push_back({name, [make](const Problem& p) { return make(p, 1); }});
    if (many > 1) peers.push_back({name, [make, many](const Problem& p) { return make(p, many); }, many});
  };
  add("ours", make_fixed);
  add("eigen", make_eigen_loop);
  peers.push_back({"two calls", [](const Problem& p) {
                     auto learner = make_fixed(p, 1);
                     if (learner) learner->separate_backward_and_step();
                     return learner;
                   }});
  if (all) peers.push_back({"dynamic", [](const Problem& p) { return make_dynamic(p, 1); }});
  if (all) peers.push_back({"any", make_any});
#ifdef CHAINRULE_BENCHMARK_LIBXSMM
  add("libxsmm", make_libxsmm);
#endif
  if (!libraries) return peers;
#ifdef CHAINRULE_BENCHMARK_OPENBLAS
  add("openblas", [](const Problem& p, int) { return make_openblas(p); });
  using Name = const char* (*)();
  if (const auto name = reinterpret_cast<Name>(dlsym(RTLD_DEFAULT, "openblas_get_corename")))
    std::printf("OpenBLAS: kernels for %s\n", name());
#endif
#ifdef CHAINRULE_BENCHMARK_TORCH
  add("libtorch", make_torch);
#endif
#ifdef CHAINRULE_BENCHMARK_ONEDNN
  peers.push_back({"onednn", make_onednn});
#endif
#ifdef CHAINRULE_BENCHMARK_DLIB
  peers.push_back({"dlib", make_dlib});
#endif
#ifdef CHAINRULE_BENCHMARK_FANN
  peers.push_back({"fann", make_fann});
#endif
  if (CHAINRULE_BENCHMARK_MISSING[0] != '\0') std::printf("not installed:%s\n", CHAINRULE_BENCHMARK_MISSING);
  return peers;
}

}  // namespace bench
