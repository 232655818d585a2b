#pragma once
// An activation whose type is known only when the program runs, so that Dense is compiled once for all of them instead of for each.

#include <chainrule/activations/elementwise_activation.hpp>
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
  virtual bool has_second_derivative() const = 0;
  virtual bool has_third_derivative() const = 0;
  virtual void derivatives(Index size, const Scalar* kept, Scalar* first, Scalar* second, Scalar* third) const = 0;
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
  bool has_second_derivative() const override { return kernels::has_second_derivative(f); }
  bool has_third_derivative() const override { return kernels::has_third_derivative(f); }
  void derivatives(Index size, const Scalar* kept, Scalar* first, Scalar* second, Scalar* third) const override {
    if (second != nullptr && !has_second_derivative()) raise_missing("second", "f_double_prime");
    if (third != nullptr && !has_third_derivative()) raise_missing("third", "f_triple_prime");
    if constexpr (HasThirdDerivative<F>)
      kernels::derivatives(f, size, kept, first, second, third);
    else if constexpr (HasSecondDerivative<F>)
      kernels::derivatives(f, size, kept, first, second, nullptr);
    else
      kernels::derivatives(f, size, kept, first, nullptr, nullptr);
  }
  F f;

 private:
  [[noreturn]] static void raise_missing(std::string_view which, std::string_view function) {
    constexpr std::string_view argument = DerivativeFromOutput<F> ? "_from_output(a)" : "(z)";
    if constexpr (std::is_base_of_v<ElementwiseActivation<F>, F>)
      raise<StateError>("the activation ", F::name, " has no ", which, " derivative; add ", function, argument, " to it");
    else
      raise<StateError>("the activation ", F::name, " has no ", which, " derivative; add ", which, "_derivative", argument, " to it");
  }
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
      : name(F::name),
        is_identity{detail::is_identity(f)},
        f_{std::unique_ptr<const detail::ActivationBase<Scalar>>(new detail::ActivationOf<Scalar, F>(f))} {
    static_assert(
        DerivativeFromOutput<F> == from_output,
        "chainrule: the second argument of AnyActivation must be DerivativeFromOutput<F> of the activation F that it is made from");
  }

  AnyActivation(const AnyActivation&) = default;             ///< shares the activation; so does a move, which leaves it whole
  AnyActivation& operator=(const AnyActivation&) = default;  ///< shares the activation

  std::string_view name;  ///< the name of the activation inside
  bool is_identity;       ///< whether the activation inside is a = z

  /// For the weights of a layer that names no initializer.
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

  /// Whether the activation inside can compute f''.
  bool has_second_derivative() const { return f_->has_second_derivative(); }
  /// Whether the activation inside can compute f'' and f'''.
  bool has_third_derivative() const { return f_->has_third_derivative(); }
  /// Writes f', f'' and f''' of `size` numbers to the arrays that are not null. Throws StateError, before it writes anything, if the
  /// activation inside has no derivative of an order that is asked for.
  template <class S>
  void derivatives(Index size, const S* kept, S* first, S* second, S* third) const {
    f_->derivatives(size, kept, first, second, third);
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
  /// f''(z) from a = f(z). Throws StateError unless has_second_derivative().
  template <class Chunk>
  Chunk second_derivative_from_output(const Chunk& a) const requires(from_output) {
    return higher_derivative_at<2>(a);
  }
  /// f''(z) from z. Throws StateError unless has_second_derivative().
  template <class Chunk>
  Chunk second_derivative(const Chunk& z) const requires(!from_output) {
    return higher_derivative_at<2>(z);
  }
  /// f'''(z) from a = f(z). Throws StateError unless has_third_derivative().
  template <class Chunk>
  Chunk third_derivative_from_output(const Chunk& a) const requires(from_output) {
    return higher_derivative_at<3>(a);
  }
  /// f'''(z) from z. Throws StateError unless has_third_derivative().
  template <class Chunk>
  Chunk third_derivative(const Chunk& z) const requires(!from_output) {
    return higher_derivative_at<3>(z);
  }

 private:
  template <class Chunk>
  Chunk derivative_at(const Chunk& kept) const {
    Chunk slope = Chunk::Ones(kept.size());
    times_derivative(kept.size(), kept.data(), slope.data());
    return slope;
  }

  template <int order, class Chunk>
  Chunk higher_derivative_at(const Chunk& kept) const {
    Chunk d(kept.size());
    typename Chunk::Scalar* const none = nullptr;
    derivatives(kept.size(), kept.data(), none, order == 2 ? d.data() : none, order == 3 ? d.data() : none);
    return d;
  }

  std::shared_ptr<const detail::ActivationBase<Scalar>> f_;
};

}  // namespace chainrule
