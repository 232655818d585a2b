#pragma once
// Missing numbers, stored as NaN, are replaced by the mean of their feature.

#include <chainrule/bytes/tokens.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/data/detail/scale_of_features.hpp>
#include <string>
#include <string_view>

namespace chainrule {

/// Replaces missing numbers, which are NaN, by the mean of their feature, as scikit-learn's SimpleImputer does. read_csv reads missing
/// values as NaN with Missing::nan.
///
/// Fit it to the training data, then transform all data with it, so that a sample becomes the same numbers in whatever file it stands:
/// @code{.cpp}
/// auto data = read_csv<Dataset<float>>("customers.csv", {.target = "segment", .missing = Missing::nan});
/// auto [train, test] = split(data, {.test_share = 0.2});
/// MeanImputer<float> imputer(train.features);
/// imputer.transform_in_place(train.features);
/// imputer.transform_in_place(test.features);
/// @endcode
template <class Scalar = float>
class MeanImputer {
 public:
  using ScalarType = Scalar;  ///< the type of the numbers

  /// Creates an imputer that is not fitted yet.
  MeanImputer() = default;

  /// Creates an imputer fitted to x; see fit.
  template <class Derived>
  explicit MeanImputer(const Eigen::DenseBase<Derived>& x) {
    fit(x);
  }

  bool is_fitted() const { return means_.size() > 0; }  ///< whether fit was called or the imputer was read by from_string

  /// The mean of each feature. Throws StateError before fit.
  const Vector<Scalar>& means() const {
    if (!is_fitted()) detail::raise<StateError>("MeanImputer: nothing is fitted yet; call fit(x) with the training data first");
    return means_;
  }

  /// Computes the mean of each feature of x (features x samples) over its numbers that are not NaN, at least in double precision. Throws
  /// ShapeError where x is empty, ValueError where it has infinity or where all numbers of a feature are NaN. After an error the previous
  /// fit stays.
  template <class Derived>
  void fit(const Eigen::DenseBase<Derived>& x) {
    using Sum = detail::Accumulator<Scalar>;
    const ConstMatrixView<Scalar> view = detail::const_view<Scalar>(x);
    if (view.rows() < 1 || view.cols() < 1)
      detail::raise<ShapeError>("MeanImputer: fit needs at least one feature (row) and one sample (column), but x is ", view.rows(), " x ",
                                view.cols());
    check_not_infinite(view);
    const Vector<Sum> scale = detail::scale_of_features(view);
    Vector<Sum> first(view.rows());
    Vector<Sum> sum = Vector<Sum>::Zero(view.rows());  // sums of x - first make the mean of equal numbers exact
    Vector<Index> count = Vector<Index>::Zero(view.rows());
    for (Index j = 0; j < view.cols(); ++j)
      for (Index i = 0; i < view.rows(); ++i) {
        if (!detail::is_finite(view(i, j))) continue;
        const Sum number = Sum{view(i, j)} * scale[i];
        if (count[i]++ == 0) first[i] = number;
        sum[i] += number - first[i];
      }
    Vector<Scalar> means(view.rows());
    for (Index i = 0; i < view.rows(); ++i) {
      if (count[i] == 0)
        detail::raise<ValueError>("MeanImputer: feature ", i, " has no mean, because all of its numbers are missing (NaN); leave it out");
      means[i] = static_cast<Scalar>((first[i] + sum[i] / static_cast<Sum>(count[i])) / scale[i]);
    }
    means_ = std::move(means);
  }

  /// Returns x (features x samples) with the mean of the feature for each NaN. Throws StateError before fit, ShapeError where x has another
  /// number of rows than the fitted data, ValueError for infinity.
  template <class Derived>
  Matrix<Scalar> transform(const Eigen::DenseBase<Derived>& x) const {
    Matrix<Scalar> filled = detail::const_view<Scalar>(x);
    transform_in_place(filled);
    return filled;
  }
  /// Replaces each NaN in x by the mean of its feature, without allocating. Throws as transform does, before x has changed.
  template <detail::EigenDense X>
  void transform_in_place(X&& x) const {
    MatrixView<Scalar> view = detail::mutable_view<Scalar>(x);
    if (view.rows() != means().size())
      detail::raise<ShapeError>("MeanImputer: transform got ", view.rows(), " rows, but ", means_.size(),
                                " features were fitted (one column is one sample)");
    check_not_infinite(detail::as_const(view));
    for (Index j = 0; j < view.cols(); ++j)
      for (Index i = 0; i < view.rows(); ++i)
        if (!detail::is_finite(view(i, j))) view(i, j) = means_[i];
  }

  /// Writes the imputer as one line of text, from which from_string restores it bit for bit. Throws StateError before fit.
  std::string to_string() const {
    detail::TokenWriter line;
    line.add_word("MeanImputer");
    line.add_number(means().size());
    line.add_word("mean");
    line.add_numbers(means_);
    return line.text();
  }

  /// Reads an imputer from the text that to_string writes. Throws ValueError, with what was expected and what was found, for any other.
  static MeanImputer from_string(std::string_view text) {
    detail::TokenReader line("MeanImputer: from_string", text);
    line.take_word("MeanImputer");
    const Index features = line.take_count("features");
    line.take_word("mean");
    MeanImputer imputer;
    imputer.means_ = line.take_numbers<Scalar>(features);
    line.expect_end();
    return imputer;
  }

 private:
  static void check_not_infinite(const ConstMatrixView<Scalar>& x) {
    for (Index j = 0; j < x.cols(); ++j)
      for (Index i = 0; i < x.rows(); ++i)
        if (!detail::is_finite(x(i, j)) && !detail::is_nan(x(i, j)))
          detail::raise<ValueError>("MeanImputer: x(", i, ", ", j,
                                    ") is infinite; all numbers must be finite, or NaN where they are missing");
  }

  Vector<Scalar> means_ = {};
};

}  // namespace chainrule
