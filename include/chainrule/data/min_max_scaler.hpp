#pragma once
// Scaling of each feature to an interval.

#include <chainrule/bytes/tokens.hpp>
#include <chainrule/data/affine_scaler.hpp>
#include <string>
#include <string_view>

namespace chainrule {

/// The interval that MinMaxScaler scales features to.
struct FeatureRange {
  double low = 0;   ///< image of a feature's smallest number
  double high = 1;  ///< image of a feature's largest number
};

/// Scales each feature to the interval [low, high], as scikit-learn's MinMaxScaler does:
///
///     a = low + (x - min) (high - low) / (max - min)
/// The ends are met to within rounding. A constant feature becomes low. Data that was not fitted may be mapped outside the interval.
///
/// Fit it to the training data, then transform all data with it. The layer Normalize does the same inside the network:
/// net.buffers<0>().set(MinMaxScaler<float>(train.features)).
template <class Scalar = float>
class MinMaxScaler : public AffineScaler<Scalar> {
  using typename AffineScaler<Scalar>::Sum;

 public:
  /// Creates a scaler that is not fitted yet. Throws ValueError unless low < high and both are in the range of float.
  explicit MinMaxScaler(FeatureRange range = {}) : AffineScaler<Scalar>("MinMaxScaler"), range_{range} {
    constexpr auto largest = static_cast<double>((std::numeric_limits<float>::max)());
    if (!(range.low < range.high && range.low >= -largest && range.high <= largest))
      detail::raise<ValueError>("MinMaxScaler: expected low < high, both finite, but got low = ", range.low, " and high = ", range.high);
  }

  /// Creates a scaler fitted to x; see fit.
  template <class Derived>
  explicit MinMaxScaler(const Eigen::DenseBase<Derived>& x, FeatureRange range = {}) : MinMaxScaler(range) {
    fit(x);
  }

  /// Computes minimum and maximum of x (features x samples). Throws ShapeError where x is empty, ValueError where it has NaN or infinity
  /// or where max - min, or 1 / (max - min), is too large for Scalar. After an error the previous fit stays.
  template <class Derived>
  void fit(const Eigen::DenseBase<Derived>& x) {
    const ConstMatrixView<Scalar> view = this->checked_data(x);
    Vector<Scalar> min = view.col(0);
    Vector<Scalar> max = min;
    for (Index j = 1; j < view.cols(); ++j)
      for (Index i = 0; i < view.rows(); ++i) {
        min[i] = (std::min)(min[i], view(i, j));
        max[i] = (std::max)(max[i], view(i, j));
      }
    Vector<Scalar> unit(view.rows());
    for (Index i = 0; i < view.rows(); ++i) {
      const Sum length = Sum{max[i]} - Sum{min[i]};
      this->narrowed(length, i);
      unit[i] = this->narrowed_unit(length / (Sum(range_.high) - Sum(range_.low)), i);
    }
    this->set(Vector<Scalar>::Constant(min.size(), static_cast<Scalar>(range_.low)), static_cast<Scalar>(range_.high), min,
              std::move(unit));
  }

  /// Writes the scaler as one line of text, from which from_string restores it bit for bit. Throws StateError before fit.
  std::string to_string() const {
    this->check_fitted();
    detail::TokenWriter line;
    line.add_word(this->name_);
    line.add_number(this->origin_.size());
    line.add_word("low");
    line.add_number(range_.low);
    line.add_word("high");
    line.add_number(range_.high);
    line.add_word("min");
    line.add_numbers(this->origin_);
    line.add_word("unit");
    line.add_numbers(this->unit_);
    return line.text();
  }

  /// Reads a scaler from the text that to_string writes. Throws ValueError, with what was expected and what was found, for any other.
  static MinMaxScaler from_string(std::string_view text) {
    detail::TokenReader line("MinMaxScaler: from_string", text);
    line.take_word("MinMaxScaler");
    const Index features = line.take_count("features");
    line.take_word("low");
    const double low = line.take_number<double>();
    line.take_word("high");
    MinMaxScaler scaler(FeatureRange{low, line.take_number<double>()});
    line.take_word("min");
    Vector<Scalar> min = line.take_numbers<Scalar>(features);
    line.take_word("unit");
    Vector<Scalar> unit = line.take_numbers<Scalar>(features, 0);
    line.expect_end();
    scaler.set(Vector<Scalar>::Constant(min.size(), static_cast<Scalar>(low)), static_cast<Scalar>(scaler.range_.high), min,
               std::move(unit));
    return scaler;
  }

 private:
  FeatureRange range_;
};

}  // namespace chainrule
