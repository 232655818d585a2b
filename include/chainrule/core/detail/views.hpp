#pragma once
// Makes the views on which the library works from the Eigen objects that users pass, without a copy. An argument that would need a copy
// does not compile.

#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <initializer_list>
#include <ranges>

namespace chainrule::detail {

/// Declared for the concept below only.
template <class Derived>
void takes_dense(const Eigen::DenseBase<Derived>&);

/// An Eigen matrix, array, block, map or expression. Asked by a conversion to DenseBase, because y.head(3) derives from the DenseBase of
/// another type.
template <class T>
concept EigenDense = requires(const std::remove_cvref_t<T>& m) {
  takes_dense(m);
};

/// Whether T is an Eigen::Ref of const numbers, which may own a copy of what it was made from.
template <class T>
inline constexpr bool is_const_ref = false;
template <class M, int Options, class Stride>
inline constexpr bool is_const_ref<Eigen::Ref<const M, Options, Stride>> = true;

/// Whether a function that is given a `T&&` may keep a view on it: yes for an object with a name, and for a temporary that is itself a view
/// (Eigen's Map and Block, std::span); no for a temporary that owns its numbers, because they are freed at the end of the statement.
template <class T>
constexpr bool may_be_viewed() {
  using Object = std::remove_cvref_t<T>;
  if constexpr (std::is_lvalue_reference_v<T>)
    return true;
  else if constexpr (EigenDense<Object>)
    return !std::is_base_of_v<Eigen::PlainObjectBase<Object>, Object> && !is_const_ref<Object>;
  else
    return !std::ranges::range<Object> || std::ranges::borrowed_range<Object>;
}

/// Whether T has its numbers in memory, each column contiguous.
template <class T>
constexpr bool has_columns_in_memory() {
  if constexpr (bool(T::Flags & Eigen::DirectAccessBit))
    return T::RowsAtCompileTime == 1 || T::ColsAtCompileTime == 1 ? true : !T::IsRowMajor && T::InnerStrideAtCompileTime == 1;
  else
    return false;
}

/// The distance in memory between the beginnings of two columns, for a type with has_columns_in_memory.
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

/// Whether T is an Eigen matrix, vector, array, block, map or expression. Where not, a sentence says what to do.
template <class T>
constexpr bool checked_dense() {
  constexpr bool is_dense = EigenDense<T>;
  static_assert(is_dense,
                "chainrule: this argument must be an Eigen matrix, in which one column is one sample; a matrix can view other memory: "
                "Eigen::Map<const Eigen::MatrixXf> x(v.data(), inputs, samples); and it can copy a sparse matrix: Eigen::MatrixXf x = "
                "sparse;");
  return is_dense;
}

/// Whether const_view can view a Derived as numbers of type Scalar, and mutable_view where `is_result`. Where not, a sentence says what to
/// do. Public functions call it first, because compilers list every call between theirs and a failed static_assert.
template <class Scalar, class Derived, bool is_result = false>
constexpr bool checked_viewable() {
  constexpr bool same_scalar = std::is_same_v<typename Derived::Scalar, Scalar>, in_memory = has_columns_in_memory<Derived>();
  constexpr bool is_expression = !bool(Derived::Flags & Eigen::DirectAccessBit);
  static_assert(same_scalar,
                "chainrule: this matrix has another scalar type than the network; convert it once: "
                "auto x = m.cast<Net::ScalarType>().eval();");
  static_assert(in_memory || !is_result,
                "chainrule: this argument is written to, so it must be a column-major matrix, such as Eigen::MatrixXf, or a vector, block "
                "or map of one; a row-major matrix can be assigned from it afterwards");
  static_assert(in_memory || is_result || is_expression,
                "chainrule: this argument must be a column-major matrix, or a vector, block or map of one, but it is row-major or has gaps "
                "between its numbers; copy it, as in Eigen::MatrixXf x = m; (not .eval(), which keeps the order, as for m.transpose())");
  static_assert(in_memory || is_result || !is_expression,
                "chainrule: this argument must be a column-major matrix, or a vector, block or map of one; give an expression a home "
                "first, as in Eigen::MatrixXf x = expression;");
  return same_scalar && in_memory;
}

/// A read-only view on a matrix, vector, block or map of the user's, which must outlive the view. Throws ShapeError for a column vector
/// that is not contiguous.
template <class Scalar, class Derived>
ConstMatrixView<Scalar> const_view(const Eigen::DenseBase<Derived>& m) {
  if constexpr (!checked_viewable<Scalar, Derived>()) {
    return {nullptr, m.rows(), m.cols(), Eigen::OuterStride<>(m.rows())};
  } else {
    if constexpr (Derived::ColsAtCompileTime == 1 && Derived::RowsAtCompileTime != 1) {
      if (m.derived().innerStride() != 1)
        raise<ShapeError>("a column vector must lie in memory in one piece, but its elements are ", m.derived().innerStride(),
                          " apart; copy it with .eval()");
    }
    return {m.derived().data(), m.rows(), m.cols(), Eigen::OuterStride<>(column_stride(m.derived()))};
  }
}

/// Does not compile for an argument that is no Eigen matrix; the message says what to write instead.
template <class Scalar, class T>
requires(!EigenDense<T>) ConstMatrixView<Scalar> const_view(const T&) {
  static_cast<void>(checked_dense<T>());
  return {nullptr, 0, 0, Eigen::OuterStride<>(0)};
}

/// Stands for an argument that must be an Eigen matrix, in an overload that the compiler takes where no other one fits: everything converts
/// to it. Does not compile where it is made from anything else, and says what to write instead.
struct MatrixArgument {
  template <class T>
  MatrixArgument(const T&) {
    static_cast<void>(checked_dense<T>());
  }
  template <class T>
  MatrixArgument(std::initializer_list<T>) {
    static_cast<void>(checked_dense<T>());
  }
};

/// Stands for a matrix that is given to a loss, in an overload that the compiler takes where no other one fits. Does not compile, and says
/// what to write instead.
struct LossArgument {
  template <EigenDense T>
  requires std::is_floating_point_v<typename T::Scalar> LossArgument(const T&) {
    static_assert(!std::is_same_v<T, T>,
                  "chainrule: a loss that is called by hand takes views with numbers of one type: loss.value(view(y_hat), view(y)), "
                  "loss.gradient(view(y_hat), view(y), mutable_view(dJ)), loss.link(mutable_view(z)), also of blocks: "
                  "view(y.topRows(2)); see core/view.hpp");
  }
};

/// Does not compile for an argument that is no Eigen matrix; the message says what to write instead.
template <class Scalar, class T>
requires(!EigenDense<T>) MatrixView<Scalar> mutable_view(T&&) {
  static_cast<void>(checked_dense<std::remove_cvref_t<T>>());
  return {nullptr, 0, 0, Eigen::OuterStride<>(0)};
}
/// A view to write to on a matrix, vector, block or map of the user's; `m` may be a temporary block, dx.leftCols(n). Throws ShapeError for
/// a map whose columns overlap.
template <class Scalar, EigenDense M>
MatrixView<Scalar> mutable_view(M&& m) {
  constexpr bool is_mutable = bool(std::remove_reference_t<M>::Flags & Eigen::LvalueBit) && !std::is_const_v<std::remove_reference_t<M>>;
  static_assert(is_mutable, "chainrule: this argument is written to, so it cannot be const");
  if constexpr (!is_mutable || !checked_viewable<Scalar, std::remove_cvref_t<M>, true>()) {
    return {nullptr, m.rows(), m.cols(), Eigen::OuterStride<>(m.rows())};
  } else {
    const ConstMatrixView<Scalar> view = const_view<Scalar>(m);
    if (view.cols() > 1 && view.outerStride() < view.rows())
      raise<ShapeError>("a matrix that is written to has columns of ", view.rows(), " numbers, of which the next begins after ",
                        view.outerStride(), ", so they overlap; write to a copy");
    return {m.data(), view.rows(), view.cols(), Eigen::OuterStride<>(view.outerStride())};
  }
}

}  // namespace chainrule::detail
