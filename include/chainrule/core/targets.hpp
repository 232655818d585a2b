#pragma once
// The two kinds of targets y of a loss: a matrix (outputs x batch), or one integer class label for each sample.

#include <chainrule/core/from_outside.hpp>
#include <concepts>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>

namespace chainrule {

/// Targets as the class of each sample, counted from 0.
template <std::integral Label>
using Labels = std::span<const Label>;

namespace detail {

/// A contiguous range of integers, an Eigen vector or any other, that can be viewed as Labels. Text is not one.
template <class T>
concept LabelVector = (EigenDense<T> && std::integral<typename std::remove_cvref_t<T>::Scalar>) ||
                      (!EigenDense<T> && std::ranges::contiguous_range<T> && std::integral<std::ranges::range_value_t<T>> &&
                       !std::is_convertible_v<const T&, std::string_view>);

/// Y where it is a matrix of numbers, else a matrix that passes every check of one.
template <class Scalar, class Y>
using NumbersOr = std::conditional_t<EigenDense<Y> && !LabelVector<Y>, Y, Matrix<Scalar>>;

/// Whether Y is a type of targets: numbers, labels, or one of them with weights. Where not, a sentence says what to do. Public functions
/// call it first, because compilers list every call between theirs and a failed static_assert.
template <class Y>
constexpr bool checked_targets() {
  static_assert(!is_from_outside<Y>,
                "chainrule: from_outside(dJ_dy) is a gradient and no target, so it goes to backward and descend only; loss, evaluate, "
                "weighted and data sets need the targets y themselves");
  constexpr bool is_target = is_from_outside<Y> || LabelVector<Y> || EigenDense<Y> || requires(const Y& y) { y.weights; };
  static_assert(
      is_target,
      "chainrule: y must be an Eigen matrix (outputs x batch), or a vector of integer class labels; a matrix can view other memory: "
      "Eigen::Map<const Eigen::MatrixXf> y(v.data(), outputs, samples);");
  if constexpr (LabelVector<Y> && EigenDense<Y>) {
    constexpr bool is_vector = Y::IsVectorAtCompileTime && bool(Y::Flags & Eigen::DirectAccessBit) && Y::InnerStrideAtCompileTime == 1;
    static_assert(is_vector,
                  "chainrule: integer labels must be one contiguous vector, a label for each sample; a matrix of integers becomes one of "
                  "numbers: auto y = m.cast<float>().eval();");
    return is_vector;
  } else {
    return is_target && !is_from_outside<Y>;
  }
}

/// Whether Y is what backward takes: targets, as for checked_targets, or a gradient from outside.
template <class Y>
constexpr bool checked_targets_or_gradient() {
  if constexpr (is_from_outside<Y>)
    return true;
  else
    return checked_targets<Y>();
}

/// A view on targets of the user's, without a copy: Labels for integers, ConstMatrixView for an Eigen matrix.
template <class Scalar, class Y>
auto target_view(const Y& y) {
  if constexpr (!checked_targets<Y>()) {
    return ConstMatrixView<Scalar>{nullptr, 0, 0, Eigen::OuterStride<>(0)};
  } else if constexpr (!LabelVector<Y>) {
    return const_view<Scalar>(y);
  } else if constexpr (EigenDense<Y>) {
    return Labels<typename Y::Scalar>(y.data(), static_cast<std::size_t>(y.size()));
  } else {
    return Labels<std::ranges::range_value_t<Y>>(std::ranges::data(y), std::ranges::size(y));
  }
}

/// The labels of samples first, ..., first + count - 1, as a view; the counterpart for labels of columns_of for a matrix.
template <class Label>
std::span<const Label> columns_of(std::span<const Label> y, Index first, Index count) {
  return y.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
}

/// The number of rows of a loss's targets, given the network's number of outputs: the same, unless the loss has its own
/// target_rows(outputs). Dynamic where `outputs` is Dynamic, and where only an object of the loss knows it.
template <class LossType>
constexpr Index target_rows(Index outputs) {
  if constexpr (requires { LossType::target_rows(outputs); })
    return outputs == Dynamic ? Dynamic : LossType::target_rows(outputs);
  else if constexpr (requires(const LossType& loss) { loss.target_rows(outputs); })
    return Dynamic;
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
