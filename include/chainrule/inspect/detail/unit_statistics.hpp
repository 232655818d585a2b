#pragma once
// How many units of a layer let next to no gradient through. Derived from f' alone, so it holds for any activation, user-defined ones too.
//     delta(l) = W(l)^T delta(l+1) * f'(z(l))
// The slope |f'(z)| of a unit in a sample is called negligible where it is below a hundredth of the largest |f'| of that activation: for
// tanh where |a| > 0.995, for sigma where |z| > 6, for ReLU where z <= 0.

#include <algorithm>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/detail/layer_list.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <cmath>
#include <vector>

namespace chainrule::detail {

/// Counts of units. Where f is flat at both ends (sigma, tanh), a unit is saturated if its slope is negligible in at least 9 of 10 samples
/// of the batch. Where f is flat at one end (ReLU, GELU), a negligible slope is normal, and a unit is dead only if its slope is
/// negligible in every sample.
struct UnitStatistics {
  Index can_saturate = 0;  ///< units whose f is flat at both ends
  Index saturated = 0;     ///< how many of them are saturated
  Index can_die = 0;       ///< units whose f is flat at one end
  Index dead = 0;          ///< how many of them are dead

  UnitStatistics& operator+=(const UnitStatistics& other) {
    can_saturate += other.can_saturate;
    saturated += other.saturated;
    can_die += other.can_die;
    dead += other.dead;
    return *this;
  }
};

/// The largest |f'| of an activation, and whether |f'| is negligible for z << 0 and for z >> 0.
template <class Scalar>
struct SlopeRange {
  Scalar largest = 0;
  bool flat_below = false;
  bool flat_above = false;

  bool is_negligible(Scalar slope) const { return std::abs(slope) < Scalar(0.01) * largest; }
};

/// Samples |f'(z)| at z = +-2^-10, ..., +-2^20, at 32 points for each doubling; the last doubling on each side decides whether f is flat
/// there. An |f'| that still grows there has no largest value: then neither end counts as flat, and nothing is said about the units.
template <class Scalar, Activation F>
[[gnu::noinline]] SlopeRange<Scalar> slope_range(const F& f) {
  constexpr Index doubling = 32, count = 30 * doubling + 1;
  SlopeRange<Scalar> range;
  Vector<Scalar> z(count), a(count), ends[2];
  bool bounded = true;
  for (const int side : {0, 1}) {
    for (Index i = 0; i < count; ++i) z[i] = std::exp2(static_cast<Scalar>(i) / doubling - 10) * (side == 0 ? Scalar{-1} : Scalar{1});
    Vector<Scalar> slope = Vector<Scalar>::Ones(count);
    kernels::activate(f, count, static_cast<const Scalar*>(z.data()), a.data());
    kernels::multiply_by_derivative(f, count, static_cast<const Scalar*>((DerivativeFromOutput<F> ? a : z).data()), slope.data());
    slope = slope.cwiseAbs();
    bounded = bounded && kernels::all_finite(count, slope.data()) && !(slope[count - 1] > Scalar(1.001) * slope[count - 1 - doubling]);
    for (Index i = 0; i < count; ++i) range.largest = (std::max)(range.largest, slope[i]);
    ends[side] = slope.tail(doubling);
  }
  const auto is_flat = [&](const Vector<Scalar>& end) {
    return bounded && std::all_of(end.data(), end.data() + end.size(), [&](Scalar slope) { return range.is_negligible(slope); });
  };
  range.flat_below = is_flat(ends[0]);
  range.flat_above = is_flat(ends[1]);
  return range;
}

/// Counts units with activation f. `kept` (units x samples): what f' is written with, a = f(z) or z.
template <class Scalar, Activation F>
[[gnu::noinline]] UnitStatistics unit_statistics_from(const F& f, ConstMatrixView<Scalar> kept) {
  const SlopeRange<Scalar> range = slope_range<Scalar>(f);
  if (!range.flat_below && !range.flat_above) return {};
  Vector<Scalar> slope(kept.rows());
  std::vector<Index> negligible(static_cast<std::size_t>(kept.rows()),
                                Index{0});  // for each unit: in how many samples its slope is negligible
  for (Index j = 0; j < kept.cols(); ++j) {
    slope.setOnes();
    kernels::multiply_by_derivative(f, kept.rows(), kept.data() + j * kept.outerStride(), slope.data());
    for (Index i = 0; i < kept.rows(); ++i) negligible[static_cast<std::size_t>(i)] += range.is_negligible(slope[i]) ? 1 : 0;
  }
  const bool both = range.flat_below && range.flat_above;
  const double fewest = (both ? 0.9 : 1.0) * static_cast<double>(kept.cols());
  const Index count =
      std::count_if(negligible.begin(), negligible.end(), [&](Index samples) { return static_cast<double>(samples) >= fewest; });
  return both ? UnitStatistics{kept.rows(), count, 0, 0} : UnitStatistics{0, 0, kept.rows(), count};
}

template <class Layers, class Scalar, class Caches, class F>
void for_each_unit_statistics(const Layers& layers, ConstMatrixView<Scalar> x, const Caches& caches, const F& f);

/// Counts the units of a layer, and of the layers inside it, after a forward pass on x. x.data() is nullptr if x is not known. A
/// user-defined layer takes part as Dense does, by an ActivationType and activation(): cache.output is a = f(z); where f' needs z, that is
/// cache.z or, for a layer without parameters, x. The units of any other layer are not counted.
template <class L, class Scalar, class Cache>
UnitStatistics unit_statistics_of(const L& layer, ConstMatrixView<Scalar> x, const Cache& cache) {
  const Index samples = x.cols();
  UnitStatistics all;
  if constexpr (requires {
                  typename L::ActivationType;
                  layer.activation();
                }) {
    if constexpr (DerivativeFromOutput<typename L::ActivationType>)
      all = unit_statistics_from<Scalar>(layer.activation(), cache.output.first(samples));
    else if constexpr (requires { cache.z.first(samples); })
      all = unit_statistics_from<Scalar>(layer.activation(), cache.z.first(samples));
    else if constexpr (L::parameters_at_compile_time == 0)
      if (x.data() != nullptr) all = unit_statistics_from<Scalar>(layer.activation(), x);
  } else if constexpr (requires {
                         layer.layers();
                         cache.caches;
                       }) {
    if constexpr (requires { L::layers_are_branches; })
      for_each_index(layer.layers(), [&](auto i) { all += unit_statistics_of(element(layer.layers(), i), x, element(cache.caches, i)); });
    else
      for_each_unit_statistics(layer.layers(), x, cache.caches, [&](const UnitStatistics& inside) { all += inside; });
  }
  return all;
}

/// Calls f(statistics) for each of the layers after a forward pass on x, from the first to the last.
template <class Layers, class Scalar, class Caches, class F>
void for_each_unit_statistics(const Layers& layers, ConstMatrixView<Scalar> x, const Caches& caches, const F& f) {
  for_each_index(layers, [&](auto i) {
    const auto& layer = element(layers, i);
    const auto& cache = element(caches, i);
    if (i == 0)
      f(unit_statistics_of(layer, x, cache));
    else
      f(unit_statistics_of(layer, ConstMatrixView<Scalar>(element(caches, before(i)).output.first(x.cols())), cache));
  });
}

}  // namespace chainrule::detail
