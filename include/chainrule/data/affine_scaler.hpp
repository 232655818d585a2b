#pragma once

#include <algorithm>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <cmath>
#include <limits>
#include <utility>

namespace chainrule {

/// Base class of Standardizer and MinMaxScaler: an affine map per feature, described by an `origin`, which becomes `low`, and a `unit`,
/// which becomes 1:
///
///     a = low + (x - origin) * scale        with scale = 1 / unit
///     x = origin + (a - low) * unit
///
/// The unit of a constant feature is 0: transform gives low, and inverse gives the constant back.
template <class Scalar>
class AffineScaler {
 public:
  using ScalarType = Scalar;  ///< the type of the numbers

  bool is_fitted() const { return origin_.size() > 0; }  ///< whether fit was called or the scaler was read by from_string

  /// The shift of each feature in a = (x - shift) * scale, the form that the layer Normalize takes; always finite. Throws StateError
  /// before fit, and ValueError where a feature's numbers lie so close together for their size that rounding the shift to
  /// Scalar would move the scaled feature by more than 1/256 of high - low; transform does not use the shift.
  const Vector<Scalar>& shift() const {
    check_fitted();
    if (lost_shift_ >= 0)
      detail::raise<ValueError>(name_, ": feature ", lost_shift_, " has no shift that its type can hold; use transform(x), or double");
    return shift_;
  }
  /// The scale of each feature in a = (x - shift) * scale; always finite and never 0. Throws StateError before fit.
  const Vector<Scalar>& scale() const { return check_fitted().scale_; }

  /// Returns x scaled (features x samples). Throws StateError before fit, ShapeError where x has another number of rows than the fitted
  /// data, ValueError for NaN and infinity and where a scaled number is too large for Scalar.
  template <class Derived>
  Matrix<Scalar> transform(const Eigen::DenseBase<Derived>& x) const {
    Matrix<Scalar> a = detail::const_view<Scalar>(x);
    apply("transform", detail::mutable_view<Scalar>(a), origin_, scale_, low_);
    return a;
  }
  /// Scales x in place, without allocating. Throws as transform does, before x has changed.
  template <detail::EigenDense X>
  void transform_in_place(X&& x) const {
    apply("transform_in_place", detail::mutable_view<Scalar>(x), origin_, scale_, low_);
  }

  /// Returns the x that transform maps to a. Throws as transform does.
  template <class Derived>
  Matrix<Scalar> inverse(const Eigen::DenseBase<Derived>& a) const {
    Matrix<Scalar> x = detail::const_view<Scalar>(a);
    apply("inverse", detail::mutable_view<Scalar>(x), low_, unit_, origin_);
    return x;
  }
  /// Replaces a by the x that transform maps to it, without allocating. Throws as transform does, before a has changed.
  template <detail::EigenDense A>
  void inverse_in_place(A&& a) const {
    apply("inverse_in_place", detail::mutable_view<Scalar>(a), low_, unit_, origin_);
  }

 protected:
  /// The type of sums: double or wider.
  using Sum = detail::Accumulator<Scalar>;

  /// `name` begins the error messages.
  explicit AffineScaler(const char* name) : name_{name} {}

  /// Sets the map: for each feature an origin, what it becomes, `lows`, and a unit >= 0. The fitted data becomes numbers from about low to
  /// high. Throws ValueError for a unit so large or small that Scalar cannot hold 1 / unit.
  void set(Vector<Scalar> lows, Scalar high, Vector<Scalar> origin, Vector<Scalar> unit) {
    Vector<Scalar> shift(origin.size());
    Vector<Scalar> scale(origin.size());
    Index lost_shift = -1;
    for (Index i = 0; i < origin.size(); ++i) {
      const Scalar low = lows[i];
      if (unit[i] != 0) {
        scale[i] = 1 / unit[i];
        if (!detail::is_finite(scale[i])) too_close_together(i);
        if (scale[i] == 0) too_far_apart(i);  // where the processor flushes subnormal numbers to 0
        const Sum low_units = static_cast<Sum>(unit[i]) * static_cast<Sum>(low);
        shift[i] = static_cast<Scalar>(static_cast<Sum>(origin[i]) - low_units);
        const Scalar lowest = (origin[i] - shift[i]) * scale[i];  // low, but for the rounding of shift
        if (lost_shift < 0 && !(std::abs(lowest - low) <= high / 256 - low / 256)) lost_shift = i;
      } else if (low == 0) {
        scale[i] = 1;
        shift[i] = origin[i];
      } else {  // low = (c - shift) * scale, where c - shift is a power of 2 of the size of c, so that it is exact for a large c too
        const Scalar c = origin[i];
        const Scalar power = std::copysign(std::abs(c) < 1 ? Scalar{1} : std::scalbn(Scalar{1}, std::ilogb(c)), c);
        scale[i] = low / power;
        shift[i] = c - power;
        if (scale[i] == 0) {  // low is too small beside c
          scale[i] = 1;
          if (lost_shift < 0) lost_shift = i;
        }
      }
    }
    low_ = std::move(lows);
    origin_ = std::move(origin);
    unit_ = std::move(unit);
    shift_ = std::move(shift);
    scale_ = std::move(scale);
    lost_shift_ = lost_shift;
  }

  /// Converts a statistic of feature i to Scalar. Throws ValueError where it is too large for it.
  Scalar narrowed(Sum number, Index i) const {
    if (!(std::abs(number) <= static_cast<Sum>((std::numeric_limits<Scalar>::max)()))) too_far_apart(i);
    return static_cast<Scalar>(number);
  }

  /// Converts a unit of feature i to Scalar. Throws ValueError where it is too large for it, or becomes 0 though the feature is not
  /// constant.
  Scalar narrowed_unit(Sum unit, Index i) const {
    const Scalar narrow = narrowed(unit, i);
    if (unit > 0 && narrow == 0) too_close_together(i);
    return narrow;
  }

  /// Returns a view of the data to fit. Throws ShapeError where there is no sample or no feature, ValueError for NaN and infinity.
  template <class Derived>
  ConstMatrixView<Scalar> checked_data(const Eigen::DenseBase<Derived>& x) const {
    const ConstMatrixView<Scalar> view = detail::const_view<Scalar>(x);
    if (view.rows() < 1 || view.cols() < 1)
      detail::raise<ShapeError>(name_, ": fit needs at least one feature (row) and one sample (column), but x is ", view.rows(), " x ",
                                view.cols());
    detail::check_finite(name_, "x", view);
    return view;
  }

  /// Throws StateError before fit, else returns this scaler.
  const AffineScaler& check_fitted() const {
    if (!is_fitted()) detail::raise<StateError>(name_, ": nothing is fitted yet; call fit(x) with the training data first");
    return *this;
  }

  const char* name_;            ///< begins the error messages
  Vector<Scalar> low_ = {};     ///< the scaled number that `origin` becomes
  Vector<Scalar> origin_ = {};  ///< the number of each feature that becomes `low`
  Vector<Scalar> unit_ = {};    ///< the difference of each feature that becomes 1; 0 for a constant feature

 private:
  [[noreturn]] void too_far_apart(Index i) const {
    detail::raise<ValueError>(name_, ": the numbers of feature ", i, " lie too far apart for their type; scale them down first");
  }

  [[noreturn]] void too_close_together(Index i) const {
    detail::raise<ValueError>(name_, ": the numbers of feature ", i, " lie too close together for their type; scale them up first");
  }

  // x = to + (x - from) * factor        (features x samples)
  void apply(const char* caller, MatrixView<Scalar> x, const Vector<Scalar>& from, const Vector<Scalar>& factor,
             const Vector<Scalar>& to) const {
    check_fitted();
    if (x.rows() != origin_.size())
      detail::raise<ShapeError>(name_, ": ", caller, " got ", x.rows(), " rows, but ", origin_.size(),
                                " features were fitted (one column is one sample)");
    detail::check_finite(name_, "x", detail::as_const(x));
    check_range(caller, detail::as_const(x), from, factor, to);
    for (Index j = 0; j < x.cols(); ++j) {  // in two statements, because compilers may merge product and sum of one into one rounding
      x.col(j) = (x.col(j) - from).cwiseProduct(factor);
      x.col(j) += to;
    }
  }

  // Throws ValueError where the result of apply is too large for Scalar.
  void check_range(const char* caller, ConstMatrixView<Scalar> x, const Vector<Scalar>& from, const Vector<Scalar>& factor,
                   const Vector<Scalar>& to) const {
    constexpr Sum max = (std::numeric_limits<Scalar>::max)();
    Sum safe = max;  // no number up to it in absolute value gives a result of more than max / 2
    for (Index i = 0; i < x.rows(); ++i)
      safe = (std::min)(safe, (max / 2 - std::abs(Sum{to[i]})) / (std::max)(std::abs(Sum{factor[i]}), Sum{1}) - std::abs(Sum{from[i]}));
    if (x.cols() == 0 || x.cwiseAbs().maxCoeff() <= safe) return;
    for (Index j = 0; j < x.cols(); ++j)
      for (Index i = 0; i < x.rows(); ++i)
        if (!detail::is_finite(to[i] + (x(i, j) - from[i]) * factor[i]))
          detail::raise<ValueError>(name_, ": ", caller, " of x(", i, ", ", j, ") = ", x(i, j),
                                    " gives a number too large for its type; is it in the units of the fitted data?");
  }

  Vector<Scalar> shift_ = {};
  Vector<Scalar> scale_ = {};
  Index lost_shift_ = -1;  // the first feature whose shift cannot be rounded to Scalar, or -1
};

}  // namespace chainrule
