#pragma once
// Features on a common scale, each on its own. What is fitted to the training data is then applied to all data, so that what the net
// has learned keeps its meaning; the layer Normalize does that inside the net.

#include <chainrule/data/detail/affine_scaler.hpp>

namespace chainrule {

/// Scales each feature to mean 0 and variance 1,  a = (x - mean) / deviation,  with the deviation of the population, the root of the
/// mean of (x - mean)^2, as scikit-learn's StandardScaler does. A constant feature becomes 0.
template <class Scalar = float>
class Standardizer : public detail::Scaler<Scalar> {
  using typename detail::Scaler<Scalar>::Sum;

 public:
  Standardizer() : detail::Scaler<Scalar>("Standardizer") {}

  /// Fitted to x, see fit.
  template <class Derived>
  explicit Standardizer(const Eigen::DenseBase<Derived>& x) : Standardizer() {
    fit(x);
  }

  /// Takes mean and deviation from x (features x samples), in two passes and at least in double precision. Throws ShapeError where x
  /// is empty, ValueError where it has NaN or infinity or its variance is infinite; then what was fitted before stays.
  template <class Derived>
  void fit(const Eigen::DenseBase<Derived>& x) {
    const ConstMatrixView<Scalar> view = this->checked_data(x);
    const Vector<Sum> first = view.col(0).template cast<Sum>();  // of a constant c the mean is then c, without rounding
    Vector<Sum> mean = first + mean_difference(view, first);
    const Vector<Sum> rounding = mean_difference(view, mean);
    Vector<Sum> squares = Vector<Sum>::Zero(view.rows());
    for (Index j = 0; j < view.cols(); ++j)
      for (Index i = 0; i < view.rows(); ++i) squares[i] += (Sum{view(i, j)} - mean[i]) * (Sum{view(i, j)} - mean[i]);

    Vector<Scalar> origin(view.rows());
    Vector<Scalar> unit(view.rows());
    for (Index i = 0; i < view.rows(); ++i) {
      origin[i] = this->narrowed(mean[i], i);
      unit[i] = this->narrowed(std::sqrt(std::max(squares[i] / static_cast<Sum>(view.cols()) - rounding[i] * rounding[i], Sum{0})), i);
    }
    this->set(0, std::move(origin), std::move(unit));
  }

  /// A line of text, from which from_string makes the same scaler, to the last bit. Throws StateError before fit.
  std::string to_string() const {
    this->check_fitted();
    detail::TextLine<Scalar> line(this->name_);
    line.add(this->name_);
    line.add_number(this->origin_.size());
    line.add("mean");
    line.add_numbers(this->origin_);
    line.add("deviation");
    line.add_numbers(this->unit_);
    return line.text();
  }

  /// Throws ValueError where `text` is not what to_string writes, with what was expected and what was found.
  static Standardizer from_string(std::string_view text) {
    Standardizer scaler;
    detail::TextLine<Scalar> line(scaler.name_, text);
    line.take(scaler.name_);
    const Index features = line.take_count();
    line.take("mean");
    Vector<Scalar> mean = line.take_numbers(features);
    line.take("deviation");
    Vector<Scalar> deviation = line.take_numbers(features, Scalar{0});
    line.end();
    scaler.set(0, std::move(mean), std::move(deviation));
    return scaler;
  }

 private:
  // the mean over the samples of x - reference
  static Vector<Sum> mean_difference(const ConstMatrixView<Scalar>& x, const Vector<Sum>& reference) {
    Vector<Sum> sum = Vector<Sum>::Zero(x.rows());
    for (Index j = 0; j < x.cols(); ++j)
      for (Index i = 0; i < x.rows(); ++i) sum[i] += Sum{x(i, j)} - reference[i];
    return sum / static_cast<Sum>(x.cols());
  }
};

/// The interval that features are scaled to.
struct FeatureRange {
  double low = 0;   ///< what the smallest number becomes
  double high = 1;  ///< and the largest
};

/// Scales the smallest number of each feature to `low` and the largest to `high`,  a = low + (x - min) (high - low) / (max - min),
/// within rounding, as scikit-learn's MinMaxScaler does. A constant feature becomes low. New data may lie outside.
template <class Scalar = float>
class MinMaxScaler : public detail::Scaler<Scalar> {
  using typename detail::Scaler<Scalar>::Sum;

 public:
  /// Throws ValueError unless low < high, both finite.
  explicit MinMaxScaler(FeatureRange range = {}) : detail::Scaler<Scalar>("MinMaxScaler"), range_{range} {
    constexpr auto largest = static_cast<double>(std::numeric_limits<float>::max());
    if (!(range.low < range.high && range.low >= -largest && range.high <= largest))
      detail::raise<ValueError>("MinMaxScaler: expected low < high, both finite, but got low = ", range.low, " and high = ", range.high);
  }

  /// Fitted to x, see fit.
  template <class Derived>
  explicit MinMaxScaler(const Eigen::DenseBase<Derived>& x, FeatureRange range = {}) : MinMaxScaler(range) {
    fit(x);
  }

  /// Takes minimum and maximum from x (features x samples). Throws ShapeError where x is empty, ValueError where it has NaN or infinity
  /// or is too wide; then what was fitted before stays.
  template <class Derived>
  void fit(const Eigen::DenseBase<Derived>& x) {
    const ConstMatrixView<Scalar> view = this->checked_data(x);
    Vector<Scalar> min = view.col(0);
    Vector<Scalar> max = min;
    for (Index j = 1; j < view.cols(); ++j)
      for (Index i = 0; i < view.rows(); ++i) {
        min[i] = std::min(min[i], view(i, j));
        max[i] = std::max(max[i], view(i, j));
      }
    Vector<Scalar> unit(view.rows());
    for (Index i = 0; i < view.rows(); ++i) unit[i] = this->narrowed((Sum{max[i]} - Sum{min[i]}) / (Sum(range_.high) - Sum(range_.low)), i);
    this->set(static_cast<Scalar>(range_.low), std::move(min), std::move(unit));
  }

  /// A line of text, from which from_string makes the same scaler, to the last bit. Throws StateError before fit.
  std::string to_string() const {
    this->check_fitted();
    detail::TextLine<Scalar> line(this->name_);
    line.add(this->name_);
    line.add_number(this->origin_.size());
    line.add("low");
    line.add_number(range_.low);
    line.add("high");
    line.add_number(range_.high);
    line.add("min");
    line.add_numbers(this->origin_);
    line.add("unit");
    line.add_numbers(this->unit_);
    return line.text();
  }

  /// Throws ValueError where `text` is not what to_string writes, with what was expected and what was found.
  static MinMaxScaler from_string(std::string_view text) {
    detail::TextLine<Scalar> line("MinMaxScaler", text);
    line.take("MinMaxScaler");
    const Index features = line.take_count();
    line.take("low");
    const double low = line.template take_number<double>();
    line.take("high");
    MinMaxScaler scaler(FeatureRange{low, line.template take_number<double>()});
    line.take("min");
    Vector<Scalar> min = line.take_numbers(features);
    line.take("unit");
    Vector<Scalar> unit = line.take_numbers(features, Scalar{0});
    line.end();
    scaler.set(static_cast<Scalar>(low), std::move(min), std::move(unit));
    return scaler;
  }

 private:
  FeatureRange range_;
};

}  // namespace chainrule
