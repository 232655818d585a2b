#pragma once
// Checks of the x, y and workspace that a network's pass is called with, made before anything is written.

#include <chainrule/core/detail/chain.hpp>
#include <chainrule/core/detail/inline_for_speed.hpp>
#include <chainrule/core/detail/overlap.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/network_base.hpp>
#include <chainrule/core/weighting.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/kernels/small_layer.hpp>

namespace chainrule::detail {

/// Whether a T can have `Rows` rows. Where not, a sentence says so.
template <Index Rows, class T>
constexpr bool checked_rows() {
  constexpr Index rows = T::RowsAtCompileTime;  // an enumerator, which g++ warns about comparing with 784
  constexpr bool as_many_rows = Rows == Dynamic || rows == Dynamic || Rows == rows;
  static_assert(as_many_rows,
                "chainrule: x must have as many rows as the network has inputs, and y as it has outputs; one column is one sample; class "
                "labels are integers: Eigen::VectorXi labels = y.reshaped().cast<int>();");
  return as_many_rows;
}

/// Returns a view on x after checking that it has a row for each input, at least one sample, only finite numbers, and in rows of categories
/// only numbers of these. A team, if there is one, shares the work of looking at the numbers.
template <class Scalar, class Sequence, class X>
ConstMatrixView<Scalar> checked_input(const char* who, const Sequence& sequence, const Eigen::DenseBase<X>& x, Team* team = nullptr) {
  constexpr int In = Sequence::inputs_at_compile_time;
  const ConstMatrixView<Scalar> input = const_view<Scalar>(x);
  check_rows(who, "x", input.rows(), sequence.inputs(), "inputs");
  check_batch(who, input.cols());
  constexpr bool is_small = In != Dynamic && In <= kernels::max_small_extent;
  if (is_small || team == nullptr)
    check_finite(who, "x", input);
  else
    check_finite(who, "x", input, *team);
  check_categories(who, sequence.category_rows(), input);
  return input;
}

/// Whether the range of bytes from `begin` to `end` overlaps with what one of the caches has on the heap: the outputs of layers, also of
/// those inside a layer, and their deltas. (Takes numbers, so that callers keep them in registers: a Memory on the stack would be written
/// in parts and read as a whole, which waits a dozen cycles for the parts.)
template <class Caches>
bool lies_in_caches(std::intptr_t begin, std::intptr_t end, const Caches& caches, Index max_batch) {
  if (begin == end) return false;
  bool lies_in = false;
  const auto look = [&](const auto& storage) {
    constexpr bool is_inside_object = requires { requires std::remove_cvref_t<decltype(storage)>::is_inside_object; };
    if constexpr (!is_inside_object) {
      const auto sample = storage.first(Index{1});
      const Memory numbers = memory_of(sample.data(), sample.outerStride() * (max_batch - 1) + sample.rows());
      lies_in = lies_in || (begin < numbers.begin + numbers.bytes && numbers.begin < end);
    }
  };
  for_each_index(caches, [&](auto i) {
    const auto& cache = element(caches, i);
    look(cache.output);
    if constexpr (requires {
                    cache.caches;
                    cache.deltas;
                  }) {
      lies_in = lies_in || lies_in_caches(begin, end, cache.caches, max_batch);
      for_each_index(cache.deltas, [&](auto k) { look(element(cache.deltas, k)); });
    }
  });
  return lies_in;
}

/// Throws ValueError where the argument `name` lies in a workspace: inside the object, or in what its caches have on the heap.
template <class Work>
[[gnu::always_inline]] inline void check_outside_workspace(const char* who, const char* name, Memory argument, const Work& work) {
  if (overlap(argument, memory_of(&work, 1)) ||
      lies_in_caches(argument.begin, argument.begin + argument.span(), work.caches(), work.max_batch()))
    lies_in_workspace(who, name);
}
/// Throws ValueError where targets, their weights if they have any, or a gradient from outside lie in a workspace.
template <class Y, class Work>
[[gnu::always_inline]] inline void check_targets_outside_workspace(const char* who, const Y& y, const Work& work) {
  if constexpr (requires { y.weights; }) {
    check_outside_workspace(who, "the weights of y", memory_of(y.weights), work);
    check_outside_workspace(who, "y", memory_of(y.targets), work);
  } else if constexpr (is_from_outside<Y>) {
    check_outside_workspace(who, "dJ/dy_hat", memory_of(y.output_gradient), work);
  } else {
    check_outside_workspace(who, "y", memory_of(y), work);
  }
}

/// Throws ValueError where `output`, which the call writes to, shares memory with x, with the targets y or their weights, or with a
/// gradient from outside in their place.
template <class X, class Y>
[[gnu::always_inline]] inline void check_no_overlap_of_data(const char* who, const X& x, const Y& y, const char* output, Memory written) {
  check_no_overlap(who, "x", memory_of(x), output, written);
  if constexpr (requires { y.weights; }) {
    check_no_overlap(who, "the weights of y", memory_of(y.weights), output, written);
    check_no_overlap(who, "y", memory_of(y.targets), output, written);
  } else if constexpr (is_from_outside<Y>) {
    check_no_overlap(who, "dJ/dy_hat", memory_of(y.output_gradient), output, written);
  } else {
    check_no_overlap(who, "y", memory_of(y), output, written);
  }
}

/// Returns a view on x after the checks above, and after checking that the workspace was made for this network, is large enough for x, and
/// is not where x lies.
template <class Scalar, class Sequence, class X, class Work>
ConstMatrixView<Scalar> checked_input(const char* who, const Sequence& sequence, const Eigen::DenseBase<X>& x, const Work& work,
                                      Team* team) {
  check_capacity(who, x.cols(), work.max_batch());
  check_workspace(who, sequence.layers(), work);
  const auto input = checked_input<Scalar>(who, sequence, x, team);
  check_outside_workspace(who, "x", memory_of(x.derived()), work);
  return input;
}

/// Whether a loss takes integer class labels as targets.
template <class Scalar, class LossType>
bool takes_labels(const LossType& loss) {
  if constexpr (requires { loss.takes_labels(); })
    return loss.takes_labels();
  else
    return requires(ConstMatrixView<Scalar> y_hat, Labels<int> y) { loss.check(y_hat, y); };
}

/// Throws ShapeError, which says how to pass them, for targets that are a row or a column with one number for each sample where the loss
/// takes something else: class labels as floating-point numbers, or the targets of one output as a column.
template <class Scalar>
[[gnu::noinline, gnu::cold]] void check_not_one_for_each(const char* who, const ConstMatrixView<Scalar>& y, Index rows, Index samples,
                                                         bool takes_labels) {
  const bool is_row = y.rows() == 1 && y.cols() == samples;
  const bool is_column = samples > 1 && y.cols() == 1 && y.rows() == samples;
  if (rows > 1 && takes_labels && (is_row || is_column))
    raise<ShapeError>(who, ": y is ", y.rows(), " x ", y.cols(), ", but it must be ", rows, " x ", samples,
                      " (one column is one sample), or integer labels; labels that are floating-point numbers are converted once: "
                      "Eigen::VectorXi labels = y.reshaped().cast<int>();");
  if (rows == 1 && is_column)
    raise<ShapeError>(who, ": y is a column of ", y.rows(), " numbers, but one column is one sample; pass a row: y.transpose().eval()");
}

/// Returns a view on y after checking that it has as many samples as y_hat, whose number comes from `of` in messages, and is a target of
/// the loss.
template <class Scalar, class LossType, class Sequence, class Y>
CHAINRULE_INLINE_FOR_SPEED inline auto checked_target(const char* who, const LossType& loss, const Y& y,
                                                      const ConstMatrixView<Scalar>& y_hat, const char* of) {
  const auto target = target_view<Scalar>(y);
  const auto& plain = without_weights(target);
  constexpr bool is_matrix = std::is_same_v<std::remove_cvref_t<decltype(plain)>, ConstMatrixView<Scalar>>;
  const Index rows = target_rows(loss, y_hat.rows());
  if constexpr (is_matrix)
    if (plain.rows() != rows || plain.cols() != y_hat.cols())
      check_not_one_for_each(who, plain, rows, y_hat.cols(), takes_labels<Scalar>(loss));
  check_samples(who, "y", samples_of(plain), y_hat.cols(), of);
  check_weights(target);
  if constexpr (is_matrix) check_rows(who, "y", plain.rows(), rows, rows == y_hat.rows() ? "outputs" : "targets");
  constexpr bool takes_this = requires { loss.check(y_hat, plain); };
  static_assert(
      takes_this,
      "chainrule: this loss takes targets as a matrix (outputs x batch); integer class labels go with SoftmaxCrossEntropy, or with "
      "BinaryCrossEntropy for one output");
  if constexpr (takes_this) loss.check(y_hat, plain);
  return target;
}

/// Throws unless the workspace holds a forward pass of the network of these layers.
template <class Scalar, class Layers, class Work>
CHAINRULE_INLINE_FOR_SPEED inline void check_forward_pass(const char* who, const Layers& layers, const NetworkIdentity<Scalar>& network,
                                                          const Work& work) {
  if (work.cached_samples() < 1) check_not_moved_from(who, work.max_batch());
  check_workspace(who, layers, work);
  check_forward_ran(who, work.cached_samples());
  if (!work.was_forward_of(network)) forward_of_other_network(who);
}

/// Returns a view on y after checking that it is a target for `samples` samples, whose number comes from `of` in messages, and that it is
/// not in the workspace.
template <class Scalar, class Sequence, class LossType, class Y, class Work>
CHAINRULE_INLINE_FOR_SPEED inline auto checked_target(const char* who, const LossType& loss, const Y& y, const Work& work, Index samples,
                                                      const char* of) {
  check_targets_outside_workspace(who, y, work);
  return checked_target<Scalar, LossType, Sequence>(who, loss, y, last_of(work.caches()).output.first(samples), of);
}

/// Returns a view on y after checking it against the last forward pass in the workspace.
template <class Scalar, class Sequence, class LossType, class Y, class Work>
CHAINRULE_INLINE_FOR_SPEED inline auto checked_target(const char* who, const Sequence& sequence, const NetworkIdentity<Scalar>& network,
                                                      const LossType& loss, const Y& y, const Work& work) {
  check_forward_pass(who, sequence.layers(), network, work);
  return checked_target<Scalar, Sequence>(who, loss, y, work, work.cached_samples(), "the last forward(x, work)");
}

/// Returns what a backward pass takes dJ/dy_hat from, after checking it against the last forward pass in the workspace: a view on the
/// targets of the loss, or on the gradient from outside.
template <class Scalar, class Sequence, class LossType, class Y, class Work>
CHAINRULE_INLINE_FOR_SPEED inline auto checked_gradient_source(const char* who, const Sequence& sequence, const LossType& loss, const Y& y,
                                                               const Work& work) {
  constexpr const char* of = "the last forward(x, work)";
  if constexpr (is_from_outside<Y>) {
    const ConstMatrixView<Scalar> gradient = const_view<Scalar>(y.output_gradient);
    check_outside_workspace(who, "dJ/dy_hat", memory_of(gradient), work);
    check_rows(who, "dJ/dy_hat", gradient.rows(), sequence.outputs(), "outputs");
    check_samples(who, "dJ/dy_hat", gradient.cols(), work.cached_samples(), of);
    if (!all_finite(gradient)) not_finite(who, "dJ/dy_hat", gradient, "find out why in the code that computes it");
    return gradient;
  } else {
    return checked_target<Scalar, Sequence>(who, loss, y, work, work.cached_samples(), of);
  }
}

}  // namespace chainrule::detail
