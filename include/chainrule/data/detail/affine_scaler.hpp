#pragma once

#include <algorithm>
#include <chainrule/bytes/decimal.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace chainrule::detail {

/// What Standardizer and MinMaxScaler have in common: for each feature an origin, which becomes `low`, and a unit, which becomes 1:
///     a = low + (x - origin) / unit = (x - shift) * scale        x = origin + (a - low) * unit
/// A constant feature has a unit of 0: it becomes low (which rounding may miss by its last digit), and back the same constant.
template <class Scalar>
class Scaler {
 public:
  using ScalarType = Scalar;

  bool is_fitted() const { return origin_.size() > 0; }  ///< whether fit was called, or a fitted one was read

  /// The form that Normalize takes, a = (x - shift) * scale, with a number for each feature; both finite, scale not 0.
  const Vector<Scalar>& shift() const { return check_fitted().shift_; }
  const Vector<Scalar>& scale() const { return check_fitted().scale_; }  ///< see shift

  /// x scaled (features x samples). Throws StateError before fit, ShapeError where x has another number of rows than what was
  /// fitted, ValueError for NaN and infinity.
  template <class Derived>
  Matrix<Scalar> transform(const Eigen::DenseBase<Derived>& x) const {
    Matrix<Scalar> a = checked("transform", const_view<Scalar>(x));
    apply(mutable_view<Scalar>(a));
    return a;
  }
  /// The same, written over x itself; allocates nothing.
  template <EigenDense X>
  void transform_in_place(X&& x) const {
    const MatrixView<Scalar> view = mutable_view<Scalar>(x);
    checked("transform_in_place", as_const(view));
    apply(view);
  }

  /// The x that has become a. Throws like transform.
  template <class Derived>
  Matrix<Scalar> inverse(const Eigen::DenseBase<Derived>& a) const {
    Matrix<Scalar> x = checked("inverse", const_view<Scalar>(a));
    undo(mutable_view<Scalar>(x));
    return x;
  }
  /// The same, written over a itself; allocates nothing.
  template <EigenDense A>
  void inverse_in_place(A&& a) const {
    const MatrixView<Scalar> view = mutable_view<Scalar>(a);
    checked("inverse_in_place", as_const(view));
    undo(view);
  }

 protected:
  using Sum = Accumulator<Scalar>;

  explicit Scaler(const char* name) : name_{name} {}

  /// Takes what has been fitted: for each feature an origin and a unit >= 0.
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
      } else {  // low = (c - shift) * scale with a power of 2 for c - shift, so that it is exact also for a large c
        const Scalar c = origin[i];
        const Scalar step = std::copysign(std::abs(c) < 1 ? Scalar{1} : std::scalbn(Scalar{1}, std::ilogb(c)), c);
        scale[i] = low / step;
        shift[i] = c - step;
      }
    }
    low_ = low;
    origin_ = std::move(origin);
    unit_ = std::move(unit);
    shift_ = std::move(shift);
    scale_ = std::move(scale);
  }

  /// A statistic of feature i as Scalar. Throws ValueError where it is too large for one.
  Scalar narrowed(Sum number, Index i) const {
    if (!(std::abs(number) <= Sum{std::numeric_limits<Scalar>::max()}))
      raise<ValueError>(name_, ": the numbers of feature ", i, " lie too far apart for their type; scale them down first");
    return static_cast<Scalar>(number);
  }

  /// x to be fitted: at least one sample, at least one feature, all numbers finite.
  template <class Derived>
  ConstMatrixView<Scalar> checked_data(const Eigen::DenseBase<Derived>& x) const {
    const ConstMatrixView<Scalar> view = const_view<Scalar>(x);
    if (view.rows() < 1 || view.cols() < 1)
      raise<ShapeError>(name_, ": fit needs at least one feature (row) and one sample (column), but x is ", view.rows(), " x ",
                        view.cols());
    check_finite(name_, "x", view);
    return view;
  }

  const Scaler& check_fitted() const {
    if (!is_fitted()) raise<StateError>(name_, ": nothing is fitted yet; call fit(x) with the training data first");
    return *this;
  }

  const char* name_;
  Scalar low_ = 0;
  Vector<Scalar> origin_ = {};
  Vector<Scalar> unit_ = {};

 private:
  ConstMatrixView<Scalar> checked(const char* call, const ConstMatrixView<Scalar>& x) const {
    check_fitted();
    if (x.rows() != origin_.size())
      raise<ShapeError>(name_, ": ", call, " got ", x.rows(), " rows, but ", origin_.size(),
                        " features were fitted (one column is one sample)");
    check_finite(name_, "x", x);
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
  void undo(MatrixView<Scalar> a) const {
    for (Index j = 0; j < a.cols(); ++j) {
      Scalar* column = a.data() + j * a.outerStride();
      for (Index i = 0; i < a.rows(); ++i) column[i] = origin_[i] + (column[i] - low_) * unit_[i];
    }
  }

  Vector<Scalar> shift_ = {};
  Vector<Scalar> scale_ = {};
};

/// Words and numbers in one line of text, from which they are read back to the same bits.
template <class Scalar>
class TextLine {
 public:
  explicit TextLine(const char* who, std::string_view text = {}) : who_{who}, rest_{text} {}

  void add(std::string_view word) { text_ += (text_.empty() ? "" : " ") + std::string(word); }
  template <class Number>
  void add_number(Number number) {
    std::string digits;
    if constexpr (std::is_floating_point_v<Number>)
      append_shortest(digits, number);
    else
      append(digits, number);
    add(digits);
  }
  void add_numbers(const Vector<Scalar>& numbers) {
    for (const Scalar number : numbers) add_number(number);
  }
  const std::string& text() const { return text_; }

  void take(std::string_view word) {
    if (const std::string_view found = next(); found != word)
      raise<ValueError>(who_, ": from_string expected the word \"", word, "\", but found \"", found.substr(0, 40), "\"");
  }
  template <class Number = Scalar>
  Number take_number() {
    const std::string_view found = next();
    Number number{};
    if (parse_number(found, number) != ParseResult::number)
      raise<ValueError>(who_, ": from_string expected a number, but found \"", found.substr(0, 40), "\"");
    return number;
  }
  /// How many numbers follow, which cannot be more than there is room for.
  Index take_count() {
    const std::string_view found = next();
    Index count = 0;
    const auto [end, error] = std::from_chars(found.data(), found.data() + found.size(), count);
    if (error != std::errc{} || end != found.data() + found.size() || count < 1 || count > static_cast<Index>(rest_.size()))
      raise<ValueError>(who_, ": from_string expected how many features there are, but found \"", found.substr(0, 40), "\"");
    return count;
  }
  Vector<Scalar> take_numbers(Index count, Scalar least = std::numeric_limits<Scalar>::lowest()) {
    Vector<Scalar> numbers(count);
    for (Scalar& number : numbers) {
      number = take_number();
      if (number < least) raise<ValueError>(who_, ": from_string expected a number of at least ", least, ", but found ", number);
    }
    return numbers;
  }
  void end() {
    if (const std::string_view found = next(); !found.empty())
      raise<ValueError>(who_, ": from_string expected the end of the text, but found \"", found.substr(0, 40), "\"");
  }

 private:
  std::string_view next() {
    rest_ = rest_.substr(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
    const std::string_view word = rest_.substr(0, rest_.find_first_of(" \t\r\n"));
    rest_.remove_prefix(word.size());
    return word;
  }

  const char* who_;
  std::string_view rest_;
  std::string text_ = {};
};

}  // namespace chainrule::detail
