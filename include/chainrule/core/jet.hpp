#pragma once

#include <chainrule/core/types.hpp>
#include <span>

namespace chainrule {

/// One term of a second derivative: coefficient d2/(dt_k dt_l) for directions k and l, added to second derivative number `second`.
struct SecondDerivativeTerm {
  Index second = 0;        ///< the second derivative that this is a term of
  Index k = 0;             ///< the number of one direction
  Index l = 0;             ///< the number of the other direction, which may be the same
  double coefficient = 1;  ///< the factor of the term
};

/// The derivatives that a jet holds. The jet of a vector a(t), which depends on numbers t_1, t_2, ..., is its derivatives at t = 0
/// (Griewank and Walther 2008, chapter 13): first derivatives da/dt_k along directions, and second derivatives, each a sum of terms
/// coefficient d2a/(dt_k dt_l). The value a(0) itself is not part of it.
///
/// A jet is a matrix with one channel of `batch` columns for each derivative, the first derivatives before the second ones. Passed from
/// layer to layer by the chain rule, it gives the derivatives of a network's output along directions of its input:
///
///     a = f(z):  da/dt_k = f'(z) dz/dt_k,  d2a/(dt_k dt_l) = f'(z) d2z/(dt_k dt_l) + f''(z) dz/dt_k dz/dt_l
struct JetShape {
  Index batch = 0;                                   ///< the number of samples
  Index first = 0;                                   ///< the number of directions
  Index second = 0;                                  ///< the number of second derivatives
  std::span<const SecondDerivativeTerm> terms = {};  ///< the terms of all second derivatives

  Index channels() const { return first + second; }     ///< the number of derivatives
  Index columns() const { return batch * channels(); }  ///< the number of columns of a jet
  /// The first derivative along direction k in a jet, units x batch.
  template <class View>
  View first_of(View jet, Index k) const {
    return detail::columns_of(jet, k * batch, batch);
  }
  /// Second derivative number p in a jet, units x batch.
  template <class View>
  View second_of(View jet, Index p) const {
    return detail::columns_of(jet, (first + p) * batch, batch);
  }
};

}  // namespace chainrule
