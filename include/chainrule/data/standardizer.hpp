#pragma once
// Scaling of each feature to mean 0 and variance 1.

#include <chainrule/bytes/tokens.hpp>
#include <chainrule/data/affine_scaler.hpp>
#include <chainrule/data/detail/scale_of_features.hpp>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

namespace chainrule {

/// Scales each feature to mean 0 and variance 1, as scikit-learn's StandardScaler does:
///
///     a = (x - mean) / deviation
/// The deviation is that of the population, the square root of the mean of (x - mean)^2. A constant feature becomes 0. Where Scalar cannot
/// hold a feature's mean to 1/256 of its deviation, as for times in seconds since 1970 in float, the scaler keeps the mean in double.
///
/// Fit it to the training data, then transform all data with it. The layer Normalize does the same inside the network:
/// net.buffers<0>().set(Standardizer<float>(train.features)).
template <class Scalar = float>
class Standardizer : public AffineScaler<Scalar> {
  using typename AffineScaler<Scalar>::Sum;

 public:
  /// Creates a scaler that is not fitted yet.
  Standardizer() : AffineScaler<Scalar>("Standardizer") {}

  /// Creates a scaler fitted to x; see fit.
  template <class Derived>
  explicit Standardizer(const Eigen::DenseBase<Derived>& x) : Standardizer() {
    fit(x);
  }

  /// Computes mean and deviation of x (features x samples), in two passes and at least in double precision. Throws ShapeError where x is
  /// empty, ValueError where it has NaN or infinity or where a feature's numbers lie so far apart, or so close together, that Scalar cannot
  /// hold their distance from the mean or 1 / deviation. After an error the previous fit stays.
  template <class Derived>
  void fit(const Eigen::DenseBase<Derived>& x) {
    const ConstMatrixView<Scalar> view = this->checked_data(x);
    const Vector<Sum> scale = detail::scale_of_features(view);
    const Vector<Sum> first = view.col(0).template cast<Sum>().cwiseProduct(scale);  // sums of x - first make the mean of a constant exact
    const Vector<Sum> mean = first + mean_difference(view, scale, first);
    const Vector<Sum> rounding = mean_difference(view, scale, mean);
    Vector<Sum> squares = Vector<Sum>::Zero(view.rows());
    Vector<Sum> largest = Vector<Sum>::Zero(view.rows());
    Vector<Sum> difference(view.rows());
    for (Index j = 0; j < view.cols(); ++j) {
      difference = view.col(j).template cast<Sum>().cwiseProduct(scale) - mean;
      largest = largest.cwiseMax(difference.cwiseAbs());
      difference = difference.cwiseAbs2();
      squares += difference;  // a statement of its own, because compilers may merge product and sum of one into one rounding
    }
    const Vector<Sum> rounding_squares = rounding.cwiseAbs2();

    Vector<Scalar> unit(view.rows());
    for (Index i = 0; i < view.rows(); ++i) {
      this->narrowed(largest[i] / scale[i], i);
      const Sum variance = (std::max)(squares[i] / static_cast<Sum>(view.cols()) - rounding_squares[i], Sum{0});
      unit[i] = this->narrowed_unit(std::sqrt(variance) / scale[i], i);
    }
    set_mean(mean.cwiseQuotient(scale), std::move(unit));
  }

  /// Writes the scaler as one line of text, from which from_string restores it bit for bit. Throws StateError before fit.
  std::string to_string() const {
    this->check_fitted();
    detail::TokenWriter line;
    line.add_word(this->name_);
    line.add_number(this->origin_.size());
    line.add_word("mean");
    for (Index i = 0; i < mean_.size(); ++i) {
      if (this->low_[i] == 0)
        line.add_number(this->origin_[i]);
      else
        line.add_number(mean_[i]);
    }
    line.add_word("deviation");
    line.add_numbers(this->unit_);
    return line.text();
  }

  /// Reads a scaler from the text that to_string writes. Throws ValueError, with what was expected and what was found, for any other.
  static Standardizer from_string(std::string_view text) {
    Standardizer scaler;
    detail::TokenReader line("Standardizer: from_string", text);
    line.take_word(scaler.name_);
    const Index features = line.take_count("features");
    line.take_word("mean");
    const Vector<Sum> mean = line.take_numbers<Sum>(features);
    line.take_word("deviation");
    Vector<Scalar> deviation = line.take_numbers<Scalar>(features, 0);
    line.expect_end();
    scaler.set_mean(mean, std::move(deviation));
    return scaler;
  }

 private:
  /// Sets the map from mean and deviation. Where rounding the mean to Scalar moves it by more than 1/256 of the deviation, the rounded mean
  /// becomes (rounded mean - mean) / deviation instead of 0. Throws as AffineScaler::set does, before anything has changed.
  void set_mean(const Vector<Sum>& mean, Vector<Scalar> deviation) {
    Vector<Scalar> origin(mean.size());
    Vector<Scalar> low = Vector<Scalar>::Zero(mean.size());
    for (Index i = 0; i < mean.size(); ++i) {
      origin[i] = this->narrowed(mean[i], i);
      const Sum rounding = static_cast<Sum>(origin[i]) - mean[i], unit = static_cast<Sum>(deviation[i]);
      if (unit > 0 && std::abs(rounding) > unit / 256) low[i] = static_cast<Scalar>(rounding / unit);
    }
    this->set(std::move(low), 1, std::move(origin), std::move(deviation));
    mean_ = mean;
  }

  /// Returns the mean over the samples of x * scale - reference, for each feature.
  static Vector<Sum> mean_difference(const ConstMatrixView<Scalar>& x, const Vector<Sum>& scale, const Vector<Sum>& reference) {
    Vector<Sum> sum = Vector<Sum>::Zero(x.rows());
    for (Index j = 0; j < x.cols(); ++j) sum += x.col(j).template cast<Sum>().cwiseProduct(scale) - reference;
    return sum / static_cast<Sum>(x.cols());
  }

  Vector<Sum> mean_ = {};
};

}  // namespace chainrule
