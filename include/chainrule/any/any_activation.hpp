#pragma once
// An activation whose type is known only when the program runs, so that Dense is compiled once for all of them instead of for each.

#include <chainrule/core/description.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <memory>

namespace chainrule {
namespace detail {

/// The contract of an activation (core/concepts.hpp), as virtual functions on whole arrays.
template <class Scalar>
struct ActivationBase {
  virtual ~ActivationBase() = default;
  virtual Description describe() const = 0;
  virtual void initialize(std::span<Scalar> weights, Index fan_in, Index fan_out, Random& random) const = 0;
  virtual void values(Index size, const Scalar* z, Scalar* a) const = 0;
  virtual void times_derivative(Index size, const Scalar* kept, Scalar* delta) const = 0;
};

/// ActivationBase for an activation of type F.
template <class Scalar, class F>
struct ActivationOf final : ActivationBase<Scalar> {
  explicit ActivationOf(const F& of) : f{of} {}
  Description describe() const override { return chainrule::describe(f); }
  void initialize(std::span<Scalar> weights, Index fan_in, Index fan_out, Random& random) const override {
    f.default_initializer()(weights, fan_in, fan_out, random);
  }
  void values(Index size, const Scalar* z, Scalar* a) const override { kernels::activate(f, size, z, a); }
  void times_derivative(Index size, const Scalar* kept, Scalar* delta) const override {
    kernels::multiply_by_derivative(f, size, kept, delta);
  }
  F f;
};

}  // namespace detail

/// The default initializer of the activation inside an AnyActivation.
template <class Scalar>
class AnyInitializer {
 public:
  static constexpr std::string_view name = "AnyInitializer";  ///< the name in descriptions, files and messages
  /// Made by AnyActivation::default_initializer.
  explicit AnyInitializer(std::shared_ptr<const detail::ActivationBase<Scalar>> f) : f_{std::move(f)} {}
  AnyInitializer(const AnyInitializer&) = default;             ///< shares the activation; so does a move, which leaves it whole
  AnyInitializer& operator=(const AnyInitializer&) = default;  ///< shares the activation
  /// Fills `weights`, fan_out x fan_in numbers.
  template <class S>
  void operator()(std::span<S> weights, Index fan_in, Index fan_out, Random& random) const {
    f_->initialize(weights, fan_in, fan_out, random);
  }

 private:
  std::shared_ptr<const detail::ActivationBase<Scalar>> f_;
};

/// Holds an activation of any type, and is an activation that computes the same bits. `from_output`: whether f'(z) of those it holds is
/// written with a = f(z) alone, DerivativeFromOutput<F>.
template <class Scalar, bool from_output>
class AnyActivation {
 public:
  /// Copies the activation f.
  template <class F>
  requires(!std::is_same_v<F, AnyActivation>) explicit AnyActivation(const F& f)
      : name(F::name), f_{std::make_shared<const detail::ActivationOf<Scalar, F>>(f)} {
    static_assert(
        DerivativeFromOutput<F> == from_output,
        "chainrule: the second argument of AnyActivation must be DerivativeFromOutput<F> of the activation F that it is made from");
  }

  AnyActivation(const AnyActivation&) = default;             ///< shares the activation; so does a move, which leaves it whole
  AnyActivation& operator=(const AnyActivation&) = default;  ///< shares the activation

  std::string_view name;  ///< the name of the activation inside

  /// The initializer of a layer's weights where none is named.
  AnyInitializer<Scalar> default_initializer() const { return AnyInitializer<Scalar>(f_); }
  /// The name, hyperparameters and parts, from which from_description builds it again.
  Description describe() const { return f_->describe(); }

  /// a[i] = f(z[i]) for all i < size; a may be z.
  template <class S>
  void values(Index size, const S* z, S* a) const {
    f_->values(size, z, a);
  }
  /// delta[i] <- delta[i] f'(z[i]) for all i < size.
  template <class S>
  void times_derivative(Index size, const S* kept, S* delta) const {
    f_->times_derivative(size, kept, delta);
  }

  /// f(z) of a few numbers, for the contract of an activation; layers call `values` for whole arrays.
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    Chunk a(z.size());
    values(z.size(), z.data(), a.data());
    return a;
  }
  /// f'(z) from a = f(z).
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const requires(from_output) {
    return derivative_at(a);
  }
  /// f'(z) from z.
  template <class Chunk>
  Chunk derivative(const Chunk& z) const requires(!from_output) {
    return derivative_at(z);
  }

 private:
  template <class Chunk>
  Chunk derivative_at(const Chunk& kept) const {
    Chunk slope = Chunk::Ones(kept.size());
    times_derivative(kept.size(), kept.data(), slope.data());
    return slope;
  }

  std::shared_ptr<const detail::ActivationBase<Scalar>> f_;
};

}  // namespace chainrule
