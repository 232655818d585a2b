#pragma once
// Sums of many terms whose errors stay small and whose bits do not depend on the compiler's flags. The order of a plain loop lets the error
// grow with the number of terms n; here it grows with log n. kernels/README.md lists the sums of the library with their error bounds.

#include <algorithm>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/types.hpp>
#include <type_traits>

namespace chainrule::detail {

/// Returns x. Keeps g++ from merging the product that x is with a later addition into a fused multiply-add, by an empty asm that might have
/// changed x: g++ contracts across statements where the flags allow FMA, so the bits would depend on the flags. clang contracts only within
/// one expression, so a call of this function is enough.
template <class Scalar>
Scalar rounded(Scalar x) {
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
  if constexpr (std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>) asm("" : "+x"(x));
#elif defined(__GNUC__) && !defined(__clang__) && defined(__aarch64__)
  if constexpr (std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>) asm("" : "+w"(x));
#endif
  return x;
}

/// A sum to which terms are added one by one. Each 128 terms make a block, added in order; blocks are added in pairs, pairs of blocks in
/// pairs, and so on. The order depends only on the number of terms. With n terms and u = epsilon/2 (the error of one addition)
///
///     |error| <= (128 + log2 n) u sum |term|
template <class Sum>
class PairwiseSum {
 public:
  static constexpr Index block = 128;  ///< the number of terms that are added in order

  PairwiseSum& operator+=(Sum term) {
    rest_ += rounded(term);
    if (++terms_ == block) {
      add_block(rest_);
      rest_ = 0;
      terms_ = 0;
    }
    return *this;
  }
  PairwiseSum& operator-=(Sum term) { return *this += -term; }

  /// Adds the sum of a block that the caller has added up. Not to be mixed with a block of single terms that is not complete.
  void add_block(Sum sum) {
    for (Index pairs = blocks_++; pairs % 2 != 0; pairs /= 2) sum = sums_[--depth_] + sum;
    sums_[depth_++] = sum;
  }

  Sum total() const {
    Sum total = rest_;
    for (int d = depth_; d > 0; --d) total = sums_[d - 1] + total;
    return total;
  }

 private:
  // Sums of 2^k blocks of 2^7 terms, the largest k first. Enough for as many terms as an Index can count.
  Sum sums_[8 * sizeof(Index) - 7];
  int depth_ = 0;
  Index blocks_ = 0;
  Sum rest_ = 0;
  Index terms_ = 0;
};

/// Returns term(0) + ... + term(size - 1). Each 128 terms are added in four interleaved sums, which do not wait for one another, and the
/// blocks in pairs, as in PairwiseSum. (term is inlined in five places and no more, because it may be long, and there are many of them.)
template <class Sum, class Term>
[[gnu::flatten]] Sum pairwise_sum(Index size, const Term& term) {
  constexpr Index block = PairwiseSum<Sum>::block;
  const auto number = [&term](Index i) { return rounded(static_cast<Sum>(term(i))); };
  PairwiseSum<Sum> blocks;
  Index i = 0;
  do {
    const Index end = (std::min)(i + block, size);
    Sum sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
    for (; i + 4 <= end; i += 4) {
      sum0 += number(i);
      sum1 += number(i + 1);
      sum2 += number(i + 2);
      sum3 += number(i + 3);
    }
    for (const Index first = i; i < end; ++i) {
      const Sum last = number(i);
      (i == first ? sum0 : i == first + 1 ? sum1 : sum2) += last;
    }
    const Sum sum = (sum0 + sum1) + (sum2 + sum3);
    if (size <= block) return sum;
    blocks.add_block(sum);
  } while (i < size);
  return blocks.total();
}

/// Returns the sum of term(i, j) over all rows i and columns j: of the sums of the columns, each by pairwise_sum.
template <class Sum, class Term>
Sum pairwise_sum(Index rows, Index columns, const Term& term) {
  if (rows == 1) return pairwise_sum<Sum>(columns, [&term](Index j) { return term(0, j); });
  PairwiseSum<Sum> sum;
  for (Index j = 0; j < columns; ++j) sum += pairwise_sum<Sum>(rows, [&term, j](Index i) { return term(i, j); });
  return sum.total();
}

/// Returns sum_of(1)/divisor, where sum_of(d) returns a sum of terms that are each divided by d. Where this sum of finite terms is too
/// large for Sum although the mean need not be, it returns sum_of(divisor).
template <class Sum, class SumOf>
Sum mean_of(Sum divisor, const SumOf& sum_of) {
  const Sum sum = sum_of(Sum{1});
  return is_finite(sum) ? sum / divisor : sum_of(divisor);
}

/// Returns term/divisor, without the time of a division where the divisor is 1, as it nearly always is in mean_of.
template <class Sum>
Sum divided(Sum term, Sum divisor) {
  return divisor == 1 ? term : term / divisor;
}

}  // namespace chainrule::detail
