#pragma once

#include <chainrule/io/detail/onnx/function.hpp>
#include <optional>

namespace chainrule::detail {

// An activation of type F with the hyperparameters that it must have to be the function; none if the function cannot be an F. Each type
// with hyperparameters needs an overload, which finds them from a few values of the function.
template <class F>
std::optional<F> likely(std::type_identity<F>, const OnnxFunction&) {
  static_assert(
      hyperparameter_count<F>() == 0,
      "chainrule: this activation of any/known.hpp has hyperparameters; add an overload of likely to io/detail/onnx/recognize.hpp");
  return F{};
}
inline std::optional<LeakyReLU> likely(std::type_identity<LeakyReLU>, const OnnxFunction& f) {
  const double slope = -f.at(-1);
  return slope >= 0 && slope < 1 ? std::optional(LeakyReLU{slope}) : std::nullopt;
}
inline std::optional<ELU> likely(std::type_identity<ELU>, const OnnxFunction& f) {
  const double alpha = -f.at(-1000);
  return alpha >= 0 && std::isfinite(alpha) ? std::optional(ELU{alpha}) : std::nullopt;
}
inline std::optional<HardTanh> likely(std::type_identity<HardTanh>, const OnnxFunction& f) {
  const double low = f.at(-1e300), high = f.at(1e300);
  const bool is_range = std::isfinite(low) && std::isfinite(high) && high - low > 1e-3 * std::max(std::abs(low), std::abs(high));
  return is_range ? std::optional(HardTanh{low, high}) : std::nullopt;
}
// Softplus(0) = ln 2/beta gives beta up to rounding; the exact beta is a constant of the formula
inline std::optional<Softplus> likely(std::type_identity<Softplus>, const OnnxFunction& f) {
  double beta = std::numbers::ln2 / f.at(0);
  if (!(beta > 0 && std::isfinite(beta))) return {};
  for (const double constant : f.constants())
    if (std::abs(constant / beta - 1) < 1e-12) beta = constant;
  return Softplus{beta};
}

/// Finds the activation that a function is, by comparing values.
class OnnxActivationOf {
 public:
  explicit OnnxActivationOf(const OnnxFunction& f) : f_{f} {
    for (int i = -32; i <= 32; ++i) z_.push_back(0.25 * i);
    inner_ = z_.size();
    for (const double far : {20.0, 100.0, 1000.0}) z_.insert(z_.end(), {-far, far});
    for (const double c : f.constants())  // places where the function may have a kink
      for (const double at : {c, 2 * c, c + 1}) z_.insert(z_.end(), {-at, at});
    is_function_ = f_.evaluate(z_, a_);
  }

  /// Whether the nodes compute an elementwise function at all.
  bool is_function() const { return is_function_; }

  /// The activation of the library, Identity among them; none if it is none of them.
  std::optional<Description> find() const {
    std::optional<Description> found;
    if (is_function_) with_and_without_hyperparameters(Activations{}, found);
    return found;
  }

 private:
  template <class... F>
  void with_and_without_hyperparameters(Types<F...>, std::optional<Description>& found) const {
    ((hyperparameter_count<F>() == 0 ? compare<F>(found) : void()), ...);
    ((hyperparameter_count<F>() != 0 ? compare<F>(found) : void()), ...);  // after the others, because LeakyReLU{0} is ReLU
  }

  template <class F>
  void compare(std::optional<Description>& found) const {
    if (found) return;
    const std::optional<F> f = likely(std::type_identity<F>{}, f_);
    if (!f) return;
    std::vector<double> ours(z_.size());
    kernels::activate(*f, static_cast<Index>(z_.size()), z_.data(), ours.data());
    for (std::size_t i = 0; i < z_.size(); ++i) {
      // the formula of an exporter may overflow for z far from 0
      const bool same = std::abs(a_[i] - ours[i]) <= 1e-6 * std::max(1.0, std::abs(ours[i])) || (i >= inner_ && !std::isfinite(a_[i]));
      if (!same) return;
    }
    found = describe(*f);
  }

  const OnnxFunction& f_;
  std::vector<double> z_ = {};
  std::vector<double> a_ = {};
  std::size_t inner_ = 0;
  bool is_function_ = false;
};

}  // namespace chainrule::detail
