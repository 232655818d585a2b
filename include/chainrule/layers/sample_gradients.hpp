#pragma once

#include <algorithm>
#include <chainrule/kernels/layer_products.hpp>
#include <chainrule/kernels/map.hpp>
#include <chainrule/optimizers/clip.hpp>
#include <cmath>
#include <utility>

namespace chainrule {

/// Receives the gradients by the parameters that a layer's member `sample_gradients` computes for each column of dJ/da by itself, instead
/// of their sum. They become columns of a matrix, or only their norms are computed. The norm of an outer product needs no matrix:
///
///     |u v^T| = |u| |v|        (Goodfellow 2015, Efficient per-example gradient computations)
///
/// A layer describes the gradient of each column in parts: outer products, and numbers of a formula. Positions count from the first
/// parameter of the layer.
template <class Scalar>
class SampleGradients {
 public:
  /// For gradients as columns of `all`, parameters x (directions batch): column k batch + j of dJ/da, which belongs to sample j, goes to
  /// column j directions + first + k.
  SampleGradients(MatrixView<Scalar> all, Index batch, Index directions, Index first)
      : forms_{true},
        batch_{batch},
        sample_step_{directions * all.outerStride()},
        direction_step_{all.outerStride()},
        numbers_{all.data() + first * all.outerStride()} {}

  /// For the norm of each sample's gradient, at norms[j step], where there is one column for each sample. The norms are 0 at first, and
  /// each part adds its own.
  SampleGradients(Scalar* norms, Index step, Index batch) : batch_{batch}, sample_step_{step}, numbers_{norms} {}

  /// The sample that a column belongs to.
  Index sample_of(Index column) const { return column % batch_; }

  /// The receiver for a layer inside of a layer, whose parameters begin at `offset`.
  SampleGradients of_parameters_from(Index offset) const {
    SampleGradients inside = *this;
    if (forms_) inside.numbers_ += offset;
    return inside;
  }

  /// Sets rows x columns parameters from `first` on, a column-major matrix, to u v^T. u: `rows` numbers, v: `columns` numbers.
  void outer_product(Index column, Index first, Index rows, const Scalar* u, Index columns, const Scalar* v) const {
    if (forms_)
      kernels::LayerProducts<Scalar>(rows, columns)
          .weight_gradient(detail::matrix_view(u, rows, 1), detail::matrix_view(v, columns, 1), kernels::Block{0, rows, 0, columns},
                           place_of(column) + first);
    else
      add_to_norm(column, detail::norm(rows, u) * detail::norm(columns, v));
  }

  /// Sets `size` parameters from `first` on to formula(in[i] ...), a CHAINRULE_FORMULA of arrays of `size` numbers.
  template <class F, class... In>
  requires(sizeof...(In) > 0) void numbers(Index column, Index first, Index size, const F& formula, const In*... in) const {
    if (forms_) return kernels::map(size, formula, place_of(column) + first, in...);
    Scalar piece[std::size_t{numbers_at_once}];
    Number norm = 0;
    for (Index i = 0; i < size; i += numbers_at_once) {
      const Index count = (std::min)(numbers_at_once, size - i);
      kernels::map(count, formula, piece, (in + i)...);
      norm = norm_of_both(norm, detail::norm(count, static_cast<const Scalar*>(piece)));
    }
    add_to_norm(column, norm);
  }
  /// Sets `size` parameters from `first` on to 0.
  void zeros(Index column, Index first, Index size) const {
    if (forms_) std::fill_n(place_of(column) + first, size, Scalar{0});
  }
  /// Sets `size` parameters from `first` on to u.
  void numbers(Index column, Index first, Index size, const Scalar* u) const {
    if (forms_)
      std::copy_n(u, size, place_of(column) + first);
    else
      add_to_norm(column, detail::norm(size, u));
  }

 private:
  using Number = detail::Accumulator<Scalar>;
  static constexpr Index numbers_at_once = 64;

  Scalar* place_of(Index column) const { return numbers_ + sample_of(column) * sample_step_ + column / batch_ * direction_step_; }

  void add_to_norm(Index column, Number norm) const {
    Scalar& sum = *place_of(column);
    sum = static_cast<Scalar>(norm_of_both(static_cast<Number>(sum), norm));
  }

  // sqrt(a^2 + b^2) of two norms, without a square that is too large
  static Number norm_of_both(Number a, Number b) {
    if (a < b) std::swap(a, b);
    if (!(b > 0) || !detail::is_finite(a)) return a + b;
    const Number ratio = b / a;
    return a * std::sqrt(1 + detail::rounded(ratio * ratio));
  }

  bool forms_ = false;  // the gradients themselves, else their norms
  Index batch_;
  Index sample_step_;
  Index direction_step_ = 0;
  Scalar* numbers_;
};

}  // namespace chainrule
