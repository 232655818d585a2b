#pragma once
// The jet of an elementwise function a = f(z), forward and back, for layers with an activation. core/jet.hpp says what a jet is.

#include <array>
#include <chainrule/core/jet.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <chainrule/kernels/map.hpp>
#include <string>

namespace chainrule::detail {

/// Says which derivative an activation lacks, of the derivatives up to this order; empty where it lacks none.
template <class F>
std::string missing_derivative_of_activation(const F& f, int order) {
  const auto missing = [&f](const char* which) {
    return text_of("the activation ", f.name, " has no ", which, " derivative (core/concepts.hpp says how to define it)");
  };
  if (order >= 2 && !kernels::has_second_derivative(f)) return missing("second");
  if (order >= 3 && !kernels::has_third_derivative(f)) return missing("third");
  return {};
}

/// f'(z), f''(z) and f'''(z) of all units and samples, which the forward pass of a jet computes and the backward pass uses too.
template <class Scalar>
struct ActivationDerivatives {
  ActivationDerivatives(Index units, Index max_batch) : first(units, max_batch), second(units, max_batch), third(units, max_batch) {}

  /// Computes f' and f'', and f''' where the jet has second derivatives and f defines it. `kept`, units x batch, is a = f(z) if f has
  /// derivative_from_output, else z.
  template <class F>
  void compute(const F& f, const JetShape& shape, const ConstMatrixView<Scalar>& kept) {
    const bool contiguous = kernels::is_contiguous(kept);
    const Index columns = contiguous ? 1 : kept.cols(), size = kept.size() / columns;
    const bool needs_third = shape.second > 0 && kernels::has_third_derivative(f);
    Scalar *f1 = first.first(kept.cols()).data(), *f2 = second.first(kept.cols()).data(), *f3 = third.first(kept.cols()).data();
    for (Index j = 0; j < columns; ++j) {
      const Scalar* column = kept.data() + j * kept.outerStride();
      if constexpr (HasThirdDerivative<F>)
        kernels::derivatives(f, size, column, f1 + j * size, f2 + j * size, needs_third ? f3 + j * size : nullptr);
      else
        kernels::derivatives(f, size, column, f1 + j * size, f2 + j * size, nullptr);
    }
  }

  BatchStorage<Scalar, Dynamic, Dynamic> first;
  BatchStorage<Scalar, Dynamic, Dynamic> second;
  BatchStorage<Scalar, Dynamic, Dynamic> third;
};

/// Computes the jet `a` of f(z) from the jet `z`. Both are units x columns without gaps.
///
///     a_k = f'(z) z_k,  a_p = f'(z) z_p + f''(z) sum over the terms of p: coefficient z_k z_l
template <class Scalar>
void elementwise_jet(const JetShape& shape, const ActivationDerivatives<Scalar>& f, ConstMatrixView<Scalar> z, MatrixView<Scalar> a) {
  const Index size = z.rows() * shape.batch;
  const Scalar *f1 = f.first.first(shape.batch).data(), *f2 = f.second.first(shape.batch).data();
  kernels::map_columns([](auto& a_c, const auto& z_c, const auto& slope) CHAINRULE_FORMULA { a_c = slope * z_c; },
                       std::array{kernels::Columns<Scalar>{a.data(), size}}, size, shape.channels(),
                       kernels::Columns<const Scalar>{z.data(), size}, kernels::one_column(f1));
  for (const SecondDerivativeTerm& term : shape.terms)
    kernels::update(
        size,
        [coefficient = static_cast<Scalar>(term.coefficient)](auto& a_p, const auto& z_k, const auto& z_l, const auto& curvature)
            CHAINRULE_FORMULA { a_p = a_p + coefficient * curvature * z_k * z_l; },
        shape.second_of(a, term.second).data(), shape.first_of(z, term.k).data(), shape.first_of(z, term.l).data(), f2);
}

/// Turns gradients by a = f(z) and by its jet into gradients by z and by its jet `z`, in place. `delta`: units x batch; `deltas`: units x
/// columns, without gaps. J depends on a and on the jet of a; a_bar is dJ/da.
///
///     z_bar   = f' a_bar + f'' sum over channels z_c a_bar_c + f''' sum over terms coefficient z_k z_l a_bar_p
///     z_bar_k = f' a_bar_k + f'' sum over terms with k: coefficient z_l a_bar_p
///     z_bar_p = f' a_bar_p
template <class Scalar>
void elementwise_jet_backward(const JetShape& shape, const ActivationDerivatives<Scalar>& f, ConstMatrixView<Scalar> z,
                              MatrixView<Scalar> delta, MatrixView<Scalar> deltas) {
  const Index size = z.rows() * shape.batch;
  const Scalar *f1 = f.first.first(shape.batch).data(), *f2 = f.second.first(shape.batch).data(), *f3 = f.third.first(shape.batch).data();
  const auto multiply_by_slope = [&](Scalar* d) {
    kernels::update(
        size, [](auto& d_i, const auto& slope) CHAINRULE_FORMULA { d_i = d_i * slope; }, d, f1);
  };
  // d <- d + coefficient f'' p q
  const auto add = [&](Scalar* d, double coefficient, const Scalar* p, const Scalar* q) {
    kernels::update(
        size,
        [c = static_cast<Scalar>(coefficient)](auto& d_i, const auto& curvature, const auto& p_i, const auto& q_i)
            CHAINRULE_FORMULA { d_i = d_i + c * curvature * p_i * q_i; },
        d, f2, p, q);
  };
  multiply_by_slope(delta.data());
  for (Index c = 0; c < shape.channels(); ++c) add(delta.data(), 1, z.data() + c * size, deltas.data() + c * size);
  for (const SecondDerivativeTerm& term : shape.terms)
    kernels::update(
        size,
        [c = static_cast<Scalar>(term.coefficient)](auto& d, const auto& third, const auto& z_k, const auto& z_l, const auto& a_bar)
            CHAINRULE_FORMULA { d = d + c * third * z_k * z_l * a_bar; },
        delta.data(), f3, shape.first_of(z, term.k).data(), shape.first_of(z, term.l).data(),
        detail::as_const(shape.second_of(deltas, term.second)).data());
  for (Index k = 0; k < shape.first; ++k) multiply_by_slope(shape.first_of(deltas, k).data());
  for (const SecondDerivativeTerm& term : shape.terms) {
    const Scalar* a_bar = shape.second_of(deltas, term.second).data();
    add(shape.first_of(deltas, term.k).data(), term.coefficient, shape.first_of(z, term.l).data(), a_bar);
    add(shape.first_of(deltas, term.l).data(), term.coefficient, shape.first_of(z, term.k).data(), a_bar);
  }
  for (Index p = 0; p < shape.second; ++p) multiply_by_slope(shape.second_of(deltas, p).data());
}

}  // namespace chainrule::detail
