#pragma once

#include <chainrule/core/description.hpp>
#include <chainrule/core/weighting.hpp>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace chainrule {

namespace detail {
/// The name of ClassWeighted in descriptions. ClassWeighted::name is the name of the wrapped loss.
inline constexpr std::string_view class_weighted_name = "ClassWeighted";
}  // namespace detail

/// Wraps the loss L and gives each class a weight. J is the weighted mean over the samples j,
///
///     J = sum_j w(class of j) J_j / sum_j w(class of j)
///
/// as in PyTorch's CrossEntropyLoss(weight=...). The class of a sample is its label; for targets given as a matrix it is the row of the
/// largest number (Keras's class_weight), and for a matrix with one row class 1 if y > 1/2, else class 0. Sample weights multiply the class
/// weights.
/// @code{.cpp}
/// Network<float, ClassWeighted<SoftmaxCrossEntropy>, Dense<4, 2>> net{Seed{1}, {{1, 5}}};  // class 1 counts five times
/// @endcode
/// There is one weight for each class, finite and at least 0, and at least one above 0. The constructor throws ValueError for other
/// weights; check throws ShapeError if their number is not the number of classes.
template <class L>
class ClassWeighted {
 public:
  static constexpr std::string_view name = L::name;            ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = L::works_on_logits;  ///< whether the loss takes raw outputs and brings its own link
  static constexpr Index min_outputs = L::min_outputs;         ///< the smallest number of outputs that a network with this loss can have

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
    const Index classes = number_of_classes(y_hat, y);
    if (weights_.size() != classes)
      detail::raise<ShapeError>("ClassWeighted: there are ", weights_.size(), " class weights, but the targets have ", classes, " classes");
    loss_.check(y_hat, y);
  }

  /// Returns J, the mean over the batch weighted by class.
  template <class Scalar, class Target>
  Scalar value(ConstMatrixView<Scalar> y_hat, const Target& y) const {
    return detail::weighted_value(loss_, y_hat, y, class_weight<Scalar>(y));
  }
  /// Sets dJ to dJ/dy_hat.
  template <class Scalar, class Target>
  void gradient(ConstMatrixView<Scalar> y_hat, const Target& y, MatrixView<Scalar> dJ) const {
    detail::weighted_gradient(loss_, y_hat, y, dJ, class_weight<Scalar>(y));
  }

  /// Returns J where sample j has the weight sample_weight(j) times the weight of its class.
  template <class Scalar, class Target, class SampleWeight>
  Scalar value(ConstMatrixView<Scalar> y_hat, const Target& y, const SampleWeight& sample_weight) const {
    const auto weight_of_class = class_weight<Scalar>(y);
    return detail::weighted_value(loss_, y_hat, y, [&](Index j) { return sample_weight(j) * weight_of_class(j); });
  }
  /// Sets dJ to dJ/dy_hat where sample j has the weight sample_weight(j) times the weight of its class.
  template <class Scalar, class Target, class SampleWeight>
  void gradient(ConstMatrixView<Scalar> y_hat, const Target& y, MatrixView<Scalar> dJ, const SampleWeight& sample_weight) const {
    const auto weight_of_class = class_weight<Scalar>(y);
    detail::weighted_gradient(loss_, y_hat, y, dJ, [&](Index j) { return sample_weight(j) * weight_of_class(j); });
  }

  /// Applies the link of the wrapped loss in place.
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    loss_.link(z);
  }

 private:
  template <class Scalar, class Label>
  static Index number_of_classes(ConstMatrixView<Scalar> y_hat, std::span<const Label>) {
    return y_hat.rows();
  }
  template <class Scalar>
  static Index number_of_classes(ConstMatrixView<Scalar>, const ConstMatrixView<Scalar>& y) {
    return y.rows() == 1 ? 2 : y.rows();
  }

  template <class Label>
  static Index class_of(std::span<const Label> y, Index j) {
    return static_cast<Index>(y[static_cast<std::size_t>(j)]);
  }
  template <class Scalar>
  static Index class_of(const ConstMatrixView<Scalar>& y, Index j) {
    if (y.rows() == 1) return y(0, j) > Scalar(0.5) ? 1 : 0;
    Index largest = 0;
    for (Index k = 1; k < y.rows(); ++k)
      if (y(k, j) > y(largest, j)) largest = k;
    return largest;
  }

  template <class Scalar, class Target>
  auto class_weight(const Target& y) const {
    return [this, &y](Index j) { return static_cast<detail::Accumulator<Scalar>>(weights_[class_of(y, j)]); };
  }

  L loss_{};
  Vector<double> weights_;
};

}  // namespace chainrule
