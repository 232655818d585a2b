#include <chainrule/core/detail/pairwise_sum.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using detail::PairwiseSum;

// In float 2^24 + 1 is 2^24, so a plain loop over ones ends there.
TEST_CASE("a pairwise sum counts beyond the numbers that a float can count in steps of one") {
  CHECK(detail::pairwise_sum<float>(1 << 26, [](Index) { return 1.0f; }) == 0x1p26f);
}

TEST_CASE("a pairwise sum adds blocks of 128 terms in pairs, and within a block in order or in four interleaved sums") {
  std::vector<float> terms(128 * 7 + 5);
  for (std::size_t i = 0; i < terms.size(); ++i) terms[i] = 1.0f / static_cast<float>(i + 1);
  float in_order[8] = {}, s[8][4] = {}, interleaved[8];
  for (std::size_t i = 0; i < terms.size(); ++i) in_order[i / 128] += terms[i];
  for (std::size_t i = 0; i < terms.size(); ++i) s[i / 128][i % 4] += terms[i];
  for (std::size_t i = 0; i < 8; ++i) interleaved[i] = (s[i][0] + s[i][1]) + (s[i][2] + s[i][3]);
  const auto in_pairs = [](const float* b) { return ((b[0] + b[1]) + (b[2] + b[3])) + ((b[4] + b[5]) + (b[6] + b[7])); };

  CHECK(detail::pairwise_sum<float>(static_cast<Index>(terms.size()), [&](Index i) { return terms[static_cast<std::size_t>(i)]; }) ==
        in_pairs(interleaved));
  PairwiseSum<float> one_by_one, negative, of_blocks;
  for (const float term : terms) one_by_one += term, negative -= term;
  for (const float block : in_order) of_blocks.add_block(block);
  CHECK(one_by_one.total() == in_pairs(in_order));
  CHECK(negative.total() == -in_pairs(in_order));
  CHECK(of_blocks.total() == in_pairs(in_order));
  CHECK(PairwiseSum<double>{}.total() == 0);
}

TEST_CASE("a pairwise sum of a matrix adds the sums of its columns, and a single row like a vector") {
  const Eigen::MatrixXf m = Eigen::MatrixXf::Random(5, 300);
  PairwiseSum<float> expected;
  for (Index j = 0; j < 300; ++j) expected += detail::pairwise_sum<float>(5, [&](Index i) { return m(i, j); });
  CHECK(detail::pairwise_sum<float>(5, 300, [&](Index i, Index j) { return m(i, j); }) == expected.total());
  CHECK(detail::pairwise_sum<float>(1, 300, [&](Index i, Index j) { return m(i, j); }) ==
        detail::pairwise_sum<float>(300, [&](Index j) { return m(0, j); }));
}

TEMPLATE_TEST_CASE("the error of a pairwise sum is at most (128 + log2 n) u sum |term|", "", float, double) {
  for (const Index size : {1000, 100000, 3000000}) {
    const auto term = [](Index i) { return TestType{0.1f} + static_cast<TestType>(i % 7) / 64; };
    long double exact = 0;
    for (Index i = 0; i < size; ++i) exact += static_cast<long double>(term(i));
    const long double bound =
        (128 + std::log2(static_cast<long double>(size))) * static_cast<long double>(std::numeric_limits<TestType>::epsilon()) / 2 * exact;
    CAPTURE(size);
    CHECK(std::abs(static_cast<long double>(detail::pairwise_sum<TestType>(size, term)) - exact) <= bound);
  }
}

// volatile, so that the compiler cannot compute the products itself; with a fused multiply-add the difference is not 0
TEST_CASE("a pairwise sum rounds its terms before it adds them") {
  const volatile double x = 1 + 0x1p-30;
  const double product = x * x;
  PairwiseSum<double> sum;
  sum -= product;
  sum += x * x;
  CHECK(sum.total() == 0);
}
