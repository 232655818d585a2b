#pragma once
// From what the user passes to the views that the library works on, without a copy: what would need one does not compile.

#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>

namespace chainrule::detail {

template <class Derived>
void takes_dense(const Eigen::DenseBase<Derived>&);

/// An Eigen matrix, array, block, map or expression; by conversion, because y.head(3) derives from another type's DenseBase.
template <class T>
concept EigenDense = requires(const std::remove_cvref_t<T>& m) {
  takes_dense(m);
};

/// Whether the columns of T lie in memory, each in one piece.
template <class T>
constexpr bool has_columns_in_memory() {
  if constexpr (bool(T::Flags & Eigen::DirectAccessBit))
    return T::RowsAtCompileTime == 1 || T::ColsAtCompileTime == 1 ? true : !T::IsRowMajor && T::InnerStrideAtCompileTime == 1;
  else
    return false;
}

/// The distance between two columns of an Eigen object whose columns lie in memory.
template <class T>
Index column_stride(const T& m) {
  if constexpr (T::RowsAtCompileTime == 1) {
    return m.innerStride();
  } else if constexpr (T::ColsAtCompileTime == 1) {
    return m.rows();
  } else {
    return m.outerStride();
  }
}

/// A const view on a matrix, vector, block or map of the user's. Precondition: it outlives the view.
template <class Scalar, class Derived>
ConstMatrixView<Scalar> const_view(const Eigen::DenseBase<Derived>& m) {
  static_assert(std::is_same_v<typename Derived::Scalar, Scalar>,
                "chainrule: this matrix has another scalar type than the network; convert it once: Eigen::MatrixXf x = m.cast<float>();");
  static_assert(
      has_columns_in_memory<Derived>(),
      "chainrule: this argument must be a column-major matrix, or a vector, block or map of one; give an expression a home first: "
      "auto x = expression.eval();");
  if constexpr (has_columns_in_memory<Derived>() && Derived::ColsAtCompileTime == 1 && Derived::RowsAtCompileTime != 1) {
    if (m.derived().innerStride() != 1)
      raise<ShapeError>("a column vector must lie in memory in one piece, but its elements are ", m.derived().innerStride(),
                        " apart; copy it with .eval()");
  }
  return {m.derived().data(), m.rows(), m.cols(), Eigen::OuterStride<>(column_stride(m.derived()))};
}

/// The same, to write to; `m` may be a temporary block, dx.leftCols(n).
template <class Scalar, EigenDense M>
MatrixView<Scalar> mutable_view(M&& m) {
  static_assert(bool(std::remove_reference_t<M>::Flags & Eigen::LvalueBit) && !std::is_const_v<std::remove_reference_t<M>>,
                "chainrule: this argument is written to, so it cannot be const");
  const ConstMatrixView<Scalar> view = const_view<Scalar>(m);
  return {m.data(), view.rows(), view.cols(), Eigen::OuterStride<>(view.outerStride())};
}

}  // namespace chainrule::detail
