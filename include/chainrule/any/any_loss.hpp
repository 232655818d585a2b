#pragma once
// A loss whose type is known only when the program runs: any type that satisfies the contract of a loss, behind virtual functions.

#include <chainrule/core/concepts.hpp>
#include <chainrule/core/description.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/weighting.hpp>
#include <cstdint>
#include <memory>

namespace chainrule {
namespace detail {

/// The functions of a loss that take targets of type Target, with or without weights of the samples.
template <class Scalar, class Target>
struct LossFor {
  using Weighted = WeightedTargets<Scalar, Target>;
  virtual ~LossFor() = default;
  virtual void check(ConstMatrixView<Scalar> y_hat, const Target& y) const = 0;
  virtual Scalar value(ConstMatrixView<Scalar> y_hat, const Weighted& y) const = 0;
  virtual void gradient(ConstMatrixView<Scalar> y_hat, const Weighted& y, MatrixView<Scalar> dJ) const = 0;
  virtual void gradient_jvp(ConstMatrixView<Scalar> y_hat, const Weighted& y, ConstMatrixView<Scalar> direction,
                            MatrixView<Scalar> out) const = 0;
  virtual double total_weight(const Weighted& y) const = 0;
};

/// Adds the functions for targets of type Target to Next, which holds the loss of type L and the functions for other types.
template <class Scalar, class L, class Target, class Next>
struct LossOfTarget : Next {
  using Next::check;
  using Next::gradient;
  using Next::gradient_jvp;
  using Next::Next;
  using Next::total_weight;
  using Next::value;
  using Weighted = WeightedTargets<Scalar, Target>;
  static constexpr bool takes_target = requires(const L& loss, ConstMatrixView<Scalar> y_hat, const Target& y) { loss.check(y_hat, y); };

  void check([[maybe_unused]] ConstMatrixView<Scalar> y_hat, [[maybe_unused]] const Target& y) const override {
    if constexpr (takes_target)
      this->loss.check(y_hat, y);
    else
      raise<ValueError>("target: ", L::name,
                        " takes targets as a matrix (outputs x batch); integer class labels go with SoftmaxCrossEntropy, or with "
                        "BinaryCrossEntropy for one output");
  }
  Scalar value([[maybe_unused]] ConstMatrixView<Scalar> y_hat, [[maybe_unused]] const Weighted& y) const override {
    if constexpr (takes_target)
      return loss_value(this->loss, y_hat, y);
    else
      return 0;
  }
  void gradient([[maybe_unused]] ConstMatrixView<Scalar> y_hat, [[maybe_unused]] const Weighted& y,
                [[maybe_unused]] MatrixView<Scalar> dJ) const override {
    if constexpr (takes_target) loss_gradient(this->loss, y_hat, y, dJ);
  }
  void gradient_jvp([[maybe_unused]] ConstMatrixView<Scalar> y_hat, [[maybe_unused]] const Weighted& y,
                    [[maybe_unused]] ConstMatrixView<Scalar> direction, [[maybe_unused]] MatrixView<Scalar> out) const override {
    if constexpr (!TwiceDifferentiableLoss<L>)
      raise<StateError>("AnyLoss: the loss inside, ", L::name,
                        ", has no gradient_jvp(y_hat, y, direction, out), which second derivatives of J need");
    else if constexpr (takes_target)
      loss_gradient_jvp(this->loss, y_hat, y, direction, out);
  }
  double total_weight([[maybe_unused]] const Weighted& y) const override {
    if constexpr (takes_target)
      return detail::total_weight(this->loss, y);
    else
      return 0;
  }
};

/// The functions of a loss for each of these types of targets.
template <class Scalar, class... Targets>
struct LossForAll : LossFor<Scalar, Targets>... {
  using LossFor<Scalar, Targets>::check...;
  using LossFor<Scalar, Targets>::value...;
  using LossFor<Scalar, Targets>::gradient...;
  using LossFor<Scalar, Targets>::gradient_jvp...;
  using LossFor<Scalar, Targets>::total_weight...;
};

/// The contract of a loss (core/concepts.hpp), as virtual functions.
template <class Scalar>
struct LossBase : LossForAll<Scalar, ConstMatrixView<Scalar>, Labels<int>, Labels<std::uint8_t>, Labels<std::int64_t>> {
  virtual bool on_logits() const = 0;
  virtual std::string_view link_name() const = 0;
  virtual void check_outputs(const char* who, Index outputs) const = 0;
  virtual Index target_rows(Index outputs) const = 0;
  virtual bool takes_labels() const = 0;
  virtual Description describe() const = 0;
  virtual void link(MatrixView<Scalar> z) const = 0;
  virtual bool has_gradient_jvp() const = 0;
  virtual bool has_link_jvp() const = 0;
  virtual void link_jvp(ConstMatrixView<Scalar> prediction, MatrixView<Scalar> tangent) const = 0;
  virtual bool has_residuals() const = 0;
  virtual void residuals(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> r,
                         MatrixView<Scalar> slopes) const = 0;
};

/// The functions of LossBase, for a loss of type L, that take no targets.
template <class Scalar, class L>
struct LossItself : LossBase<Scalar> {
  explicit LossItself(const L& of) : loss{of} { check_hyperparameters<Scalar>(loss); }
  bool on_logits() const override { return works_on_logits(loss); }
  std::string_view link_name() const override { return detail::link_name(loss); }
  void check_outputs(const char* who, Index outputs) const override { detail::check_outputs(who, loss, outputs); }
  Index target_rows(Index outputs) const override { return detail::target_rows(loss, outputs); }
  bool takes_labels() const override {
    return requires(const L& l, ConstMatrixView<Scalar> y_hat, Labels<int> y) { l.check(y_hat, y); };
  }
  Description describe() const override { return chainrule::describe(loss); }
  void link(MatrixView<Scalar> z) const override { loss.link(z); }
  bool has_gradient_jvp() const override { return detail::has_gradient_jvp(loss); }
  bool has_link_jvp() const override { return detail::has_link_jvp(loss); }
  void link_jvp([[maybe_unused]] ConstMatrixView<Scalar> prediction, [[maybe_unused]] MatrixView<Scalar> tangent) const override {
    if constexpr (DifferentiableLink<L>)
      loss.link_jvp(prediction, tangent);
    else
      raise<StateError>("AnyLoss: the loss inside, ", L::name,
                        ", has no link_jvp(prediction, tangent), which derivatives of the prediction need");
  }
  bool has_residuals() const override {
    if constexpr (requires { loss.has_residuals(); }) return loss.has_residuals();
    return requires(const L& l, ConstMatrixView<Scalar> y, MatrixView<Scalar> r) { l.residuals(y, y, r, r); };
  }
  void residuals([[maybe_unused]] ConstMatrixView<Scalar> y_hat, [[maybe_unused]] ConstMatrixView<Scalar> y,
                 [[maybe_unused]] MatrixView<Scalar> r, [[maybe_unused]] MatrixView<Scalar> slopes) const override {
    if constexpr (requires { loss.residuals(y_hat, y, r, slopes); })
      loss.residuals(y_hat, y, r, slopes);
    else
      raise<ValueError>(L::name, " is no sum of squares, so it has no residuals");
  }
  L loss;
};

/// LossBase for a loss of type L.
template <class Scalar, class L>
using LossOf = LossOfTarget<
    Scalar, L, ConstMatrixView<Scalar>,
    LossOfTarget<Scalar, L, Labels<int>,
                 LossOfTarget<Scalar, L, Labels<std::uint8_t>, LossOfTarget<Scalar, L, Labels<std::int64_t>, LossItself<Scalar, L>>>>>;

}  // namespace detail

/// Holds a loss of any type, of the library or your own, and is a loss that computes the same bits: AnyLoss<float> loss = Huber{.delta =
/// 2}. A small value; copies share the loss inside, which never changes. Labels may be int, std::uint8_t or std::int64_t.
template <class Scalar>
class AnyLoss {
 public:
  // not known when the program is compiled: AnyNetwork's constructor asks on_logits() and check_outputs()
  static constexpr bool works_on_logits = false;  ///< takes the outputs as predictions, so the last layer may have any activation
  static constexpr Index min_outputs = 1;         ///< the smallest number of outputs that a network with this loss can have

  /// Copies the loss.
  template <class L>
  requires(!std::is_same_v<L, AnyLoss>) && Loss<L> AnyLoss(const L& loss)
      : name(L::name),
  loss_{std::unique_ptr<const detail::LossBase<Scalar>>(new detail::LossOf<Scalar, L>(loss))} {}

  AnyLoss(const AnyLoss&) = default;             ///< shares the loss inside; so does a move, which leaves a whole loss behind
  AnyLoss& operator=(const AnyLoss&) = default;  ///< shares the loss inside

  std::string_view name;  ///< the name of the loss inside

  bool on_logits() const { return loss_->on_logits(); }              ///< whether the loss inside works on logits
  std::string_view link_name() const { return loss_->link_name(); }  ///< the name of the link of the loss inside; empty if it has none
  /// Throws ShapeError unless a network with this number of outputs can have the loss inside. `who` begins the message.
  void check_outputs(const char* who, Index outputs) const { loss_->check_outputs(who, outputs); }

  bool takes_labels() const { return loss_->takes_labels(); }          ///< whether the loss inside takes integer class labels
  bool has_gradient_jvp() const { return loss_->has_gradient_jvp(); }  ///< whether the loss inside is a TwiceDifferentiableLoss
  bool has_link_jvp() const { return loss_->has_link_jvp(); }          ///< whether the loss inside has a DifferentiableLink

  /// The name, hyperparameters and parts, from which from_description builds it again.
  Description describe() const { return loss_->describe(); }
  /// The number of rows of y for a network with this number of outputs.
  Index target_rows(Index outputs) const { return loss_->target_rows(outputs); }

  /// Throws ValueError where y is no target for the loss inside. (A template, because the contract is checked with float, whatever Scalar
  /// is.)
  template <class S, class Target>
  requires std::derived_from<detail::LossBase<S>, detail::LossFor<S, Target>>
  void check(ConstMatrixView<S> y_hat, const Target& y) const { of<Target>().check(y_hat, y); }
  /// J, the mean over the batch.
  template <class S, class Target>
  S value(ConstMatrixView<S> y_hat, const Target& y) const {
    return weighted_value(y_hat, WeightedTargets<S, Target>{y});
  }
  /// dJ <- dJ/dy_hat.
  template <class S, class Target>
  void gradient(ConstMatrixView<S> y_hat, const Target& y, MatrixView<S> dJ) const {
    weighted_gradient(y_hat, WeightedTargets<S, Target>{y}, dJ);
  }
  /// out <- the derivative of dJ/dy_hat along a direction. Throws StateError if the loss inside has no gradient_jvp.
  template <class S, class Target>
  void gradient_jvp(ConstMatrixView<S> y_hat, const Target& y, ConstMatrixView<S> direction, MatrixView<S> out) const {
    weighted_gradient_jvp(y_hat, WeightedTargets<S, Target>{y}, direction, out);
  }
  /// J for targets with weights of the samples.
  template <class S, class Target>
  S weighted_value(ConstMatrixView<S> y_hat, const WeightedTargets<S, Target>& y) const {
    return of<Target>().value(y_hat, y);
  }
  /// dJ <- dJ/dy_hat for targets with weights of the samples.
  template <class S, class Target>
  void weighted_gradient(ConstMatrixView<S> y_hat, const WeightedTargets<S, Target>& y, MatrixView<S> dJ) const {
    of<Target>().gradient(y_hat, y, dJ);
  }
  /// out <- the derivative of dJ/dy_hat along a direction, for targets with weights of the samples. Throws StateError if the loss inside
  /// has no gradient_jvp.
  template <class S, class Target>
  void weighted_gradient_jvp(ConstMatrixView<S> y_hat, const WeightedTargets<S, Target>& y, ConstMatrixView<S> direction,
                             MatrixView<S> out) const {
    of<Target>().gradient_jvp(y_hat, y, direction, out);
  }
  /// The sum of the weights of the samples, those of the loss inside included.
  template <class S, class Target>
  double total_weight(const WeightedTargets<S, Target>& y) const {
    return of<Target>().total_weight(y);
  }
  /// Whether the loss inside is a sum of squares that has residuals.
  bool has_residuals() const { return loss_->has_residuals(); }
  /// The residuals of the loss inside, and their derivatives by y_hat. Throws ValueError where it has none.
  template <class S>
  void residuals(ConstMatrixView<S> y_hat, ConstMatrixView<S> y, MatrixView<S> r, MatrixView<S> slopes) const {
    loss_->residuals(y_hat, y, r, slopes);
  }
  /// Applies the link of the loss inside, in place.
  template <class S>
  void link(MatrixView<S> z) const {
    loss_->link(z);
  }
  /// Multiplies a tangent by the Jacobian of the link of the loss inside, in place. Throws StateError if that has no link_jvp.
  template <class S>
  void link_jvp(ConstMatrixView<S> prediction, MatrixView<S> tangent) const {
    loss_->link_jvp(prediction, tangent);
  }

 private:
  template <class Target>
  const detail::LossFor<Scalar, Target>& of() const {
    return *loss_;
  }

  std::shared_ptr<const detail::LossBase<Scalar>> loss_;
};

}  // namespace chainrule
