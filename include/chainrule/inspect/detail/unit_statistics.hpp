#pragma once
// How many units of a layer let next to no gradient through, found from f' alone: so it holds for any activation, yours too.
//     delta(l) = W(l)^T delta(l+1) * f'(z(l))
// A unit rests in a sample where |f'(z)| is below a hundredth of the largest |f'| that f has: whatever comes back to it, less than a
// hundredth of what could pass does. For tanh that is |a| > 0.995, for sigma |z| > 6, for ReLU z <= 0.

#include <algorithm>
#include <chainrule/core/detail/chain.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <cmath>
#include <vector>

namespace chainrule::detail {

/// Units by what may become of them. Where f is flat at both ends (sigma, tanh), a unit that rests in 9 of 10 samples of the batch is
/// saturated. Where it is flat at one (ReLU, GELU), resting is half of its business, and only one that rests in every sample is dead.
struct Activity {
  Index can_saturate = 0;
  Index saturated = 0;
  Index can_die = 0;
  Index dead = 0;

  Activity& operator+=(const Activity& other) {
    can_saturate += other.can_saturate;
    saturated += other.saturated;
    can_die += other.can_die;
    dead += other.dead;
    return *this;
  }
};

/// |f'| far and wide: its largest value, and whether it is below a hundredth of that for z << 0 and for z >> 0.
template <class Scalar>
struct SlopeRange {
  Scalar largest = 0;
  bool flat_below = false;
  bool flat_above = false;

  bool is_rest(Scalar slope) const { return std::abs(slope) < Scalar(0.01) * largest; }
};

/// |f'(z)| at +-2^-10, ..., +-2^20, 32 of them for each doubling, so that an end is the last doubling. An f' that still grows there has no
/// largest value, and nothing is said about f: both ends count as not flat.
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
    bounded = bounded && all_finite(slope.data(), count) && !(slope[count - 1] > Scalar(1.001) * slope[count - 1 - doubling]);
    for (Index i = 0; i < count; ++i) range.largest = std::max(range.largest, slope[i]);
    ends[side] = slope.tail(doubling);
  }
  const auto is_flat = [&](const Vector<Scalar>& end) {
    return bounded && std::all_of(end.data(), end.data() + end.size(), [&](Scalar slope) { return range.is_rest(slope); });
  };
  range.flat_below = is_flat(ends[0]);
  range.flat_above = is_flat(ends[1]);
  return range;
}

/// Counts units with activation f by what f' needs of a pass, a = f(z) or z, units x samples.
template <class Scalar, Activation F>
[[gnu::noinline]] Activity activity_of_units(const F& f, ConstMatrixView<Scalar> kept) {
  const SlopeRange<Scalar> range = slope_range<Scalar>(f);
  if (!range.flat_below && !range.flat_above) return {};
  Vector<Scalar> slope(kept.rows());
  std::vector<Index> rests(static_cast<std::size_t>(kept.rows()), Index{0});
  for (Index j = 0; j < kept.cols(); ++j) {
    slope.setOnes();
    kernels::multiply_by_derivative(f, kept.rows(), kept.data() + j * kept.outerStride(), slope.data());
    for (Index i = 0; i < kept.rows(); ++i) rests[static_cast<std::size_t>(i)] += range.is_rest(slope[i]) ? 1 : 0;
  }
  const bool both = range.flat_below && range.flat_above;
  const double most = (both ? 0.9 : 1.0) * static_cast<double>(kept.cols());
  const Index count = std::count_if(rests.begin(), rests.end(), [&](Index samples) { return static_cast<double>(samples) >= most; });
  return both ? Activity{kept.rows(), count, 0, 0} : Activity{0, 0, kept.rows(), count};
}

template <class... Layers, class Scalar, class CacheOf, class F>
void for_each_activity(const std::tuple<Layers...>& layers, ConstMatrixView<Scalar> x, const CacheOf& cache_of, const F& f);

/// The units of a layer after a forward pass on x (its data may be nullptr: not known), and of the layers inside it. A layer of yours takes
/// part as Dense does: it has an ActivationType and activation(); cache.output is a = f(z); where f' needs z, that is cache.z or, for a
/// layer without parameters, x. About any other nothing is said.
template <class L, class Scalar, class Cache>
Activity activity_of(const L& layer, ConstMatrixView<Scalar> x, const Cache& cache) {
  const Index samples = x.cols();
  Activity activity;
  if constexpr (requires {
                  typename L::ActivationType;
                  layer.activation();
                }) {
    if constexpr (DerivativeFromOutput<typename L::ActivationType>)
      activity = activity_of_units<Scalar>(layer.activation(), cache.output.first(samples));
    else if constexpr (requires { cache.z.first(samples); })
      activity = activity_of_units<Scalar>(layer.activation(), cache.z.first(samples));
    else if constexpr (L::parameters_at_compile_time == 0)
      if (x.data() != nullptr) activity = activity_of_units<Scalar>(layer.activation(), x);
  } else if constexpr (requires {
                         layer.layers();
                         cache.caches;
                       }) {
    for_each_activity(
        layer.layers(), x, [&](auto i) -> const auto& { return std::get<i>(cache.caches); },
        [&](const Activity& inside) { activity += inside; });
  }
  return activity;
}

/// Calls f(activity) for each of the layers, one after the other, and for each of those that an AnyLayers holds. cache_of(i): layer i's.
template <class... Layers, class Scalar, class CacheOf, class F>
void for_each_activity(const std::tuple<Layers...>& layers, ConstMatrixView<Scalar> x, const CacheOf& cache_of, const F& f) {
  const auto visit = [&](const auto& layer, ConstMatrixView<Scalar> input, const auto& cache) {
    if constexpr (requires { layer.for_each_activity(input, cache, f); })
      layer.for_each_activity(input, cache, f);
    else
      f(activity_of(layer, input, cache));
  };
  for_each_index<sizeof...(Layers)>([&](auto i) {
    if constexpr (i == 0)
      visit(std::get<0>(layers), x, cache_of(i));
    else
      visit(std::get<i>(layers), cache_of(std::integral_constant<std::size_t, i - 1>{}).output.first(x.cols()), cache_of(i));
  });
}

}  // namespace chainrule::detail
