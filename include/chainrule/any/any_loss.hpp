#pragma once
// A loss whose type is known only when the program runs: any type that satisfies the contract, behind virtual functions.

#include <chainrule/core/description.hpp>
#include <chainrule/core/weighting.hpp>
#include <chainrule/detail/argument_checks.hpp>
#include <cstdint>
#include <memory>

namespace chainrule {
namespace detail {

/// How much each sample counts, whatever it was that said so.
template <class Scalar>
struct SampleWeights {
  Accumulator<Scalar> (*call)(const void* context, Index j);
  const void* context;
  Accumulator<Scalar> operator()(Index j) const { return call(context, j); }
};

/// A loss for targets of one kind. `weights` may be null.
template <class Scalar, class Target>
struct LossFor {
  using Weights = const SampleWeights<Scalar>*;
  virtual ~LossFor() = default;
  virtual void check(ConstMatrixView<Scalar> y_hat, const Target& y) const = 0;
  virtual Scalar value(ConstMatrixView<Scalar> y_hat, const Target& y, Weights weights) const = 0;
  virtual void gradient(ConstMatrixView<Scalar> y_hat, const Target& y, MatrixView<Scalar> dJ, Weights weights) const = 0;
};

/// One kind of targets added to what Next has.
template <class Scalar, class L, class Target, class Next>
struct LossOfTarget : Next {
  using Next::check;
  using Next::gradient;
  using Next::Next;
  using Next::value;
  using Weights = const SampleWeights<Scalar>*;
  static constexpr bool takes_this = requires(const L& loss, ConstMatrixView<Scalar> y_hat, const Target& y) { loss.check(y_hat, y); };

  void check([[maybe_unused]] ConstMatrixView<Scalar> y_hat, [[maybe_unused]] const Target& y) const override {
    if constexpr (takes_this)
      this->loss.check(y_hat, y);
    else
      raise<ValueError>("target: ", L::name,
                        " takes targets as a matrix (outputs x batch); integer class labels go with SoftmaxCrossEntropy");
  }
  Scalar value([[maybe_unused]] ConstMatrixView<Scalar> y_hat, [[maybe_unused]] const Target& y,
               [[maybe_unused]] Weights weights) const override {
    if constexpr (!takes_this)
      return 0;
    else if (weights == nullptr)
      return this->loss.value(y_hat, y);
    else
      return loss_value(this->loss, y_hat, y, *weights);
  }
  void gradient([[maybe_unused]] ConstMatrixView<Scalar> y_hat, [[maybe_unused]] const Target& y, [[maybe_unused]] MatrixView<Scalar> dJ,
                [[maybe_unused]] Weights weights) const override {
    if constexpr (takes_this) {
      if (weights == nullptr)
        this->loss.gradient(y_hat, y, dJ);
      else
        loss_gradient(this->loss, y_hat, y, dJ, *weights);
    }
  }
};

/// What it is for targets of several kinds.
template <class Scalar, class... Targets>
struct LossForAll : LossFor<Scalar, Targets>... {
  using LossFor<Scalar, Targets>::check...;
  using LossFor<Scalar, Targets>::value...;
  using LossFor<Scalar, Targets>::gradient...;
};

/// The contract of a loss (core/concepts.hpp), as virtual functions.
template <class Scalar>
struct LossBase : LossForAll<Scalar, ConstMatrixView<Scalar>, Labels<int>, Labels<std::uint8_t>, Labels<std::int64_t>> {
  virtual bool on_logits() const = 0;
  virtual Index fewest_outputs() const = 0;
  virtual Index target_rows(Index outputs) const = 0;
  virtual Description describe() const = 0;
  virtual void link(MatrixView<Scalar> z) const = 0;
};

template <class Scalar, class L>
struct LossItself : LossBase<Scalar> {
  explicit LossItself(const L& of) : loss{of} {}
  bool on_logits() const override { return L::works_on_logits; }
  Index fewest_outputs() const override { return L::min_outputs; }
  Index target_rows(Index outputs) const override { return detail::target_rows(loss, outputs); }
  Description describe() const override { return chainrule::describe(loss); }
  void link(MatrixView<Scalar> z) const override { loss.link(z); }
  L loss;
};

template <class Scalar, class L>
using LossOf = LossOfTarget<
    Scalar, L, ConstMatrixView<Scalar>,
    LossOfTarget<Scalar, L, Labels<int>,
                 LossOfTarget<Scalar, L, Labels<std::uint8_t>, LossOfTarget<Scalar, L, Labels<std::int64_t>, LossItself<Scalar, L>>>>>;

}  // namespace detail

/// A loss of any type, one of the library or of yours, made from it: AnyLoss<float> loss = Huber{.delta = 2}. A small value; copies
/// share the loss, which never changes. Labels may be int, std::uint8_t or std::int64_t.
template <class Scalar>
class AnyLoss {
 public:
  // nobody knows these when the program is compiled; AnyNetwork asks on_logits() and fewest_outputs() when it is made
  static constexpr bool works_on_logits = false;  ///< takes the outputs as predictions, so the last layer may have any activation
  static constexpr Index min_outputs = 1;         ///< the smallest number of outputs that a network with this loss can have

  /// Copies the loss.
  template <class L>
  requires(!std::is_same_v<L, AnyLoss>) && Loss<L> AnyLoss(const L& loss)
      : name(L::name),
  loss_{std::make_shared<const detail::LossOf<Scalar, L>>(loss)} {}

  std::string_view name;  ///< that of the loss inside

  bool on_logits() const { return loss_->on_logits(); }             ///< whether the loss inside works on logits
  Index fewest_outputs() const { return loss_->fewest_outputs(); }  ///< min_outputs of the loss inside

  /// The name, hyperparameters and parts, from which from_description builds it again.
  Description describe() const { return loss_->describe(); }
  /// The number of rows of y for a network with this number of outputs.
  Index target_rows(Index outputs) const { return loss_->target_rows(outputs); }

  /// (The contract is asked for with float, whatever Scalar is.)
  template <class S, class Target>
  requires std::derived_from<detail::LossBase<S>, detail::LossFor<S, Target>>
  void check(ConstMatrixView<S> y_hat, const Target& y) const { of<Target>().check(y_hat, y); }
  /// J, the mean over the batch.
  template <class S, class Target>
  S value(ConstMatrixView<S> y_hat, const Target& y) const {
    return of<Target>().value(y_hat, y, nullptr);
  }
  /// dJ <- dJ/dy_hat.
  template <class S, class Target>
  void gradient(ConstMatrixView<S> y_hat, const Target& y, MatrixView<S> dJ) const {
    of<Target>().gradient(y_hat, y, dJ, nullptr);
  }
  /// J where sample j has the weight weight(j).
  template <class S, class Target, class WeightOf>
  S value(ConstMatrixView<S> y_hat, const Target& y, const WeightOf& weight) const {
    const auto weights = erased(weight);
    return of<Target>().value(y_hat, y, &weights);
  }
  /// dJ <- dJ/dy_hat with these weights.
  template <class S, class Target, class WeightOf>
  void gradient(ConstMatrixView<S> y_hat, const Target& y, MatrixView<S> dJ, const WeightOf& weight) const {
    const auto weights = erased(weight);
    of<Target>().gradient(y_hat, y, dJ, &weights);
  }
  /// y_hat <- the link of the loss inside, in place.
  template <class S>
  void link(MatrixView<S> z) const {
    loss_->link(z);
  }

 private:
  template <class Target>
  const detail::LossFor<Scalar, Target>& of() const {
    return *loss_;
  }
  template <class WeightOf>
  static detail::SampleWeights<Scalar> erased(const WeightOf& weight) {
    return {
        [](const void* context, Index j) { return static_cast<detail::Accumulator<Scalar>>((*static_cast<const WeightOf*>(context))(j)); },
        &weight};
  }

  std::shared_ptr<const detail::LossBase<Scalar>> loss_;
};

}  // namespace chainrule
