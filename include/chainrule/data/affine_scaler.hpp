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
///     a = low + (x - origin) / unit = (x - shift) * scale
///     x = origin + (a - low) * unit
///
/// The unit of a constant feature is 0: transform gives low (to within rounding), and inverse gives the constant back.
template <class Scalar>
class AffineScaler {
 public:
  using ScalarType = Scalar;  ///< the type of the numbers

  bool is_fitted() const { return origin_.size() > 0; }  ///< whether fit was called or the scaler was read by from_string

  /// The shift of each feature in a = (x - shift) * scale, the form that the layer Normalize takes; always finite. Throws StateError
  /// before fit.
  const Vector<Scalar>& shift() const { return check_fitted().shift_; }
  /// The scale of each feature in a = (x - shift) * scale; always finite and never 0. Throws StateError before fit.
  const Vector<Scalar>& scale() const { return check_fitted().scale_; }

  /// Returns x scaled (features x samples). Throws StateError before fit, ShapeError where x has another number of rows than the fitted
  /// data, ValueError for NaN and infinity.
  template <class Derived>
  Matrix<Scalar> transform(const Eigen::DenseBase<Derived>& x) const {
    Matrix<Scalar> a = checked("transform", detail::const_view<Scalar>(x));
    apply(detail::mutable_view<Scalar>(a));
    return a;
  }
  /// Scales x in place, without allocating. Throws as transform does.
  template <detail::EigenDense X>
  void transform_in_place(X&& x) const {
    const MatrixView<Scalar> view = detail::mutable_view<Scalar>(x);
    checked("transform_in_place", detail::as_const(view));
    apply(view);
  }

  /// Returns the x that transform maps to a. Throws as transform does.
  template <class Derived>
  Matrix<Scalar> inverse(const Eigen::DenseBase<Derived>& a) const {
    Matrix<Scalar> x = checked("inverse", detail::const_view<Scalar>(a));
    apply_inverse(detail::mutable_view<Scalar>(x));
    return x;
  }
  /// Replaces a by the x that transform maps to it, without allocating. Throws as transform does.
  template <detail::EigenDense A>
  void inverse_in_place(A&& a) const {
    const MatrixView<Scalar> view = detail::mutable_view<Scalar>(a);
    checked("inverse_in_place", detail::as_const(view));
    apply_inverse(view);
  }

 protected:
  /// The type of sums: double or wider.
  using Sum = detail::Accumulator<Scalar>;

  /// `name` begins the error messages.
  explicit AffineScaler(const char* name) : name_{name} {}

  /// Sets the map: for each feature an origin and a unit >= 0.
  void set(Scalar low, Vector<Scalar> origin, Vector<Scalar> unit) {
    Vector<Scalar> shift(origin.size());
    Vector<Scalar> scale(origin.size());
    for (Index i = 0; i < origin.size(); ++i) {
      if (unit[i] < std::numeric_limits<Scalar>::min()) unit[i] = 0;  // 1 / unit would be infinite
      if (unit[i] != 0) {
        scale[i] = 1 / unit[i];
        shift[i] = narrowed(Sum{origin[i]} - Sum{low} * Sum{unit[i]}, i);
      } else if (low == 0) {
        scale[i] = 1;
        shift[i] = origin[i];
      } else {  // low = (c - shift) * scale, where c - shift is a power of 2 of the size of c, so that it is exact for a large c too
        const Scalar c = origin[i];
        const Scalar power = std::copysign(std::abs(c) < 1 ? Scalar{1} : std::scalbn(Scalar{1}, std::ilogb(c)), c);
        scale[i] = low / power;
        shift[i] = c - power;
      }
    }
    low_ = low;
    origin_ = std::move(origin);
    unit_ = std::move(unit);
    shift_ = std::move(shift);
    scale_ = std::move(scale);
  }

  /// Converts a statistic of feature i to Scalar. Throws ValueError where it is too large for it.
  Scalar narrowed(Sum number, Index i) const {
    if (!(std::abs(number) <= Sum{std::numeric_limits<Scalar>::max()}))
      detail::raise<ValueError>(name_, ": the numbers of feature ", i, " lie too far apart for their type; scale them down first");
    return static_cast<Scalar>(number);
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
  Scalar low_ = 0;              ///< the scaled number that `origin` becomes
  Vector<Scalar> origin_ = {};  ///< the number of each feature that becomes `low`
  Vector<Scalar> unit_ = {};    ///< the difference of each feature that becomes 1; 0 for a constant feature

 private:
  ConstMatrixView<Scalar> checked(const char* caller, const ConstMatrixView<Scalar>& x) const {
    check_fitted();
    if (x.rows() != origin_.size())
      detail::raise<ShapeError>(name_, ": ", caller, " got ", x.rows(), " rows, but ", origin_.size(),
                                " features were fitted (one column is one sample)");
    detail::check_finite(name_, "x", x);
    return x;
  }

  // a = (x - shift) * scale        (features x samples)
  void apply(MatrixView<Scalar> x) const {
    for (Index j = 0; j < x.cols(); ++j) {
      Scalar* column = x.data() + j * x.outerStride();
      for (Index i = 0; i < x.rows(); ++i) column[i] = (column[i] - shift_[i]) * scale_[i];
    }
  }

  // x = origin + (a - low) * unit        (features x samples)
  void apply_inverse(MatrixView<Scalar> a) const {
    for (Index j = 0; j < a.cols(); ++j) {
      Scalar* column = a.data() + j * a.outerStride();
      for (Index i = 0; i < a.rows(); ++i) column[i] = origin_[i] + (column[i] - low_) * unit_[i];
    }
  }

  Vector<Scalar> shift_ = {};
  Vector<Scalar> scale_ = {};
};

}  // namespace chainrule
