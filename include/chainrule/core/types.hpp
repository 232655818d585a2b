#pragma once
// The few types that everything else is written in: extents, matrices, views on somebody's memory, storage for a batch.

#include <Eigen/Core>
#include <cstddef>
#include <new>
#include <type_traits>
#include <vector>

#if !EIGEN_VERSION_AT_LEAST(3, 4, 0)
#error "chainrule needs Eigen 3.4 or newer"
#endif

namespace chainrule {

using Index = Eigen::Index;  ///< of extents and entries: signed, as wide as a pointer

/// An extent that is known only at run time: `Dense<Dynamic, 10>{inputs, 10}`.
inline constexpr int Dynamic = Eigen::Dynamic;

/// The extent of a layer that takes it from the layer before: `Dropout<>`, which is Dropout<Inferred>.
inline constexpr int Inferred = -2;
static_assert(Inferred != Dynamic);

/// Column-major, as everywhere in the library and whatever EIGEN_DEFAULT_TO_ROW_MAJOR says: one column is one sample.
template <class Scalar, int Rows = Dynamic, int Cols = Dynamic>
using Matrix = Eigen::Matrix<Scalar, Rows, Cols, Rows == 1 && Cols != 1 ? Eigen::RowMajor : Eigen::ColMajor>;

/// One column.
template <class Scalar, int Rows = Dynamic>
using Vector = Eigen::Matrix<Scalar, Rows, 1, Eigen::ColMajor>;

/// Views on memory that somebody else owns; columns may lie apart (a block of a larger matrix).
template <class Scalar>
using MatrixView = Eigen::Map<Eigen::Matrix<Scalar, Dynamic, Dynamic, Eigen::ColMajor>, Eigen::Unaligned, Eigen::OuterStride<>>;
/// The same to read.
template <class Scalar>
using ConstMatrixView = Eigen::Map<const Eigen::Matrix<Scalar, Dynamic, Dynamic, Eigen::ColMajor>, Eigen::Unaligned, Eigen::OuterStride<>>;
/// The same of numbers in one piece.
template <class Scalar>
using VectorView = Eigen::Map<Vector<Scalar>>;
/// The same to read.
template <class Scalar>
using ConstVectorView = Eigen::Map<const Vector<Scalar>>;

namespace detail {

/// Contiguous memory seen as a matrix.
template <class Scalar>
MatrixView<Scalar> matrix_view(Scalar* data, Index rows, Index cols) {
  return {data, rows, cols, Eigen::OuterStride<>(rows)};
}
template <class Scalar>
ConstMatrixView<Scalar> matrix_view(const Scalar* data, Index rows, Index cols) {
  return {data, rows, cols, Eigen::OuterStride<>(rows)};
}

template <class Scalar>
ConstMatrixView<Scalar> as_const(const MatrixView<Scalar>& m) {
  return {m.data(), m.rows(), m.cols(), Eigen::OuterStride<>(m.outerStride())};
}

/// Columns first, ..., first + count - 1 of a MatrixView or ConstMatrixView, as a view.
template <class View>
View columns_of(View m, Index first, Index count) {
  return {m.data() + first * m.outerStride(), m.rows(), count, Eigen::OuterStride<>(m.outerStride())};
}

/// Objects up to this size live where they are declared; larger ones, and those of run-time size, use the heap.
inline constexpr Index inline_bytes = 32 * 1024;

/// A fixed number of rows, unless a matrix of that size is too large to be copied to the stack: then its shape is a value.
template <class Scalar, int Rows, int Cols>
inline constexpr int fixed_rows =
    Rows != Dynamic&& Cols != Dynamic&& Index{Rows} * Cols > inline_bytes / Index{sizeof(Scalar)} ? Dynamic : Rows;

/// A map on contiguous memory that is read-only where Scalar is const.
template <class Scalar, int Rows, int Cols>
using MapOf =
    std::conditional_t<std::is_const_v<Scalar>, Eigen::Map<const Matrix<std::remove_const_t<Scalar>, fixed_rows<Scalar, Rows, Cols>, Cols>>,
                       Eigen::Map<Matrix<std::remove_const_t<Scalar>, fixed_rows<Scalar, Rows, Cols>, Cols>>>;

/// What sums over a batch are kept in, so that a mean over many samples of float does not drift.
template <class Scalar>
using Accumulator = std::conditional_t<(sizeof(Scalar) < sizeof(double)), double, Scalar>;

/// Extents multiplied or added, Dynamic if one of them is (or is not known yet).
constexpr Index extent_product(Index a, Index b) { return a < 0 || b < 0 ? Dynamic : a * b; }
constexpr Index extent_sum(Index a, Index b) { return a < 0 || b < 0 ? Dynamic : a + b; }

/// Memory from the beginning of a cache line on, whatever malloc does: vectors of numbers then cross none.
template <class T>
struct LineAllocator {
  using value_type = T;
  static constexpr std::align_val_t line{64};

  LineAllocator() = default;
  template <class U>
  LineAllocator(const LineAllocator<U>&) {}
  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), line)); }
  void deallocate(T* memory, std::size_t) { ::operator delete(memory, line); }
  bool operator==(const LineAllocator&) const { return true; }
};

/// Numbers that are zeros at first: as many as the type says (Dynamic: as the constructor says), without a heap where these are few.
template <class Scalar, Index Size>
class Storage {
 public:
  explicit Storage(Index size) : numbers_(static_cast<std::size_t>(size), Scalar(0)) {}
  Index size() const { return static_cast<Index>(numbers_.size()); }
  Scalar* data() { return numbers_.data(); }
  const Scalar* data() const { return numbers_.data(); }

 private:
  std::vector<Scalar, LineAllocator<Scalar>> numbers_;
};

/// They live where they are declared, and from the beginning of a cache line on if they are longer than one.
template <class Scalar, Index Size>
requires(Size != Dynamic && Size <= inline_bytes / Index{sizeof(Scalar)}) class Storage<Scalar, Size> {
  using Numbers = Vector<Scalar, static_cast<int>(Size)>;

 public:
  explicit Storage(Index) : numbers_{Numbers::Zero()} {}
  static constexpr Index size() { return Size; }
  Scalar* data() { return numbers_.data(); }
  const Scalar* data() const { return numbers_.data(); }

 private:
  alignas(sizeof(Numbers) > 64 ? 64 : alignof(Numbers)) Numbers numbers_;
};

/// An extent that takes no room when it is a type: `Extent<64>` is 64, `Extent<Dynamic>` holds a number. `Extent<Inferred>` is
/// not known yet.
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

/// What a layer's parameters(theta) gives for one of its tensors: a view on its place in theta, read-only where Scalar is const.
template <class Scalar, int Rows, int Cols = 1>
using TensorView = detail::MapOf<Scalar, Rows, Cols>;

/// Room for up to MaxBatch samples of Rows numbers each; `first(n)` is a (Rows x n) view on it. Allocates once.
template <class Scalar, int Rows, int MaxBatch>
class BatchStorage {
 public:
  /// All zeros at first.
  BatchStorage(Index rows, Index max_batch) : rows_{rows}, numbers_{rows * max_batch} {}

  Index rows() const { return rows_.value(); }  ///< numbers of one sample
  /// A view to read and write of the first n samples, Rows x n; n is at most max_batch.
  MatrixView<Scalar> first(Index n) { return detail::matrix_view(numbers_.data(), rows(), n); }
  /// A view to read of the first n samples, Rows x n; n is at most max_batch.
  ConstMatrixView<Scalar> first(Index n) const { return detail::matrix_view(numbers_.data(), rows(), n); }

 private:
  [[no_unique_address]] detail::Extent<Rows> rows_;
  detail::Storage<Scalar, detail::extent_product(Rows, MaxBatch)> numbers_;
};

}  // namespace chainrule
