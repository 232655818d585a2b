#include <algorithm>
#include <array>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/random.hpp>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// The error of exact_log(s), in units in the last place of ln s.
double ulps_off(double s) {
  const long double truth = std::log(static_cast<long double>(s));
  if (truth == 0) return detail::exact_log(s) == 0 ? 0 : 1e9;
  const double above = std::abs(static_cast<double>(truth));
  const double ulp = std::nextafter(above, 2 * above) - above;
  return std::abs(static_cast<double>((detail::exact_log(s) - truth) / ulp));
}

std::vector<double> normals(int count) {
  Random random{Seed{2024}};
  std::vector<double> samples(static_cast<std::size_t>(count));
  for (double& sample : samples) sample = random.normal();
  return samples;
}

/// The mean of f(x) over the samples.
template <class F>
double mean_of(const std::vector<double>& samples, F f) {
  double sum = 0;
  for (const double x : samples) sum += f(x);
  return sum / static_cast<double>(samples.size());
}

}  // namespace

// Expected numbers: Rosetta Code, task "Pseudo-random numbers/Splitmix64".
TEST_CASE("Random is SplitMix64, with the published numbers for seed 1234567") {
  Random random{Seed{1234567}};
  CHECK(random() == 6457827717110365317u);
  CHECK(random() == 3203168211198807973u);
  CHECK(random() == 9817491932198370423u);
  CHECK(random() == 4593380528125082431u);
  CHECK(random() == 16408922859458223821u);
}

TEST_CASE("Random is a standard uniform random bit generator, usable at compile time") {
  STATIC_REQUIRE(std::uniform_random_bit_generator<Random>);
  STATIC_REQUIRE(Random{Seed{1234567}}() == 6457827717110365317u);
  STATIC_REQUIRE(Random{Seed{42}}.below(10) == 3);
  STATIC_REQUIRE(Random{Seed{42}}.uniform() == 0x1.7bae644c5fd6dp-1);
}

TEST_CASE("uniform() gives the same bits everywhere") {
  Random random{Seed{42}};
  CHECK(random.uniform() == 0x1.7bae644c5fd6dp-1);
  CHECK(random.uniform() == 0x1.477f199d93378p-3);
  CHECK(random.uniform() == 0x1.1d499d5c4c3e6p-2);
  CHECK(random.uniform() == 0x1.607387fc392b8p-2);
  CHECK(random.uniform() == 0x1.378b0b448904p-5);
}

TEST_CASE("uniform() is uniform from 0 to below 1") {
  Random random{Seed{1}};
  constexpr int count = 100000;
  std::array<int, 16> in_bin{};
  int outside = 0;
  for (int i = 0; i < count; ++i) {
    const double u = random.uniform();
    if (u >= 0 && u < 1)
      ++in_bin[static_cast<std::size_t>(u * 16)];
    else
      ++outside;
  }
  CHECK(outside == 0);
  for (const int n : in_bin) CHECK(std::abs(n - count / 16) < 4 * std::sqrt(count / 16.0));  // 4 standard deviations
}

TEST_CASE("below(n) gives the same numbers everywhere") {
  Random random{Seed{42}};
  std::vector<std::uint64_t> drawn(10);
  for (auto& number : drawn) number = random.below(10);
  CHECK(drawn == std::vector<std::uint64_t>{3, 1, 8, 4, 0, 2, 5, 8, 5, 4});
}

TEST_CASE("below(n) stays below n") {
  Random random{Seed{3}};
  CHECK(random.below(1) == 0);
  for (const std::uint64_t n : {std::uint64_t{2}, std::uint64_t{7}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    bool all_below = true;
    for (int i = 0; i < 1000; ++i) all_below = all_below && random.below(n) < n;
    CHECK(all_below);
  }
}

TEST_CASE("below(n) gives every number equally often") {
  Random random{Seed{4}};
  std::array<int, 10> seen{};
  for (int i = 0; i < 100000; ++i) ++seen[static_cast<std::size_t>(random.below(10))];
  for (const int times : seen) CHECK(std::abs(times - 10000) < 4 * std::sqrt(9000));
}

// bits % n without rejection would give the numbers below 2^62 twice as often as those above: 1/2 instead of 1/3 of the draws.
TEST_CASE("below(n) has no bias even for n near 2^64") {
  Random random{Seed{5}};
  constexpr std::uint64_t n = std::uint64_t{3} << 62;
  int small = 0;
  for (int i = 0; i < 30000; ++i) small += random.below(n) < (std::uint64_t{1} << 62);
  CHECK(std::abs(small - 10000) < 4 * std::sqrt(30000 * 2.0 / 9));
}

// Expected numbers: the same from g++ 12 and clang++ 14 at -O0, -O2 and -O3 -march=native, with and without fused multiply-adds.
TEST_CASE("normal() gives the same bits everywhere") {
  Random random{Seed{42}};
  CHECK(random.normal() == 0x1.f8c80e851c08cp-2);
  CHECK(random.normal() == -0x1.47f4af60c7f94p+0);
  CHECK(random.normal() == -0x1.342959c9fa344p-1);
  CHECK(random.normal() == -0x1.8ad8264f1e64dp+0);
  CHECK(random.normal() == -0x1.73962f43d35a8p+0);
}

// A rare difference in a last bit shows only in many numbers. The expected hash (FNV-like, of the bits) is from the compilers above.
TEST_CASE("a hundred thousand normals have the same bits everywhere") {
  std::uint64_t hash = 0;
  for (const double x : normals(100000)) hash = hash * 1099511628211u ^ detail::bit_cast<std::uint64_t>(x);
  CHECK(hash == 0x5b86fb60d6737ea6u);
}

// The tolerances are 4 standard deviations of each mean over 1e5 samples: var x = 1, var x^2 = 2, var x^3 = 15, var x^4 = 96.
TEST_CASE("normal() has the moments of the standard normal distribution") {
  const auto samples = normals(100000);
  const auto margin = [](double variance) { return 4 * std::sqrt(variance / 1e5); };
  CHECK(std::abs(mean_of(samples, [](double x) { return x; })) < margin(1));
  CHECK(std::abs(mean_of(samples, [](double x) { return x * x; }) - 1) < margin(2));
  CHECK(std::abs(mean_of(samples, [](double x) { return x * x * x; })) < margin(15));
  CHECK(std::abs(mean_of(samples, [](double x) { return x * x * x * x; }) - 3) < margin(96));
}

TEST_CASE("normal() has the quantiles of the standard normal distribution") {
  const auto samples = normals(100000);
  for (const double q : {-3.0, -2.0, -1.0, -0.25, 0.0, 0.5, 1.0, 2.0, 3.0}) {
    const double expected = std::erfc(-q / std::sqrt(2)) / 2;
    CAPTURE(q);
    const double share = mean_of(samples, [q](double x) { return x < q ? 1.0 : 0.0; });
    CHECK(std::abs(share - expected) < 4 * std::sqrt(expected * (1 - expected) / 1e5));
  }
}

TEST_CASE("normal() does not depend on the number before") {
  const auto samples = normals(100000);
  double product = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) product += samples[i - 1] * samples[i];
  CHECK(std::abs(product / 1e5) < 4 / std::sqrt(1e5));
}

TEST_CASE("exact_log differs from ln by at most 3 units in the last place") {
  Random random{Seed{6}};
  double worst = 0;
  const auto check = [&worst](double s) { worst = std::max(worst, ulps_off(s)); };
  for (int i = 0; i < 20000; ++i) {
    check(random.uniform() + 0x1p-60);  // where normal() needs it
    check(0.5 + 1.5 * random.uniform());
    check(std::ldexp(1 + random.uniform(), static_cast<int>(random.below(2044)) - 1022));
    check(1 + (random.uniform() - 0.5) * std::ldexp(1, -static_cast<int>(random.below(52))));  // ln near its zero
  }
  for (int e = -1022; e <= 1023; ++e) check(std::ldexp(1, e));
  for (const double s : {1 - 0x1p-53, 1 + 0x1p-52, 0.70710678118654746, 0.70710678118654752, 0x1p-1022, 0x1.fffffffffffffp1023}) check(s);
  CHECK(worst <= 3);
  CHECK(detail::exact_log(1) == 0);
}

TEST_CASE("derived_seed gives the same seed everywhere, also at compile time") {
  STATIC_REQUIRE(derived_seed(Seed{42}, 0).value == 6332618229526065668u);
  STATIC_REQUIRE(derived_seed(Seed{42}, 1).value == 17532488217563185893u);
  STATIC_REQUIRE(derived_seed(Seed{1234567}, 7).value == 4381213172704772422u);
}

// Steps, layers and samples are small consecutive numbers, and users choose small seeds.
TEST_CASE("derived_seed gives different seeds for neighbouring seeds and streams, and if applied twice") {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 30; ++seed)
    for (std::uint64_t stream = 0; stream < 30; ++stream) {
      seeds.insert(derived_seed(Seed{seed}, stream).value);
      for (std::uint64_t inner = 0; inner < 10; ++inner) seeds.insert(derived_seed(derived_seed(Seed{seed}, stream), inner).value);
    }
  CHECK(seeds.size() == 30 * 30 * 11);
}

// The first numbers of neighbouring streams differ in 32 of 64 bits on average, as coin flips would.
TEST_CASE("derived_seed gives independent sequences for neighbouring streams") {
  double different = 0;
  for (std::uint64_t stream = 0; stream < 10000; ++stream)
    different += std::popcount(Random{derived_seed(Seed{1}, stream)}() ^ Random{derived_seed(Seed{1}, stream + 1)}());
  CHECK(std::abs(different / 10000 - 32) < 4 * 4 / std::sqrt(10000));  // a deviation of sqrt(64/4) = 4 each
}

TEST_CASE("shuffle gives the same order everywhere") {
  std::vector<int> numbers(10);
  std::iota(numbers.begin(), numbers.end(), 0);
  Random random{Seed{42}};
  shuffle(numbers.begin(), numbers.end(), random);
  CHECK(numbers == std::vector<int>{0, 9, 5, 8, 6, 4, 7, 2, 1, 3});
}

TEST_CASE("shuffle loses nothing and changes the order") {
  std::vector<int> numbers(1000);
  std::iota(numbers.begin(), numbers.end(), 0);
  auto shuffled = numbers;
  Random random{Seed{8}};
  shuffle(shuffled.begin(), shuffled.end(), random);
  CHECK(shuffled != numbers);
  std::sort(shuffled.begin(), shuffled.end());
  CHECK(shuffled == numbers);
}

TEST_CASE("shuffle gives each of the 24 orders of four elements equally often") {
  Random random{Seed{9}};
  std::map<std::array<int, 4>, int> seen;
  for (int i = 0; i < 24000; ++i) {
    std::array<int, 4> order{0, 1, 2, 3};
    shuffle(order.begin(), order.end(), random);
    ++seen[order];
  }
  CHECK(seen.size() == 24);
  for (const auto& [order, times] : seen) CHECK(std::abs(times - 1000) < 4 * std::sqrt(1000));
}

TEST_CASE("shuffling nothing or one element draws no number") {
  std::vector<int> one{7};
  Random random{Seed{42}};
  shuffle(one.begin(), one.begin(), random);
  shuffle(one.begin(), one.end(), random);
  CHECK(one == std::vector<int>{7});
  CHECK(random() == Random{Seed{42}}());
}
