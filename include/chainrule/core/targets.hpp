#pragma once
// The two kinds of targets: y as a matrix (outputs x batch), or one integer class label for each sample.

#include <chainrule/core/detail/views.hpp>
#include <concepts>
#include <ranges>
#include <span>

namespace chainrule {

/// The class of each sample, counted from 0.
template <std::integral Label>
using Labels = std::span<const Label>;

namespace detail {

template <class T>
concept LabelVector = (EigenDense<T> && std::integral<typename std::remove_cvref_t<T>::Scalar>) ||
                      (!EigenDense<T> && std::ranges::contiguous_range<T> && std::integral<std::ranges::range_value_t<T>>);

/// What the user calls y, as a view: Labels for integers, ConstMatrixView for an Eigen matrix.
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

/// The labels of samples first, ..., first + count - 1, as columns_of gives the columns of a matrix of targets.
template <class Label>
std::span<const Label> columns_of(std::span<const Label> y, Index first, Index count) {
  return y.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
}

/// How many rows the targets of a loss have for a network of so many outputs: as many, unless the loss says otherwise. Dynamic for
/// Dynamic.
template <class LossType>
constexpr Index target_rows(Index outputs) {
  if constexpr (requires { LossType::target_rows(outputs); })
    return outputs == Dynamic ? Dynamic : LossType::target_rows(outputs);
  else
    return outputs;
}
/// The same where only the value of a loss knows it (AnyLoss).
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
