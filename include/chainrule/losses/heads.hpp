#pragma once

#include <chainrule/core/concepts.hpp>
#include <chainrule/core/description.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/targets.hpp>
#include <cmath>
#include <string_view>
#include <tuple>
#include <vector>

namespace chainrule {
namespace detail {

/// The name of a Head, whatever its loss is.
inline constexpr std::string_view head_name = "Head";

}  // namespace detail

/// One part of the outputs of a network with its own loss, for Heads: Head<SoftmaxCrossEntropy, 3> for three outputs, or
/// Head<SoftmaxCrossEntropy>{3} for a number that is known when the program runs. Its weight multiplies the loss.
template <class L, int Outputs = Dynamic>
class Head {
  static_assert(Loss<L>, "chainrule: Head<Loss, Outputs>: the first argument must be a loss, such as SquaredError");
  static_assert(Outputs == Dynamic || Outputs >= L::min_outputs,
                "chainrule: Head<Loss, Outputs>: this loss needs more outputs; SoftmaxCrossEntropy needs at least two, and for a yes or no "
                "with one output there is BinaryCrossEntropy");
  static_assert(Outputs == Dynamic || detail::loss_outputs<L>() == Dynamic || Outputs == detail::loss_outputs<L>(),
                "chainrule: Head<Heads<...>, Outputs> needs as many outputs as the heads inside have together");

 public:
  using LossType = L;                                          ///< the type of the loss
  static constexpr std::string_view name = detail::head_name;  ///< the name in descriptions, files and messages
  static constexpr int outputs_at_compile_time = Outputs;      ///< the number of outputs, or Dynamic

  /// A head with as many outputs as its type says. Throws ValueError unless the weight is finite and at least 0.
  Head(double weight = 1, const L& loss = L{}) requires(Outputs != Dynamic) : Head(Outputs, weight, loss, 0) {}
  /// A head with this number of outputs. Throws ValueError unless the weight is finite and at least 0, ShapeError where the loss needs
  /// another number of outputs.
  Head(Index outputs, double weight = 1, const L& loss = L{}) requires(Outputs == Dynamic) : Head(outputs, weight, loss, 0) {}

  Index outputs() const { return outputs_.value(); }  ///< the number of outputs
  /// The number of rows of the targets.
  Index target_rows() const { return detail::target_rows(loss_, outputs()); }
  double weight() const { return weight_; }  ///< the factor of the loss in J
  const L& loss() const { return loss_; }    ///< the loss of these outputs

  /// The weight with its name.
  auto hyperparameters() const { return std::tuple{Hyperparameter{"weight", weight_}}; }
  /// Describes outputs and weight as hyperparameters and the loss as the only part.
  Description describe() const {
    return {std::string(name), 0, 0, {{"outputs", static_cast<double>(outputs())}, {"weight", weight_}}, {chainrule::describe(loss_)}};
  }

 private:
  Head(Index outputs, double weight, const L& loss, int) : outputs_{outputs}, weight_{weight}, loss_{loss} {
    detail::check_not_negative(name, "weight", weight);
    detail::check_outputs("Head", loss, outputs);
  }

  [[no_unique_address]] detail::Extent<Outputs> outputs_;
  double weight_;
  [[no_unique_address]] L loss_;
};

namespace detail {

/// Facts that the types of heads say. The heads are in a tuple here, and in a vector where their number is known at run time.
template <class... H>
struct HeadList {
  using Type = std::tuple<H...>;
  static constexpr bool are_heads = (requires { typename H::LossType; } && ...);
  static constexpr bool have_fixed_outputs = ((H::outputs_at_compile_time != Dynamic) && ...);
  static constexpr int outputs_at_compile_time = [] {
    Index sum = 0;
    ((sum = extent_sum(sum, H::outputs_at_compile_time)), ...);
    return static_cast<int>(sum);
  }();
  static constexpr Index min_outputs = (H::LossType::min_outputs + ... + 0);
  static constexpr bool works_on_logits = (H::LossType::works_on_logits || ...);
  static constexpr bool have_gradient_jvp = (TwiceDifferentiableLoss<typename H::LossType> && ...);
  static constexpr bool have_link_jvp = (DifferentiableLink<typename H::LossType> && ...);
  template <class Scalar>
  static constexpr bool have_residuals = (HasResiduals<typename H::LossType, Scalar> && ...);
};
template <class L, int Outputs>
struct HeadList<std::vector<Head<L, Outputs>>> : HeadList<Head<L, Outputs>> {
  using Type = std::vector<Head<L, Outputs>>;
  static constexpr bool have_fixed_outputs = false;
  static constexpr int outputs_at_compile_time = Dynamic;
};

/// Calls f, and puts the number of the head before the message of an error that its loss throws. Rows in such a message are counted from
/// the first row of the head.
template <class F>
void in_head(std::size_t head, const F& f) {
#if defined(__cpp_exceptions)
  try {
    f();
  } catch (const ShapeError& error) {
    raise<ShapeError>("head ", head, ": ", error.what());
  } catch (const ValueError& error) {
    raise<ValueError>("head ", head, ": ", error.what());
  }
#else
  static_cast<void>(head);
  f();
#endif
}

}  // namespace detail

/// A loss for a network of several heads: each takes some of the outputs, in order, and has a loss of its own (multi-task learning, Caruana
/// 1997; several outputs with loss_weights in Keras),
///
///     J = sum over heads k of  weight_k J_k(y_hat_k, y_k)
///
/// y_hat_k and y_k are blocks of rows of the outputs and of the targets, one below the other. Targets that are classes are given as
/// probabilities, which one_hot makes. The prediction is that of each head: probabilities where it is a SoftmaxCrossEntropy, values where
/// it is a Huber. The layer before has no activation if a head works on logits; heads that need different ones are branches of a Parallel.
/// @code{.cpp}
/// using TwoHeads = Heads<Head<SoftmaxCrossEntropy, 3>, Head<Huber, 1>>;
/// Network<float, TwoHeads, Dense<8, 32, ReLU>, Dense<32, 4>> net{Seed{42}, {1, {0.5, Huber{.delta = 2}}}};  // weights 1 and 0.5
/// @endcode
/// A metric of one head takes its rows: Metric{"accuracy", [](const auto& y_hat, const auto& y) { return accuracy(y_hat.topRows(3),
/// y.topRows(3)); }}. A std::vector of heads of one type is for numbers of heads known at run time:
/// Heads<std::vector<Head<AnyLoss<float>>>>. Sample weights multiply the whole J of a sample. A ClassWeighted inside a head divides by the
/// batch alone: its m is 1.
template <class... H>
class Heads {
  static_assert(sizeof...(H) > 0, "chainrule: Heads<Head<Loss, Outputs>...> needs at least one head");
  using List = detail::HeadList<H...>;
  static_assert(List::are_heads, "chainrule: Heads<...>: each argument must be a Head<Loss, Outputs>");

 public:
  static constexpr std::string_view name = "Heads";                              ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = List::works_on_logits;                 ///< whether a head takes raw outputs
  static constexpr Index min_outputs = List::min_outputs;                        ///< no network with this loss has fewer outputs
  static constexpr int outputs_at_compile_time = List::outputs_at_compile_time;  ///< the outputs of all heads together, or Dynamic

  /// Heads of weight 1 with losses as their types make them, if their numbers of outputs are part of their types.
  Heads() requires(List::have_fixed_outputs) : heads_(H{}...) {}
  /// Takes the heads in the order of their rows. Throws ShapeError for a vector without heads.
  explicit(sizeof...(H) == 1) Heads(H... head) : heads_(std::move(head)...) {
    if (detail::size_of(heads_) == 0) detail::raise<ShapeError>("Heads: it needs at least one head");
  }

  /// Copies the heads, also from an object that is moved from, which stays whole.
  Heads(const Heads&) = default;
  /// Copies the heads, also from an object that is moved from, which stays whole.
  Heads& operator=(const Heads&) = default;

  /// The heads, in the order of their rows: a std::tuple, or a std::vector.
  const typename List::Type& heads() const { return heads_; }
  /// The heads, for code that visits the losses inside any loss.
  const typename List::Type& losses() const { return heads_; }
  /// The number of outputs of all heads together.
  Index outputs() const {
    Index sum = 0;
    detail::for_each_layer(heads_, [&](const auto& head) { sum += head.outputs(); });
    return sum;
  }
  /// The number of rows of y of all heads together.
  Index target_rows(Index) const requires(!List::have_fixed_outputs) { return rows_of_targets(); }
  /// The number of rows of y of all heads together.
  static constexpr Index target_rows(Index) requires(List::have_fixed_outputs) {
    return (detail::target_rows<typename H::LossType>(H::outputs_at_compile_time) + ... + 0);
  }

  /// Whether a head takes raw outputs, which its type does not say for an AnyLoss.
  bool on_logits() const {
    return any([](const auto& head) { return detail::works_on_logits(head.loss()); });
  }
  /// Whether all losses can differentiate their gradient.
  bool has_gradient_jvp() const {
    return !any([](const auto& head) { return !detail::has_gradient_jvp(head.loss()); });
  }
  /// Whether all links can be differentiated.
  bool has_link_jvp() const {
    return !any([](const auto& head) { return !detail::has_link_jvp(head.loss()); });
  }
  /// Throws ShapeError unless a network has as many outputs as the heads have together. `who` begins the message.
  void check_outputs(const char* who, Index outputs) const {
    if (outputs != this->outputs())
      detail::raise<ShapeError>(who, ": the heads have ", this->outputs(), " outputs together, but the last layer has ", outputs);
  }

  /// Describes the heads as parts.
  Description describe() const {
    Description d;
    d.kind = name;
    detail::for_each_layer(heads_, [&](const auto& head) { d.parts.push_back(head.describe()); });
    return d;
  }

  /// Throws what the loss of a head throws for its rows of y, with the number of the head.
  template <class Scalar>
  void check(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    check_outputs("target", y_hat.rows());
    std::size_t number = 0;
    for_each_head([&](const auto& head, Index first, Index first_target) {
      detail::check_not_negative<Scalar>(head.name, "weight", head.weight());
      detail::in_head(number++, [&] { head.loss().check(outputs_of(head, y_hat, first), targets_of(head, y, first_target)); });
    });
  }

  ///     J = sum weight_k J_k
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    using Sum = detail::Accumulator<Scalar>;
    Sum J = 0;
    for_each_head([&](const auto& head, Index first, Index first_target) {
      if (head.weight() == 0) return;
      const Scalar of_head = head.loss().value(outputs_of(head, y_hat, first), targets_of(head, y, first_target));
      J += detail::rounded(static_cast<Sum>(head.weight()) * static_cast<Sum>(of_head));
    });
    return static_cast<Scalar>(J);
  }

  ///     dJ/dy_hat_k = weight_k dJ_k/dy_hat_k        (outputs of head k x batch)
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    for_each_head([&](const auto& head, Index first, Index first_target) {
      MatrixView<Scalar> part = outputs_of(head, dJ, first);
      head.loss().gradient(outputs_of(head, y_hat, first), targets_of(head, y, first_target), part);
      weigh(part, head.weight());
    });
  }

  /// Sets `out` to the derivative of the gradient along a direction, if each loss has a gradient_jvp.
  template <class Scalar>
  requires(List::have_gradient_jvp) void gradient_jvp(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y,
                                                      ConstMatrixView<Scalar> direction, MatrixView<Scalar> out) const {
    for_each_head([&](const auto& head, Index first, Index first_target) {
      MatrixView<Scalar> part = outputs_of(head, out, first);
      head.loss().gradient_jvp(outputs_of(head, y_hat, first), targets_of(head, y, first_target), outputs_of(head, direction, first), part);
      weigh(part, head.weight());
    });
  }

  /// Applies the link of each head to its rows, in place.
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    for_each_head([&](const auto& head, Index first, Index) { head.loss().link(outputs_of(head, z, first)); });
  }
  /// Multiplies the rows of each head in a tangent by the Jacobian of its link, in place, if each link can be differentiated.
  template <class Scalar>
  requires(List::have_link_jvp) void link_jvp(ConstMatrixView<Scalar> prediction, MatrixView<Scalar> tangent) const {
    for_each_head([&](const auto& head, Index first, Index) {
      head.loss().link_jvp(outputs_of(head, prediction, first), outputs_of(head, tangent, first));
    });
  }

  /// Whether the loss of each head is a sum of squares, which its type does not say for an AnyLoss.
  bool has_residuals() const requires(List::template have_residuals<float>) {
    return !any([](const auto& head) {
      if constexpr (requires { head.loss().has_residuals(); }) return !head.loss().has_residuals();
      return false;
    });
  }
  /// The residuals of each head times the root of its weight, and their derivatives, if each loss is a sum of squares.
  template <class Scalar>
  requires(List::template have_residuals<Scalar>) void residuals(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y,
                                                                 MatrixView<Scalar> r, MatrixView<Scalar> slopes) const {
    for_each_head([&](const auto& head, Index first, Index first_target) {
      MatrixView<Scalar> r_part = outputs_of(head, r, first), slope_part = outputs_of(head, slopes, first);
      head.loss().residuals(outputs_of(head, y_hat, first), targets_of(head, y, first_target), r_part, slope_part);
      weigh(r_part, std::sqrt(head.weight()));
      weigh(slope_part, std::sqrt(head.weight()));
    });
  }

  /// Does not compile for matrices that are not views; the message says what to write instead.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void link(detail::LossArgument z) const;

 private:
  // Calls f(head, its first output, its first row of y) for each head.
  template <class F>
  void for_each_head(const F& f) const {
    Index first = 0, first_target = 0;
    detail::for_each_layer(heads_, [&](const auto& head) {
      f(head, first, first_target);
      first += head.outputs();
      first_target += head.target_rows();
    });
  }
  template <class F>
  bool any(const F& holds) const {
    bool found = false;
    detail::for_each_layer(heads_, [&](const auto& head) { found = found || holds(head); });
    return found;
  }
  Index rows_of_targets() const {
    Index sum = 0;
    detail::for_each_layer(heads_, [&](const auto& head) { sum += head.target_rows(); });
    return sum;
  }

  template <class H1, class View>
  static View outputs_of(const H1& head, View m, Index first) {
    return detail::rows_of(m, first, head.outputs());
  }
  template <class H1, class Scalar>
  static ConstMatrixView<Scalar> targets_of(const H1& head, ConstMatrixView<Scalar> y, Index first) {
    return detail::rows_of(y, first, head.target_rows());
  }
  template <class Scalar>
  static void weigh(MatrixView<Scalar> part, double weight) {
    if (weight == 0)
      part.setZero();
    else if (weight != 1)
      part *= static_cast<Scalar>(weight);
  }

  [[no_unique_address]] typename List::Type heads_;
};

}  // namespace chainrule
