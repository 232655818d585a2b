#pragma once
// The size of the L2 cache, for which matrix products are planned (product_plan.hpp). The sizes of L1 and L3 decide nothing: a product
// reads the panels of its left matrix from L2 without waiting, and a processor does not say which share of L3 a core gets.

#include <algorithm>
#include <chainrule/core/types.hpp>
#include <chainrule/kernels/cpuid.hpp>

namespace chainrule::kernels {

/// The sizes of a processor's caches that plans depend on, in bytes.
struct CacheSizes {
  static constexpr Index usual_l2 = Index{1} << 20;     ///< where the processor does not say: 1 MiB
  static constexpr Index smallest_l2 = Index{1} << 17;  ///< the smallest l2 of a plan: 128 KiB
  static constexpr Index largest_l2 = Index{1} << 22;   ///< the largest l2 of a plan: 4 MiB

  Index l2 = usual_l2;  ///< the L2 cache that a core reaches, its own or that of a few cores

  /// Sizes that plans can be made for: the usual one for 0 and less, which means unknown; others not below the smallest nor above the
  /// largest.
  constexpr CacheSizes plausible() const { return {l2 <= 0 ? usual_l2 : std::clamp(l2, smallest_l2, largest_l2)}; }
};

/// The sizes that a processor of Intel's or AMD's kind states; cpuid(leaf, subleaf) returns its CpuidAnswer. Leaf 4 describes one cache in
/// each subleaf until the kind is 0, leaf 0x8000001D of AMD's processors likewise; there leaf 4 is empty. (Intel 64 and IA-32
/// Architectures Software Developer's Manual, volume 2, CPUID; AMD64 Architecture Programmer's Manual, volume 3, appendix E.)
template <class Cpuid>
CacheSizes stated_cache_sizes(const Cpuid& cpuid) {
  constexpr unsigned data = 1, unified = 3, most_caches = 16;
  for (const unsigned leaf : {4u, 0x8000001du}) {
    if (cpuid(leaf & 0x80000000u, 0).eax < leaf) continue;
    for (unsigned i = 0; i < most_caches; ++i) {
      const CpuidAnswer cache = cpuid(leaf, i);
      const unsigned kind = cache.eax & 31, level = cache.eax >> 5 & 7;
      if (kind == 0) break;
      if (level != 2 || (kind != data && kind != unified)) continue;
      const auto one_more = [](unsigned number) { return static_cast<double>(number) + 1; };  // each factor is stated less 1
      const double ways = one_more(cache.ebx >> 22), lines_side_by_side = one_more(cache.ebx >> 12 & 1023);
      const double line = one_more(cache.ebx & 4095), sets = one_more(cache.ecx);
      const double bytes = (std::min)(ways * lines_side_by_side * line * sets, static_cast<double>(CacheSizes::largest_l2));
      return CacheSizes{static_cast<Index>(bytes)}.plausible();
    }
  }
  return {};
}

#if defined(__GNUC__) && defined(__x86_64__)
/// The sizes of this processor's caches, which is asked in the first call. Where cores differ: those of the core that runs this call.
inline const CacheSizes& cache_sizes() {
  static const CacheSizes sizes = stated_cache_sizes(cpuid);
  return sizes;
}
#else
/// The usual sizes, because programs cannot ask this processor.
constexpr CacheSizes cache_sizes() { return {}; }
#endif

/// Converts to the sizes of this processor's caches. Plans of small products do not convert it, because to look up the sizes takes 1 to 2 %
/// of their time.
struct CachesOfThisMachine {
  operator CacheSizes() const { return cache_sizes(); }
};

}  // namespace chainrule::kernels
