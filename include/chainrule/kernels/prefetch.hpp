#pragma once
// Prefetching. A processor prefetches by itself within a page (4 KiB). Columns of a large matrix lie in pages of their own, so a product
// would wait for each of them, longest if the matrix does not fit in the caches.

#include <algorithm>
#include <chainrule/core/types.hpp>
#include <chainrule/kernels/product_plan.hpp>
#include <cstdint>
#include <utility>

namespace chainrule::kernels {

/// Prefetches the cache line of an address into the L2 cache.
[[gnu::always_inline]] inline void prefetch_line([[maybe_unused]] const char* address) {
#if defined(__GNUC__)
  __builtin_prefetch(address, 0, 2);
#endif
}

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

  /// Prefetches the next `columns`, or as many as are left, into the L2 cache.
  void next(Index columns) {
#if defined(__GNUC__)
    asm volatile("");  // without it g++ takes this function for one without effect and drops calls of it
#endif
    for (Index i = (std::min)(columns, left_); i > 0; --i) {
      for (Index at = 0; at < last_; at += bytes_of_line) prefetch_line(first_ + at);
      prefetch_line(first_ + last_);  // a column that does not begin at a cache line ends in one line more
      if (--left_ > 0) first_ += step_;
    }
  }

 private:
  template <class Scalar>
  static constexpr Index bytes(Index numbers) {
    return numbers * Index{sizeof(Scalar)};
  }

  const char* first_ = nullptr;
  Index last_ = 0;
  Index step_ = 0;
  Index left_ = 0;
};

/// Prefetches for a product of large matrices while it computes the tiles of a panel: the next panel of A, and the next tile of C.
class Ahead {
 public:
  explicit Ahead(bool wants_c) : wants_c_{wants_c} {}

  /// Begins a panel of A of `rows` rows in place, whose columns are `step` numbers apart and begin at `first`; the next one has
  /// `next_rows`. A tile then prefetches one line of each column, with each term of its sums: a core waits for 10 to 16 lines at once, and
  /// if a tile began with some hundred prefetches, its loads from the L2 cache would wait for all of these.
  template <class Scalar>
  void set_next_panel(const Scalar* first, Index rows, Index next_rows, Index step) {
    constexpr Index size = sizeof(Scalar);
    distance_ = rows * size;
    // columns that do not begin at a cache line may end in one line more
    const bool is_aligned = reinterpret_cast<std::uintptr_t>(first + rows) % bytes_of_line == 0 && step * size % bytes_of_line == 0;
    tiles_ = (next_rows * size + (is_aligned ? 0 : bytes_of_line) + bytes_of_line - 1) / bytes_of_line;
  }

  /// Begins a panel that is packed: each tile first prefetches so many columns of the next one.
  void set_columns(const Prefetch& a, Index columns_of_tile) {
    a_ = a;
    columns_of_tile_ = columns_of_tile;
  }

  /// The distance in bytes from each column of the panel to the line that the next tile is to prefetch; 0 where all lines of the next panel
  /// have been prefetched.
  Index next_distance() {
    if (tiles_ == 0) return 0;
    --tiles_;
    return std::exchange(distance_, distance_ + bytes_of_line);
  }

  /// Before a tile: prefetches columns of A that will be packed and, if wanted, the next tile of C: `columns` of `rows` numbers.
  template <class Scalar>
  [[gnu::noinline]] void fetch(const Scalar* c, Index rows, Index step, Index columns) {
    a_.next(columns_of_tile_);
    if (wants_c_) Prefetch(c, rows, step, columns).next(columns);
  }

 private:
  bool wants_c_;
  Index distance_ = 0;
  Index tiles_ = 0;
  Prefetch a_;
  Index columns_of_tile_ = 0;
};

}  // namespace chainrule::kernels
