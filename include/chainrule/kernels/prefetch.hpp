#pragma once
// Prefetching. A processor prefetches by itself within a page (4 KiB). Columns of a large matrix lie in pages of their own, so a product
// would wait for each of them, longest if the matrix does not fit in the caches.

#include <algorithm>
#include <chainrule/core/types.hpp>

namespace chainrule::kernels {

/// Columns of a matrix that are prefetched a few at a time.
class Prefetch {
 public:
  /// Without columns.
  Prefetch() = default;

  /// `columns` of `rows` >= 1 numbers, `step` numbers apart.
  template <class Scalar>
  Prefetch(const Scalar* first, Index rows, Index step, Index columns)
      : first_{reinterpret_cast<const char*>(first)}, last_{bytes<Scalar>(rows) - 1}, step_{bytes<Scalar>(step)}, left_{columns} {}

  /// Columns that have not been prefetched.
  Index left() const { return left_; }

  /// Prefetches the next `columns`, or as many as are left, into the second cache.
  void next(Index columns) {
    for (Index i = (std::min)(columns, left_); i > 0; --i) {
      for (Index at = 0; at < last_; at += cache_line) ask(first_ + at);
      ask(first_ + last_);  // a column that does not begin at a cache line ends in one line more
      if (--left_ > 0) first_ += step_;
    }
  }

 private:
  static constexpr Index cache_line = 64;
  template <class Scalar>
  static constexpr Index bytes(Index numbers) {
    return numbers * Index{sizeof(Scalar)};
  }

  static void ask([[maybe_unused]] const char* address) {
#if defined(__GNUC__)
    __builtin_prefetch(address, 0, 2);
    asm volatile("");  // without it g++ takes this function for one without effect and drops calls of it
#endif
  }

  const char* first_ = nullptr;
  Index last_ = 0;
  Index step_ = 0;
  Index left_ = 0;
};

/// Prefetches of a product of large matrices before it computes a tile of C: some columns of the next panel of A, and the next tile of C.
struct Ahead {
  Prefetch a;
  Index columns_of_a = 0;

  /// c: the tile, of `rows` x `columns`; `left`: how many columns are right of it.
  template <class Scalar>
  [[gnu::noinline]] void fetch(const Scalar* c, Index c_step, Index rows, Index columns, Index left) {
    a.next(columns_of_a);
    if (left > 0) Prefetch(c + columns * c_step, rows, c_step, left).next(columns);
  }
};

}  // namespace chainrule::kernels
