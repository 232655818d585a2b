#include <chainrule/kernels/cache_sizes.hpp>
#include <map>
#include <utility>

#include "support/catch.hpp"

using namespace chainrule;
using kernels::CacheSizes;
using kernels::CpuidAnswer;
using kernels::stated_cache_sizes;

namespace {

/// A processor that answers cpuid(leaf, subleaf) by a table, and with zeros elsewhere.
struct Processor {
  std::map<std::pair<unsigned, unsigned>, CpuidAnswer> answers;
  CpuidAnswer operator()(unsigned leaf, unsigned subleaf) const {
    const auto found = answers.find({leaf, subleaf});
    return found == answers.end() ? CpuidAnswer{} : found->second;
  }
};

/// The description of a cache: kind 1 holds data, 2 instructions, 3 both.
CpuidAnswer cache(unsigned kind, unsigned level, unsigned ways, unsigned sets, unsigned line = 64) {
  return {kind | level << 5, (ways - 1) << 22 | (line - 1), sets - 1, 0};
}

constexpr unsigned amd = 0x8000001d, extended = 0x80000000;
constexpr Index KiB = 1024;

}  // namespace

TEST_CASE("the size of L2 is what an Intel processor states in leaf 4") {
  const Processor sapphire_rapids{{{{0, 0}, {32}},
                                   {{4, 0}, cache(1, 1, 12, 64)},
                                   {{4, 1}, cache(2, 1, 8, 64)},
                                   {{4, 2}, cache(3, 2, 16, 2048)},
                                   {{4, 3}, cache(3, 3, 15, 114688)}}};
  CHECK(stated_cache_sizes(sapphire_rapids).l2 == 2048 * KiB);
  const Processor skylake_client{
      {{{0, 0}, {22}}, {{4, 0}, cache(1, 1, 8, 64)}, {{4, 1}, cache(2, 1, 8, 64)}, {{4, 2}, cache(3, 2, 4, 1024)}}};
  CHECK(stated_cache_sizes(skylake_client).l2 == 256 * KiB);
}

TEST_CASE("the size of L2 is what an AMD processor states in leaf 0x8000001D, whose leaf 4 is empty") {
  const auto l2 = [](unsigned sets) {
    return stated_cache_sizes(Processor{{{{0, 0}, {16}},
                                         {{extended, 0}, {0x80000028}},
                                         {{amd, 0}, cache(1, 1, 8, 64)},
                                         {{amd, 1}, cache(2, 1, 8, 64)},
                                         {{amd, 2}, cache(3, 2, 8, sets)}}})
        .l2;
  };
  CHECK(l2(2048) == 1024 * KiB);  // Zen 4
  CHECK(l2(1024) == 512 * KiB);   // Zen 3
}

TEST_CASE("sizes are the usual ones where cpuid says nothing, and not beyond what plans are made for") {
  CHECK(stated_cache_sizes(Processor{}).l2 == 1024 * KiB);
  CHECK(stated_cache_sizes(Processor{{{{0, 0}, {2}}, {{4, 0}, cache(3, 2, 16, 2048)}}}).l2 == 1024 * KiB);  // leaf 4 is beyond the last one
  CHECK(stated_cache_sizes(Processor{{{{0, 0}, {4}}, {{4, 0}, cache(3, 2, 1, 1, 1)}}}).l2 == 128 * KiB);
  CHECK(stated_cache_sizes(Processor{{{{0, 0}, {4}}, {{4, 0}, cache(3, 2, 1024, 1u << 31)}}}).l2 == 4096 * KiB);
  const auto nothing_but_ones = [](unsigned, unsigned) { return CpuidAnswer{~0u, ~0u, ~0u, ~0u}; };
  CHECK(stated_cache_sizes(nothing_but_ones).l2 == 1024 * KiB);  // caches of level 7 without end
  CHECK(CacheSizes{0}.plausible().l2 == 1024 * KiB);
  CHECK(CacheSizes{-1}.plausible().l2 == 1024 * KiB);
  CHECK(CacheSizes{1}.plausible().l2 == 128 * KiB);
  CHECK(CacheSizes{Index{4} << 30}.plausible().l2 == 4096 * KiB);
  CHECK(CacheSizes{1280 * KiB}.plausible().l2 == 1280 * KiB);
}

TEST_CASE("the sizes of this machine's caches are plausible and stay as they are") {
  const CacheSizes sizes = kernels::cache_sizes();
  CHECK(sizes.l2 == sizes.plausible().l2);
  CHECK(kernels::cache_sizes().l2 == sizes.l2);
}
