#pragma once
// The two kinds of targets y of a loss: a matrix (outputs x batch), or one integer class label for each sample.

#include <chainrule/core/detail/views.hpp>
#include <concepts>
#include <ranges>
#include <span>

namespace chainrule {

/// Targets as the class of each sample, counted from 0.
template <std::integral Label>
using Labels = std::span<const Label>;

namespace detail {

/// A contiguous range of integers, an Eigen vector or any other, that can be viewed as Labels.
template <class T>
concept LabelVector = (EigenDense<T> && std::integral<typename std::remove_cvref_t<T>::Scalar>) ||
                      (!EigenDense<T> && std::ranges::contiguous_range<T> && std::integral<std::ranges::range_value_t<T>>);

/// A view on targets of the user's, without a copy: Labels for integers, ConstMatrixView for an Eigen matrix.
template <class Scalar, class Y>
auto target_view(const Y& y) {
  if constexpr (LabelVector<Y> && EigenDense<Y>) {
    static_assert(Y::IsVectorAtCompileTime && bool(Y::Flags & Eigen::DirectAccessBit) && Y::InnerStrideAtCompileTime == 1,
                  "chainrule: integer labels must be one contiguous vector, a label for each sample");
    return Labels<typename Y::Scalar>(y.data(), static_cast<std::size_t>(y.size()));
  } else if constexpr (LabelVector<Y>) {
    return Labels<std::ranges::range_value_t<Y>>(std::ranges::data(y), std::ranges::size(y));
  } else {
    static_assert(EigenDense<Y>, "chainrule: y must be an Eigen matrix (outputs x batch) or a vector of integer class labels");
    return const_view<Scalar>(y);
  }
}

/// The labels of samples first, ..., first + count - 1, as a view; the counterpart for labels of columns_of for a matrix.
template <class Label>
std::span<const Label> columns_of(std::span<const Label> y, Index first, Index count) {
  return y.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
}

/// The number of rows of a loss's targets, given the network's number of outputs: the same, unless the loss has its own
/// target_rows(outputs). Dynamic where `outputs` is Dynamic.
template <class LossType>
constexpr Index target_rows(Index outputs) {
  if constexpr (requires { LossType::target_rows(outputs); })
    return outputs == Dynamic ? Dynamic : LossType::target_rows(outputs);
  else
    return outputs;
}
/// The number of rows of the targets of this loss, which may be known only at run time (AnyLoss).
template <class LossType>
Index target_rows(const LossType& loss, Index outputs) {
  if constexpr (requires { loss.target_rows(outputs); })
    return loss.target_rows(outputs);
  else
    return outputs;
}

/// How many samples the targets are for.
template <class Scalar>
Index samples_of(const ConstMatrixView<Scalar>& y) {
  return y.cols();
}
template <class Label>
Index samples_of(std::span<const Label> y) {
  return static_cast<Index>(y.size());
}

}  // namespace detail
}  // namespace chainrule
