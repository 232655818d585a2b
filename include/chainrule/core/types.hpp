#pragma once
// The basic types of the library: extents, matrices, views on memory owned elsewhere, storage for a batch.

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <chainrule/core/error.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#if !EIGEN_VERSION_AT_LEAST(3, 4, 0)
#error "chainrule needs Eigen 3.4 or newer"
#endif

namespace chainrule {

using Index = Eigen::Index;  ///< the type of extents and positions: signed, as wide as a pointer

/// Marks an extent that is known only at run time: `Dense<Dynamic, 10>{inputs, 10}`.
inline constexpr int Dynamic = Eigen::Dynamic;

/// Marks the extent of a layer that takes it from the layer before: `Dropout<>` is Dropout<Inferred>.
inline constexpr int Inferred = -2;
static_assert(Inferred != Dynamic);

/// A column-major matrix, also under EIGEN_DEFAULT_TO_ROW_MAJOR. In the whole library one column is one sample. (Eigen wants a matrix of
/// one row to be row-major.)
template <class Scalar, int Rows = Dynamic, int Cols = Dynamic>
using Matrix = Eigen::Matrix<Scalar, Rows, Cols, Rows == 1 && Cols != 1 ? Eigen::RowMajor : Eigen::ColMajor>;

/// A column vector.
template <class Scalar, int Rows = Dynamic>
using Vector = Eigen::Matrix<Scalar, Rows, 1, Eigen::ColMajor>;

/// A matrix in memory that is owned elsewhere, to read and to write; there may be gaps between its columns (a block of a larger matrix).
template <class Scalar>
using MatrixView = Eigen::Map<Eigen::Matrix<Scalar, Dynamic, Dynamic, Eigen::ColMajor>, Eigen::Unaligned, Eigen::OuterStride<>>;
/// A read-only matrix in memory that is owned elsewhere; there may be gaps between its columns.
template <class Scalar>
using ConstMatrixView = Eigen::Map<const Eigen::Matrix<Scalar, Dynamic, Dynamic, Eigen::ColMajor>, Eigen::Unaligned, Eigen::OuterStride<>>;
/// A contiguous column vector in memory that is owned elsewhere, to read and to write.
template <class Scalar>
using VectorView = Eigen::Map<Vector<Scalar>>;
/// A read-only contiguous column vector in memory that is owned elsewhere.
template <class Scalar>
using ConstVectorView = Eigen::Map<const Vector<Scalar>>;

namespace detail {

/// A view on contiguous memory as a matrix without gaps between its columns.
template <class Scalar>
MatrixView<Scalar> matrix_view(Scalar* data, Index rows, Index cols) {
  return {data, rows, cols, Eigen::OuterStride<>(rows)};
}
template <class Scalar>
ConstMatrixView<Scalar> matrix_view(const Scalar* data, Index rows, Index cols) {
  return {data, rows, cols, Eigen::OuterStride<>(rows)};
}

/// Tells the compiler that there is at least one sample, so that it drops Eigen's assertion about the extents of each view that follows.
[[gnu::always_inline]] inline void assume_not_empty([[maybe_unused]] Index samples) {
#if defined(__GNUC__)
  if (samples < 1) __builtin_unreachable();
#endif
}

/// A read-only view on the same matrix.
template <class Scalar>
ConstMatrixView<Scalar> as_const(const MatrixView<Scalar>& m) {
  return {m.data(), m.rows(), m.cols(), Eigen::OuterStride<>(m.outerStride())};
}

/// Columns first, ..., first + count - 1 of a MatrixView or ConstMatrixView, as a view.
template <class View>
View columns_of(View m, Index first, Index count) {
  return {m.data() + first * m.outerStride(), m.rows(), count, Eigen::OuterStride<>(m.outerStride())};
}

/// Rows first, ..., first + count - 1 of a MatrixView or ConstMatrixView, as a view.
template <class View>
View rows_of(View m, Index first, Index count) {
  return {m.data() + first, count, m.cols(), Eigen::OuterStride<>(m.outerStride())};
}

/// Row i of a MatrixView or ConstMatrixView, as a view.
template <class View>
View row_of(View m, Index i) {
  return rows_of(m, i, 1);
}

/// The most bytes of numbers that an object holds inside itself: a network, gradients, a workspace or a matrix. An object whose extents are
/// types and that needs more has them on the heap, like one of run-time extents, because it may be a local variable of a thread with a
/// small stack.
inline constexpr Index inline_bytes = 32 * 1024;

/// Rows, but Dynamic where a matrix of fixed Rows x Cols would be too large to be copied to the stack.
template <class Scalar, int Rows, int Cols>
inline constexpr int fixed_rows =
    Rows != Dynamic&& Cols != Dynamic&& Index{Rows} * Cols > inline_bytes / Index{sizeof(Scalar)} ? Dynamic : Rows;

/// A map on contiguous memory that is read-only where Scalar is const.
template <class Scalar, int Rows, int Cols>
using MapOf =
    std::conditional_t<std::is_const_v<Scalar>, Eigen::Map<const Matrix<std::remove_const_t<Scalar>, fixed_rows<Scalar, Rows, Cols>, Cols>>,
                       Eigen::Map<Matrix<std::remove_const_t<Scalar>, fixed_rows<Scalar, Rows, Cols>, Cols>>>;

/// The type in which sums over a batch are computed: double for float, so that a mean over many samples does not drift.
template <class Scalar>
using Accumulator = std::conditional_t<(sizeof(Scalar) < sizeof(double)), double, Scalar>;

/// More numbers than memory can address, of any scalar type. Products and sums of extents that are larger become this, so none of them
/// wraps around to a small number, and Storage refuses it.
inline constexpr Index too_many = (std::numeric_limits<Index>::max)() / 16;

/// The product of two extents, at most too_many; Dynamic if one of them is Dynamic or Inferred.
constexpr Index extent_product(Index a, Index b) { return a < 0 || b < 0 ? Dynamic : b > 0 && a > too_many / b ? too_many : a * b; }
/// The sum of two extents, at most too_many; Dynamic if one of them is Dynamic or Inferred.
constexpr Index extent_sum(Index a, Index b) { return a < 0 || b < 0 ? Dynamic : a > too_many - b ? too_many : a + b; }

/// A cache line.
inline constexpr Index bytes_of_line = 64;

/// Allocates memory that begins at a cache line (64 bytes), so that no vector register's load crosses a line.
template <class T>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t line{bytes_of_line};

  CacheLineAllocator() = default;
  template <class U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}
  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), line)); }
  void deallocate(T* memory, std::size_t) { ::operator delete(memory, line); }
  bool operator==(const CacheLineAllocator&) const { return true; }
};

/// Calls allocate(), which allocates rows x columns numbers. Throws ShapeError, which begins with `what`, where memory cannot hold them.
template <class Allocate>
void allocate_or_refuse(const char* what, Index rows, Index columns, const Allocate& allocate) {
  const auto refuse = [&] { raise<ShapeError>(what, ": ", rows, " x ", columns, " numbers are more than memory can hold"); };
  const Index size = extent_product(rows, columns);
  if (size < 0 || size >= too_many) refuse();
#if defined(__cpp_exceptions)
  try {
    allocate();
  } catch (const std::bad_alloc&) {
    refuse();
  }
#else
  allocate();
#endif
}

/// A fixed number of entries, 0 at first: Size, or rows x columns where Size is Dynamic. On the heap, except for the specialization for
/// small fixed sizes below. The constructor throws ShapeError, which begins with `what`, where memory cannot hold them.
template <class Scalar, Index Size>
class Storage {
 public:
  static constexpr bool is_inside_object = false;
  explicit Storage(const char* what, Index rows, Index columns = 1) {
    allocate_or_refuse(what, rows, columns, [&] { numbers_ = Numbers(static_cast<std::size_t>(rows * columns), Scalar(0)); });
  }
  Index size() const { return static_cast<Index>(numbers_.size()); }
  Scalar* data() { return numbers_.data(); }
  const Scalar* data() const { return numbers_.data(); }

 private:
  using Numbers = std::vector<Scalar, CacheLineAllocator<Scalar>>;
  Numbers numbers_;
};

/// Whether many columns so many bytes apart fall into few places of an L1 cache, which drops the first ones before all are read. A line's
/// place repeats every 4 KiB, and multiples of 256 bytes give at most 16 places.
constexpr bool columns_collide(Index bytes_apart) { return bytes_apart >= 512 && bytes_apart % 256 == 0; }

/// The distance between columns of `rows` numbers that do not collide: `rows`, or a cache line more.
template <class Scalar>
constexpr Index distance_without_collisions(Index rows) {
  constexpr Index size{sizeof(Scalar)};
  return rows < too_many && columns_collide(rows * size) ? rows + bytes_of_line / size : rows;
}

/// The alignment of an array of so many bytes inside an object: a cache line for an array that is longer than one, else 16, 32 or 64 if the
/// array is a multiple of that, else that of one number. It depends on no compiler flag, as the alignment of Eigen's matrices does, so
/// files compiled with and without -mavx agree on the layout of every object.
constexpr std::size_t inline_alignment(std::size_t bytes, std::size_t of_number) {
  constexpr std::size_t line{bytes_of_line};
  std::size_t alignment = line;
  while (bytes <= line && alignment > 8 && bytes % alignment != 0) alignment /= 2;
  return alignment > 8 && alignment > of_number ? alignment : of_number;
}

/// Storage of a small fixed size, inside the object.
template <class Scalar, Index Size>
requires(Size != Dynamic && Size <= inline_bytes / Index{sizeof(Scalar)}) class Storage<Scalar, Size> {
 public:
  static constexpr bool is_inside_object = true;
  explicit Storage(const char*, Index, Index = 1) : numbers_{} {}
  static constexpr Index size() { return Size; }
  Scalar* data() { return numbers_.data(); }
  const Scalar* data() const { return numbers_.data(); }

 private:
  alignas(inline_alignment(Size * sizeof(Scalar), alignof(Scalar))) std::array<Scalar, static_cast<std::size_t>(Size)> numbers_;
};

/// A number that is set to 0 when its object is moved from, so that this object knows that it holds nothing any more.
class ZeroAfterMove {
 public:
  ZeroAfterMove(Index number) : number_{number} {}
  ZeroAfterMove(const ZeroAfterMove&) = default;
  ZeroAfterMove(ZeroAfterMove&& other) noexcept : number_{std::exchange(other.number_, 0)} {}
  ZeroAfterMove& operator=(ZeroAfterMove other) noexcept {
    number_ = other.number_;
    return *this;
  }
  ~ZeroAfterMove() = default;
  operator Index() const { return number_; }

 private:
  Index number_;
};

/// Counts how often something was assigned to the object that has it as a member. Copies continue the count, so it never returns to a
/// number that the same memory had before.
class AssignmentCount {
 public:
  AssignmentCount() = default;
  AssignmentCount(const AssignmentCount&) = default;
  AssignmentCount& operator=(const AssignmentCount& other) noexcept {
    count_ = (std::max)(count_, other.count_) + 1;
    return *this;
  }
  ~AssignmentCount() = default;
  std::uint32_t value() const { return count_; }

 private:
  std::uint32_t count_ = 0;
};

/// A value that moving copies, so that it stays whole in an object that was moved from.
template <class T>
class CopiedByMove {
 public:
  /// Takes a T itself, and nothing that converts to it. Otherwise clang recurses without end when it asks whether a CopiedByMove<AnyLoss>
  /// converts to an AnyLoss.
  template <std::same_as<T> Value>
  CopiedByMove(const Value& value) : value_{value} {}
  CopiedByMove(const CopiedByMove&) = default;
  CopiedByMove& operator=(const CopiedByMove&) = default;
  ~CopiedByMove() = default;
  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }

 private:
  [[no_unique_address]] T value_;
};

/// An extent that takes no memory when it is fixed: `Extent<64>` is always 64, `Extent<Dynamic>` holds a number. `Extent<Inferred>` is
/// a placeholder until the layer before is known.
template <int N>
struct Extent {
  constexpr Extent() = default;
  constexpr explicit Extent(Index) {}
  static constexpr Index value() { return N; }
};

template <>
struct Extent<Dynamic> {
  constexpr explicit Extent(Index n) : n_{n} {}
  constexpr Index value() const { return n_; }

 private:
  Index n_;
};

}  // namespace detail

/// A view on one tensor of a layer in theta, as its parameters(theta) gives it; read-only where Scalar is const.
template <class Scalar, int Rows, int Cols = 1>
using TensorView = detail::MapOf<Scalar, Rows, Cols>;

/// How the columns of a BatchStorage lie in memory.
enum class Columns {
  contiguous,  ///< one after the other
  spaced,      ///< a cache line apart where matrix products would be slow otherwise: where a column has a multiple of 256 bytes
};

/// Storage for up to MaxBatch samples of Rows numbers each, allocated once; `first(n)` is a (Rows x n) view on it. Small storage of fixed
/// extents, inside the object, is always contiguous.
template <class Scalar, int Rows, int MaxBatch, Columns columns = Columns::contiguous>
class BatchStorage {
  using Numbers = detail::Storage<Scalar, detail::extent_product(Rows, MaxBatch)>;

 public:
  static constexpr bool is_inside_object = Numbers::is_inside_object;  ///< whether the numbers are part of this object or on the heap
  static constexpr bool may_be_spaced = columns == Columns::spaced && !is_inside_object;  ///< whether columns may have gaps between them

  /// For up to max_batch samples of `rows` numbers each; all numbers are 0 at first. Throws ShapeError where memory cannot hold them.
  BatchStorage(Index rows, Index max_batch) : rows_{rows}, distance_{rows}, numbers_{"the workspace of a layer", distance(), max_batch} {}

  Index rows() const { return rows_.value(); }  ///< how many numbers a sample has
  /// A view to read and write of the first n samples, Rows x n; n is at most max_batch.
  MatrixView<Scalar> first(Index n) { return {numbers_.data(), rows(), n, Eigen::OuterStride<>(distance())}; }
  /// A view to read of the first n samples, Rows x n; n is at most max_batch.
  ConstMatrixView<Scalar> first(Index n) const { return {numbers_.data(), rows(), n, Eigen::OuterStride<>(distance())}; }

  /// Has columns without gaps from now on; the numbers are no longer those stored before.
  void make_contiguous() {
    if constexpr (may_be_spaced) distance_.numbers = rows();
  }

 private:
  struct Spaced {
    explicit Spaced(Index rows) : numbers{detail::distance_without_collisions<Scalar>(rows)} {}
    Index numbers;
  };
  struct AsManyAsRows {
    explicit AsManyAsRows(Index) {}
  };
  Index distance() const {
    if constexpr (may_be_spaced)
      return distance_.numbers;
    else
      return rows();
  }

  [[no_unique_address]] detail::Extent<Rows> rows_;
  [[no_unique_address]] std::conditional_t<may_be_spaced, Spaced, AsManyAsRows> distance_;
  Numbers numbers_;
};

/// A BatchStorage whose columns are spaced: for what a dense layer reads or writes, such as a(l) and delta(l). Code that takes views can
/// use it in place of a BatchStorage; code that takes `data()` for all samples at once cannot.
template <class Scalar, int Rows, int MaxBatch>
using SpacedBatchStorage = BatchStorage<Scalar, Rows, MaxBatch, Columns::spaced>;

}  // namespace chainrule
