#pragma once

#include <array>
#include <chainrule/kernels/formulas.hpp>

namespace chainrule::detail {

/// What an activation F has from kernels/formulas.hpp: f and f' of whole arrays, and the same of a few numbers. `constants<Scalar>()` of F,
/// if there is one, gives p and q of the formula.
template <class F, kernels::Formula formula>
class ByFormula {
 public:
  using ComputedFor = F;  ///< what is derived from F may compute something else

  /// a = f(z); a may be z.
  template <class Scalar>
  void values(Index size, const Scalar* z, Scalar* a) const {
    const auto [p, q] = numbers<Scalar>();
    kernels::values<formula>(size, z, a, p, q);
  }
  /// The same for a few numbers.
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    Chunk a;
    values(z.size(), z.data(), a.data());
    return a;
  }

  /// delta <- delta f'(z), where a or z is kept.
  template <class Scalar>
  void times_derivative(Index size, const Scalar* kept, Scalar* delta) const {
    const auto [p, q] = numbers<Scalar>();
    kernels::times_derivative<formula>(size, kept, delta, p, q);
  }

 protected:
  template <class Chunk>
  Chunk derivative_of(const Chunk& kept) const {
    Chunk d = Chunk::Ones();
    times_derivative(kept.size(), kept.data(), d.data());
    return d;
  }

 private:
  template <class Scalar>
  std::array<Scalar, 2> numbers() const {
    if constexpr (requires(const F& f) { f.template constants<Scalar>(); })
      return static_cast<const F&>(*this).template constants<Scalar>();
    else
      return {};
  }
};

/// That, and f'(z) is written with a = f(z).
template <class F, kernels::Formula formula>
struct FromOutput : ByFormula<F, formula> {
  /// f'(z) for a few numbers.
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    return this->derivative_of(a);
  }
};

/// That, and f'(z) is written with z.
template <class F, kernels::Formula formula>
struct FromInput : ByFormula<F, formula> {
  /// f'(z) for a few numbers.
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    return this->derivative_of(z);
  }
};

}  // namespace chainrule::detail
