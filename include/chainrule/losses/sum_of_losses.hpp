#pragma once

#include <algorithm>
#include <array>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/description.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/targets.hpp>
#include <string_view>
#include <tuple>
#include <vector>

namespace chainrule {
namespace detail {

/// Whether a loss takes targets of this type.
template <class L, class Scalar, class Target>
concept TakesTarget = requires(const L& loss, ConstMatrixView<Scalar> y_hat, const Target& y) {
  loss.check(y_hat, y);
};

/// Facts that the types of added losses say. The losses are in a tuple here, and in a vector where their number is known at run time.
template <class... L>
struct LossList {
  using Type = std::tuple<L...>;
  using Weights = std::array<double, sizeof...(L)>;
  static constexpr bool are_losses = (Loss<L> && ...);
  static constexpr bool work_on_logits = (L::works_on_logits || ...);
  static constexpr bool have_same_link = (!L::works_on_logits && ...) || [] {
    constexpr std::array<std::string_view, sizeof...(L)> names{(L::works_on_logits ? link_name_of_type<L>() : "")...};
    return std::all_of(names.begin(), names.end(), [&](std::string_view one) { return !one.empty() && one == names[0]; });
  }();
  static constexpr bool knows_target_rows = ((target_rows<L>(Index{12}) != Dynamic) && ...);
  static constexpr Index min_outputs = (std::max)({Index{L::min_outputs}...});
  static constexpr bool have_gradient_jvp = (TwiceDifferentiableLoss<L> && ...);
  static constexpr bool have_link_jvp = (DifferentiableLink<L> && ...);
  template <class Scalar, class Target>
  static constexpr bool take = (TakesTarget<L, Scalar, Target> && ...);
};
template <class L>
struct LossList<std::vector<L>> : LossList<L> {
  using Type = std::vector<L>;
  using Weights = std::vector<double>;
  static constexpr bool knows_target_rows = false;
  // whether the links are the same is checked when the loss is made
  static constexpr bool have_same_link = !L::works_on_logits || LossList<L>::have_same_link;
};

}  // namespace detail

/// A loss that is a weighted sum of losses of the same outputs and targets, such as a squared error with a share of absolute error,
///
///     J = sum over losses k of  weight_k J_k(y_hat, y)
///
/// All of them make the same prediction of the outputs: either none works on logits, or all have the same link, as SoftmaxCrossEntropy and
/// KLDivergence have. Targets are those that each loss takes.
/// @code{.cpp}
/// using Errors = SumOfLosses<MeanSquaredError, MeanAbsoluteError>;
/// Network<float, Errors, Dense<8, 32, ReLU>, Dense<32, 1>> net{Seed{42}, {{0.9, 0.1}}};
/// @endcode
/// A std::vector of losses of one type is for numbers of losses known at run time: SumOfLosses<std::vector<AnyLoss<float>>>. A
/// ClassWeighted inside divides by the batch alone: its m is 1.
template <class... L>
class SumOfLosses {
  static_assert(sizeof...(L) > 0, "chainrule: SumOfLosses<Losses...> needs at least one loss");
  using List = detail::LossList<L...>;
  static_assert(List::are_losses, "chainrule: SumOfLosses<Losses...>: each argument must be a loss, such as SquaredError");
  static_assert(
      List::have_same_link,
      "chainrule: SumOfLosses<Losses...>: all losses must make the same prediction of the outputs, so either none of them works on "
      "logits, or all have the same link_name, as SoftmaxCrossEntropy and KLDivergence have; losses of different outputs go into "
      "Heads");

 public:
  static constexpr std::string_view name = "SumOfLosses";        ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = List::work_on_logits;  ///< whether the losses take raw outputs
  static constexpr Index min_outputs = List::min_outputs;        ///< the smallest number of outputs that a network with this loss can have

  /// Losses of weight 1, as their types make them.
  SumOfLosses() requires(std::is_same_v<typename List::Type, std::tuple<L...>>) : losses_(L{}...) { weights_.fill(1); }
  /// Takes a weight for each loss, such as {0.9, 0.1}. Throws ValueError unless each is finite and at least 0.
  SumOfLosses(const typename List::Weights& weights) requires(std::is_same_v<typename List::Type, std::tuple<L...>>)
      : SumOfLosses(weights, L{}...) {}
  /// Takes a weight for each loss, and the losses. Throws ValueError for a weight that is negative or not finite, and for losses of
  /// different links or another number of weights where only the run-time values tell.
  SumOfLosses(const typename List::Weights& weights, const L&... loss) : losses_(loss...), weights_(weights) {
    if (detail::size_of(losses_) == 0 || detail::size_of(losses_) != weights_.size())
      detail::raise<ValueError>("SumOfLosses: expected a weight for each of one loss or more, but there are ", weights_.size(),
                                " weights for ", std::size_t{detail::size_of(losses_)}, " losses");
    const std::string_view link = link_name();
    for_each_loss([&](const auto& one, double weight) {
      detail::check_not_negative(name, "weight", weight);
      if (link.empty() || detail::link_name(one) != link)
        detail::raise<ValueError>("SumOfLosses: ", detail::element(losses_, detail::Constant<0>{}).name, " and ", one.name,
                                  " make different predictions of the outputs, or do not say that they make the same");
    });
  }

  /// Copies the losses, also from an object that is moved from, which stays whole.
  SumOfLosses(const SumOfLosses&) = default;
  /// Copies the losses, also from an object that is moved from, which stays whole.
  SumOfLosses& operator=(const SumOfLosses&) = default;

  /// The losses: a std::tuple, or a std::vector.
  const typename List::Type& losses() const { return losses_; }
  /// One weight for each loss.
  const typename List::Weights& weights() const { return weights_; }

  /// Whether the losses take raw outputs, which their types do not say for an AnyLoss.
  bool on_logits() const { return detail::works_on_logits(first_loss()); }
  /// The name of the link of the losses.
  std::string_view link_name() const { return detail::link_name(first_loss()); }
  /// Whether all losses can differentiate their gradient.
  bool has_gradient_jvp() const {
    bool all = true;
    for_each_loss([&](const auto& loss, double) { all = all && detail::has_gradient_jvp(loss); });
    return all;
  }
  /// Whether the link can be differentiated.
  bool has_link_jvp() const { return detail::has_link_jvp(first_loss()); }
  /// Throws ShapeError unless a network with this number of outputs can have each of the losses, with targets of the same number of rows.
  /// `who` begins the message.
  void check_outputs(const char* who, Index outputs) const {
    for_each_loss([&](const auto& loss, double) {
      detail::check_outputs(who, loss, outputs);
      if (detail::target_rows(loss, outputs) != detail::target_rows(first_loss(), outputs))
        detail::raise<ShapeError>(who, ": ", first_loss().name, " and ", loss.name, ", which are added, need targets of different shapes");
    });
  }

  /// The number of rows of y for a network with this number of outputs.
  Index target_rows(Index outputs) const requires(!List::knows_target_rows) { return detail::target_rows(first_loss(), outputs); }
  /// The number of rows of y for a network with this number of outputs.
  static constexpr Index target_rows(Index outputs) requires(List::knows_target_rows) {
    return detail::target_rows<std::tuple_element_t<0, std::tuple<L...>>>(outputs);
  }

  /// Describes the weights as hyperparameters and the losses as parts.
  Description describe() const {
    Description d;
    d.kind = name;
    for_each_loss([&](const auto& loss, double weight) {
      d.hyperparameters.emplace_back("weight", weight);
      d.parts.push_back(chainrule::describe(loss));
    });
    return d;
  }

  /// Throws what a loss throws for y.
  template <class Scalar, class Target>
  requires(List::template take<Scalar, Target>) void check(ConstMatrixView<Scalar> y_hat, const Target& y) const {
    check_outputs("target", y_hat.rows());
    for_each_loss([&](const auto& loss, double weight) {
      detail::check_not_negative<Scalar>(name, "weight", weight);
      loss.check(y_hat, y);
    });
  }

  ///     J = sum weight_k J_k
  template <class Scalar, class Target>
  Scalar value(ConstMatrixView<Scalar> y_hat, const Target& y) const {
    using Sum = detail::Accumulator<Scalar>;
    Sum J = 0;
    for_each_loss([&](const auto& loss, double weight) {
      if (weight != 0) J += detail::rounded(static_cast<Sum>(weight) * static_cast<Sum>(loss.value(y_hat, y)));
    });
    return static_cast<Scalar>(J);
  }

  ///     dJ/dy_hat = sum weight_k dJ_k/dy_hat
  template <class Scalar, class Target>
  void gradient(ConstMatrixView<Scalar> y_hat, const Target& y, MatrixView<Scalar> dJ) const {
    add_up(dJ, [&](const auto& loss, Index first, Index count, MatrixView<Scalar> part) {
      loss.gradient(detail::columns_of(y_hat, first, count), detail::columns_of(y, first, count), part);
    });
  }

  /// Sets `out` to the derivative of the gradient along a direction, if each loss has a gradient_jvp.
  template <class Scalar, class Target>
  requires(List::have_gradient_jvp) void gradient_jvp(ConstMatrixView<Scalar> y_hat, const Target& y, ConstMatrixView<Scalar> direction,
                                                      MatrixView<Scalar> out) const {
    add_up(out, [&](const auto& loss, Index first, Index count, MatrixView<Scalar> part) {
      loss.gradient_jvp(detail::columns_of(y_hat, first, count), detail::columns_of(y, first, count),
                        detail::columns_of(direction, first, count), part);
    });
  }

  /// Applies the link that the losses share, in place.
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    first_loss().link(z);
  }
  /// Multiplies a tangent by the Jacobian of the link, in place, if it can be differentiated.
  template <class Scalar>
  requires(List::have_link_jvp) void link_jvp(ConstMatrixView<Scalar> prediction, MatrixView<Scalar> tangent) const {
    first_loss().link_jvp(prediction, tangent);
  }

  /// Does not compile for matrices that are not views; the message says what to write instead.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void link(detail::LossArgument z) const;

 private:
  const auto& first_loss() const { return detail::element(losses_, detail::Constant<0>{}); }

  template <class F>
  void for_each_loss(const F& f) const {
    detail::for_each_index(losses_, [&](auto k) { f(detail::element(losses_, k), weights_[k]); });
  }

  // Sets `sum` to the weighted sum of what write(loss, first, count, part) writes for each loss: that of the first loss for all samples at
  // once, that of the others into a piece of memory on the stack, for 2^k samples at a time. A loss divides by their number, which is
  // exact, so the result for a sample does not depend on its place in the batch.
  template <class Scalar, class Write>
  void add_up(MatrixView<Scalar> sum, const Write& write) const {
    const Index samples = sum.cols();
    detail::for_each_index(losses_, [&](auto k) {
      const auto& loss = detail::element(losses_, k);
      const double weight = weights_[k];
      if (k == 0) {
        write(loss, 0, samples, sum);
        if (weight == 0) sum.setZero();
        if (weight != 1 && weight != 0) sum *= static_cast<Scalar>(weight);
        return;
      }
      if (weight == 0) return;
      with_scratch<Scalar>(sum.rows(), [&](Scalar* scratch, Index columns) {
        for (Index first = 0, count = columns; first < samples; first += count) {
          while (count > samples - first) count /= 2;
          MatrixView<Scalar> part = detail::matrix_view(scratch, sum.rows(), count);
          write(loss, first, count, part);
          part *= static_cast<Scalar>(weight * static_cast<double>(count) / static_cast<double>(samples));
          detail::columns_of(sum, first, count) += part;
        }
      });
    });
  }
  // Calls f(memory, columns) with memory for 2^k columns of this many rows. A column that is longer than most is in memory that the thread
  // keeps, so that only its first step allocates.
  template <class Scalar, class F>
  static void with_scratch(Index rows, const F& f) {
    constexpr Index most = 2048 / Index{sizeof(Scalar)};
    if (rows > most) {
      static thread_local std::vector<Scalar> column;
      if (static_cast<Index>(column.size()) < rows) column.resize(static_cast<std::size_t>(rows));
      return f(column.data(), 1);
    }
    Scalar numbers[most];
    Index columns = 1;
    while (2 * columns * rows <= most) columns *= 2;
    f(numbers, columns);
  }

  typename List::Type losses_;
  typename List::Weights weights_;
};

}  // namespace chainrule
