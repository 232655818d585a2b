#pragma once

#include <chainrule/core/concepts.hpp>
#include <chainrule/core/description.hpp>
#include <chainrule/core/view.hpp>
#include <chainrule/core/weighting.hpp>
#include <concepts>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace chainrule {

namespace detail {
/// The name of ClassWeighted in descriptions. ClassWeighted::name is the name of the wrapped loss.
inline constexpr std::string_view class_weighted_name = "ClassWeighted";

/// A loss in which each output answers yes or no for itself, and which can weigh the yes of each output, as BinaryCrossEntropy does.
template <class L>
concept WeighsYes = requires(const L& loss, ConstMatrixView<float> y_hat, MatrixView<float> dJ, std::span<const double> yes_weights) {
  { loss.value(y_hat, y_hat, yes_weights) } -> std::same_as<float>;
  loss.gradient(y_hat, y_hat, dJ, yes_weights);
};

/// A loss with the weights of its outputs' yes inside.
template <class L>
struct YesWeighted {
  const L& loss;
  std::span<const double> yes_weights;

  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    return loss.value(y_hat, y, yes_weights);
  }
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    loss.gradient(y_hat, y, dJ, yes_weights);
  }
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, ConstMatrixView<Scalar> direction,
                    MatrixView<Scalar> out) const {
    loss.gradient_jvp(y_hat, y, direction, out, yes_weights);
  }
};

/// The number of classes of labels: one for each output, or two for one output.
template <class Scalar, class Label>
Index number_of_classes(ConstMatrixView<Scalar> y_hat, std::span<const Label>) {
  return y_hat.rows() == 1 ? 2 : y_hat.rows();
}
/// The number of classes of targets in a matrix: one for each row, or two for one row.
template <class Scalar>
Index number_of_classes(ConstMatrixView<Scalar>, const ConstMatrixView<Scalar>& y) {
  return y.rows() == 1 ? 2 : y.rows();
}

/// The class of sample j: its label.
template <class Label>
Index weighed_class(std::span<const Label> y, Index j) {
  return static_cast<Index>(y[static_cast<std::size_t>(j)]);
}
/// The class of sample j: the row of its largest number, the first one among equals; for one row class 1 if y > 1/2, else class 0.
template <class Scalar>
Index weighed_class(const ConstMatrixView<Scalar>& y, Index j) {
  if (y.rows() == 1) return y(0, j) > Scalar(0.5) ? 1 : 0;
  Index largest = 0;
  for (Index k = 1; k < y.rows(); ++k)
    if (y(k, j) > y(largest, j)) largest = k;
  return largest;
}

/// Throws ValueError for a sample whose largest number is in several rows.
template <class Scalar>
void check_one_largest(const ConstMatrixView<Scalar>& y) {
  for (Index j = 0; j < y.cols(); ++j) {
    const Index largest = weighed_class(y, j);
    for (Index k = largest + 1; k < y.rows(); ++k)
      if (y(k, j) == y(largest, j))
        raise<ValueError>("ClassWeighted: the largest target of sample ", j, " is in rows ", largest, " and ", k,
                          ", so its class is not known; several labels at once go with ClassWeighted<BinaryCrossEntropy>");
  }
}

/// j -> the weight of sample j times the weight of its class, one type for all losses.
template <class Scalar, class Target>
struct WeightOfSampleAndClass {
  const WeightedTargets<Scalar, Target>& y;
  const Vector<double>& of_classes;
  Accumulator<Scalar> operator()(Index j) const {
    return weight_of(y, j) * static_cast<Accumulator<Scalar>>(of_classes[weighed_class(y.targets, j)]);
  }
};
}  // namespace detail

/// Wraps the loss L and gives each class a weight w,
///
///     J = sum w(class of j) J_j / (batch m)        (sum over the samples j of the batch)
///
/// m is the mean weight of the samples of the whole data set. A Trainer computes it from its data, so that a weight means the same at every
/// batch size, and every loss that it reports is the weighted mean sum w J_j / sum w over all samples. In a loop of your own it is
/// BatchOptions::mean_weight or the last argument of weighted(), and net.mean_weight(y) computes it; without it m is 1, as in Keras's
/// class_weight. (PyTorch's CrossEntropyLoss(weight=...) divides by the weights of each batch, so that they have no effect in a batch of
/// one sample.) `evaluate` returns the weighted mean over the samples that it is given.
///
/// The class of a sample is its label; for targets given as a matrix it is the row of the largest number (Keras's class_weight), and for a
/// matrix with one row class 1 if y > 1/2, else class 0. Sample weights multiply the class weights.
/// @code{.cpp}
/// Network<float, ClassWeighted<SoftmaxCrossEntropy>, Dense<4, 2>> net{Seed{1}, {{1, 5}}};  // class 1 counts five times
/// @endcode
/// **Several labels at once:** BinaryCrossEntropy, BinaryFocal and Hinge with two or more outputs take a weight for each output, by which
/// its loss is multiplied where the target is yes (PyTorch's pos_weight). As there, J is not divided by these weights.
///
/// There is one weight for each class, finite and at least 0, and at least one above 0. The constructor throws ValueError for other
/// weights. check throws ShapeError if their number is not the number of classes, and ValueError for a sample whose largest number is in
/// several rows, so that it has no class.
template <class L>
class ClassWeighted {
  static_assert(
      !requires(const L& loss) { loss.class_weights(); },
      "chainrule: a ClassWeighted inside a ClassWeighted; multiply the weights of each class instead");
  static_assert(
      !requires(const L& loss) { loss.losses(); },
      "chainrule: a ClassWeighted around Heads or SumOfLosses; put it inside, around the loss whose classes it weighs: "
      "Head<ClassWeighted<SoftmaxCrossEntropy>, 3>");

 public:
  static constexpr std::string_view name = L::name;            ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = L::works_on_logits;  ///< whether the loss takes raw outputs and brings its own link
  static constexpr Index min_outputs = L::min_outputs;         ///< the smallest number of outputs that a network with this loss can have
  static constexpr std::string_view link_name = detail::link_name_of_type<L>();  ///< the name of its link; empty if L says none

  /// Makes a loss without weights, whose check always throws.
  ClassWeighted() = default;
  /// Takes one weight for each class, such as {1, 5}.
  ClassWeighted(std::initializer_list<double> class_weights, L loss = L{}) : ClassWeighted(std::vector<double>(class_weights), loss) {}
  /// Takes one weight for each class, for a number of classes known at run time.
  explicit ClassWeighted(const std::vector<double>& class_weights, L loss = L{})
      : loss_{loss}, weights_(Eigen::Map<const Vector<double>>(class_weights.data(), static_cast<Index>(class_weights.size()))) {
    bool any = false;
    for (Index k = 0; k < weights_.size(); ++k) {
      if (!(detail::is_finite(weights_[k]) && weights_[k] >= 0))
        detail::raise<ValueError>("ClassWeighted: the weight of class ", k, " is ", weights_[k], ", but weights are finite and at least 0");
      any = any || weights_[k] > 0;
    }
    if (!any) detail::raise<ValueError>("ClassWeighted: all class weights are 0, so nothing would be learned");
  }

  const L& loss() const { return loss_; }                           ///< the wrapped loss L
  const Vector<double>& class_weights() const { return weights_; }  ///< one weight for each class

  /// Describes the weights as hyperparameters and the wrapped loss as the only part.
  Description describe() const {
    Description d;
    d.kind = detail::class_weighted_name;
    for (const double weight : weights_) d.hyperparameters.emplace_back("weight", weight);
    d.parts.push_back(chainrule::describe(loss_));
    return d;
  }

  /// The number of rows of y for a network with this number of outputs.
  static constexpr Index target_rows(Index outputs) { return detail::target_rows<L>(outputs); }

  /// Throws ShapeError if there is not one weight for each class, and what the wrapped loss throws for y.
  template <class Scalar, class Target>
  void check(ConstMatrixView<Scalar> y_hat, const Target& y) const requires requires(const L& l) {
    l.check(y_hat, y);
  }
  {
    const Index classes = detail::number_of_classes(y_hat, y);
    if (weights_.size() != classes)
      detail::raise<ShapeError>("ClassWeighted: there are ", weights_.size(), " class weights, but the targets have ", classes, " classes");
    loss_.check(y_hat, y);
    if constexpr (!detail::LabelVector<Target>)
      if (y.rows() > 1 && !detail::WeighsYes<L>) detail::check_one_largest(y);
  }

  /// J for the batch, divided by its number of samples: m is 1.
  template <class Scalar, class Target>
  Scalar value(ConstMatrixView<Scalar> y_hat, const Target& y) const {
    return weighted_value(y_hat, WeightedTargets<Scalar, Target>{y});
  }
  /// Sets dJ to dJ/dy_hat, for m = 1.
  template <class Scalar, class Target>
  void gradient(ConstMatrixView<Scalar> y_hat, const Target& y, MatrixView<Scalar> dJ) const {
    weighted_gradient(y_hat, WeightedTargets<Scalar, Target>{y}, dJ);
  }

  /// Sets `out` to the derivative of `gradient` along a direction, if the wrapped loss has a gradient_jvp.
  template <class Scalar, class Target>
  requires TwiceDifferentiableLoss<L>
  void gradient_jvp(ConstMatrixView<Scalar> y_hat, const Target& y, ConstMatrixView<Scalar> direction, MatrixView<Scalar> out) const {
    weighted_gradient_jvp(y_hat, WeightedTargets<Scalar, Target>{y}, direction, out);
  }

  /// J where the weight of each sample is multiplied by the weight of its class.
  template <class Scalar, class Target>
  Scalar weighted_value(ConstMatrixView<Scalar> y_hat, const WeightedTargets<Scalar, Target>& y) const {
    if constexpr (weighs_outputs<Target>)
      if (y.targets.rows() > 1) return detail::loss_value(yes_weighted(), y_hat, y);
    return detail::weighted_value(loss_, y_hat, y.targets, weights_of(y), detail::divisor_of(y));
  }
  /// Sets dJ to dJ/dy_hat where the weight of each sample is multiplied by the weight of its class.
  template <class Scalar, class Target>
  void weighted_gradient(ConstMatrixView<Scalar> y_hat, const WeightedTargets<Scalar, Target>& y, MatrixView<Scalar> dJ) const {
    if constexpr (weighs_outputs<Target>)
      if (y.targets.rows() > 1) return detail::loss_gradient(yes_weighted(), y_hat, y, dJ);
    detail::weighted_gradient(loss_, y_hat, y.targets, dJ, weights_of(y), detail::divisor_of(y));
  }
  /// Sets `out` to the derivative of weighted_gradient along a direction, if the wrapped loss has a gradient_jvp.
  template <class Scalar, class Target>
  requires TwiceDifferentiableLoss<L>
  void weighted_gradient_jvp(ConstMatrixView<Scalar> y_hat, const WeightedTargets<Scalar, Target>& y, ConstMatrixView<Scalar> direction,
                             MatrixView<Scalar> out) const {
    if constexpr (weighs_outputs<Target>)
      if (y.targets.rows() > 1) return detail::loss_gradient_jvp(yes_weighted(), y_hat, y, direction, out);
    detail::weighted_gradient_jvp(loss_, y_hat, y.targets, direction, out, weights_of(y), detail::divisor_of(y));
  }

  /// The sum over the samples of their weights times the weights of their classes. Weights of outputs do not count in it.
  template <class Scalar, class Target>
  double total_weight(const WeightedTargets<Scalar, Target>& y) const {
    if constexpr (weighs_outputs<Target>)
      if (y.targets.rows() > 1) return detail::total_weight(loss_, y);
    return detail::pairwise_sum<double>(detail::samples_of(y), weights_of(y));
  }

  /// Applies the link of the wrapped loss in place.
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    loss_.link(z);
  }
  /// Multiplies a tangent by the Jacobian of the link of the wrapped loss, in place, if that has a link_jvp.
  template <class Scalar>
  requires DifferentiableLink<L>
  void link_jvp(ConstMatrixView<Scalar> prediction, MatrixView<Scalar> tangent) const { loss_.link_jvp(prediction, tangent); }

  /// Does not compile for matrices that are not views; the message says what to write instead.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void link(detail::LossArgument z) const;

 private:
  /// Whether there is a weight for each output where these targets have more than one row.
  template <class Target>
  static constexpr bool weighs_outputs = detail::WeighsYes<L> && !detail::LabelVector<Target>;

  detail::YesWeighted<L> yes_weighted() const { return {loss_, {weights_.data(), static_cast<std::size_t>(weights_.size())}}; }

  template <class Scalar, class Target>
  detail::WeightOfSampleAndClass<Scalar, Target> weights_of(const WeightedTargets<Scalar, Target>& y) const {
    return {y, weights_};
  }

  L loss_{};
  Vector<double> weights_;
};

}  // namespace chainrule
