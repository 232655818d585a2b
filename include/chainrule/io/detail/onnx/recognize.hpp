#pragma once
// Finds the activation that a formula of ONNX is, by algebra: the formula of the graph is compared with the one that to_onnx writes, in
// their normal forms. Only numbers may differ, by the rounding of the exporter.

#include <chainrule/any/detail/visit_known.hpp>
#include <chainrule/io/detail/onnx/function.hpp>
#include <chainrule/io/detail/onnx/write_activations.hpp>
#include <optional>

namespace chainrule::detail {

/// The formula that to_onnx writes for an activation in a network of Scalar, in its normal form.
template <class Scalar, class F>
OnnxExpression onnx_formula(const F& f) {
  pb::ModelProto model;
  model.add_opset_import()->set_version(17);
  pb::GraphProto& graph = *model.mutable_graph();
  graph.add_input()->set_name("z");
  OnnxWriter<Scalar> writer(graph);
  add_onnx_activation(f, writer, "z");
  const OnnxGraph formula(model, "to_onnx");
  std::vector<int> nodes;
  for (int i = 0; i < graph.node_size(); ++i) nodes.push_back(i);
  OnnxFunction function(formula, formula.input());
  function.append(nodes);
  return function.expression();
}
/// The formulas that to_onnx writes for an activation: that of operators, and the longer one for networks of double.
template <class F>
std::vector<OnnxExpression> onnx_formulas(const F& f) {
  return {onnx_formula<float>(f), onnx_formula<double>(f)};
}

/// Parts of a formula, from which hyperparameters are found.
class OnnxFormula {
 public:
  using Kind = OnnxExpression::Kind;
  OnnxFormula(const OnnxExpression& e, const OnnxFunction& f) : expression{e}, function{f}, pieces{e.pieces()} {}

  /// The coefficient of the first term that is one function of this kind; 0 if there is none.
  double coefficient(Kind kind) const {
    const OnnxExpression::Term* found = term(kind);
    return found == nullptr ? 0 : found->coefficient;
  }
  /// The function's argument in that term; invalid if there is none.
  OnnxExpression argument(Kind kind) const {
    const OnnxExpression::Term* found = term(kind);
    return found == nullptr ? OnnxExpression::invalid() : *found->factors[0].of;
  }

  const OnnxExpression& expression;
  const OnnxFunction& function;
  std::optional<OnnxExpression::Pieces> pieces;  ///< the pieces of the formula, if it is piecewise linear

 private:
  const OnnxExpression::Term* term(Kind kind) const {
    for (const OnnxExpression::Term& term : expression.terms())
      if (term.is(kind)) return &term;
    return nullptr;
  }
};

// An activation of type F with the hyperparameters that it must have if the formula is an F, or a multiple of one; none if it cannot be.
// Each type with hyperparameters needs an overload, which finds them in the formula.
template <class F>
std::optional<F> likely(std::type_identity<F>, const OnnxFormula&) {
  static_assert(
      hyperparameter_count<F>() == 0,
      "chainrule: this activation of any/known.hpp has hyperparameters; add an overload of likely to io/detail/onnx/recognize.hpp");
  return F{};
}
/// The slope below 0 of a multiple of max(z, 0) + slope min(z, 0); none for another function.
inline std::optional<double> slope_below_0(const OnnxFormula& f) {
  if (!f.pieces || f.pieces->kinks.size() != 1 || f.pieces->kinks[0].at != 0) return {};
  const double slope = f.pieces->slope / (f.pieces->slope + f.pieces->kinks[0].change);
  return is_finite(slope) ? std::optional(f.function.as_written(slope)) : std::nullopt;
}
inline std::optional<LeakyReLU> likely(std::type_identity<LeakyReLU>, const OnnxFormula& f) {
  const std::optional<double> slope = slope_below_0(f);
  return slope && *slope >= 0 && *slope < 1 ? std::optional(LeakyReLU{*slope}) : std::nullopt;
}
inline std::optional<HardTanh> likely(std::type_identity<HardTanh>, const OnnxFormula& f) {
  if (!f.pieces || f.pieces->kinks.size() != 2 || f.pieces->slope != 0) return {};
  return HardTanh{f.function.as_written(f.pieces->kinks[0].at), f.function.as_written(f.pieces->kinks[1].at)};
}
inline std::optional<ELU> likely(std::type_identity<ELU>, const OnnxFormula& f) {
  const double alpha = f.coefficient(OnnxFormula::Kind::exp) / f.coefficient(OnnxFormula::Kind::relu);
  return alpha > 0 && is_finite(alpha) ? std::optional(ELU{f.function.as_written(alpha)}) : std::nullopt;
}
// ln(1 + e^(beta z))/beta, or max(z, 0) + ln(1 + e^-|beta z|)/beta
inline std::optional<Softplus> likely(std::type_identity<Softplus>, const OnnxFormula& f) {
  const OnnxExpression sum = f.argument(OnnxFormula::Kind::log);
  const auto exponent = OnnxFormula(sum, f.function).argument(OnnxFormula::Kind::exp).pieces();
  const double beta = exponent ? exponent->slope : 0;
  return beta > 0 ? std::optional(Softplus{f.function.as_written(beta)}) : std::nullopt;
}
inline std::optional<Sine> likely(std::type_identity<Sine>, const OnnxFormula& f) {
  const auto argument = f.argument(OnnxFormula::Kind::sin).pieces();
  const double omega = argument ? argument->slope : 0;
  return omega > 0 ? std::optional(Sine{f.function.as_written(omega)}) : std::nullopt;
}

/// An activation with what scales and shifts its argument and its result.
struct OnnxActivation {
  /// z -> (z - shift) * scale
  struct Affine {
    double shift = 0;
    double scale = 1;
    bool is_identity() const { return shift == 0 && scale == 1; }
  };
  Affine before = {};
  Description what = {};             ///< the activation, unless slope is set
  std::optional<double> slope = {};  ///< the slope of a PReLU, where LeakyReLU does not take it
  Affine after = {};
};

/// Finds the activation that a function is.
class OnnxActivationFinder {
 public:
  explicit OnnxActivationFinder(OnnxFunction& f) : f_{f}, expression_{f.expression()} {}

  /// The activation of the library that the function is, Identity among them; none if it is none of them.
  std::optional<OnnxActivation> find() const {
    const auto& terms = expression_.terms();
    if (terms.size() == 1 && terms[0].is(OnnxExpression::Kind::z) && terms[0].coefficient == 1)
      return OnnxActivation{{}, describe(Identity{}), {}, {}};
    return find(expression_, {}, false);
  }

  /// The activation that the function is after a scaling and shift of z, of the result, or of both; none if there is none.
  std::optional<OnnxActivation> find_scaled() const {
    const auto pieces = expression_.pieces();
    if (pieces && pieces->kinks.empty()) return {};  // a constant, or a multiple of z, which OnnxChainReader reads
    std::vector<Affine> all{{}};
    if (pieces)
      for (const auto& kink : pieces->kinks)
        for (const double sign : {1.0, -1.0}) all.push_back({kink.at, sign});
    add_scales(expression_, all);
    for (const Affine& before : all) {
      // the function of w = (z - shift) * scale
      const OnnxExpression of_w = f_.of(OnnxExpression::z() / before.scale + before.shift);
      if (auto found = of_w.is_valid() ? find(of_w, before, true) : std::nullopt) return found;
    }
    return {};
  }

 private:
  using Affine = OnnxActivation::Affine;
  static constexpr std::size_t most_scales = 24;  // a limit, so that a formula of many terms takes little time

  // Scales of z that may be those inside an activation: the factors of z in arguments of e^x, tanh, sin and erf(x/sqrt 2).
  static void add_scales(const OnnxExpression& e, std::vector<Affine>& all) {
    for (const OnnxExpression::Term& term : e.terms())
      for (const OnnxExpression::Factor& factor : term.factors) {
        if (factor.of == nullptr || all.size() > most_scales) continue;
        if (const auto argument = factor.of->pieces(); argument && argument->slope != 0)
          for (const double by : {1.0, -1.0, std::numbers::sqrt2}) all.push_back({0, by * argument->slope});
        add_scales(*factor.of, all);
      }
  }

  // The activation that a function of w is; also before a scaling and shift of the result where they are allowed.
  std::optional<OnnxActivation> find(const OnnxExpression& e, const Affine& before, bool may_scale) const {
    std::optional<OnnxActivation> found;
    const OnnxFormula formula(e, f_);
    const auto compare = [&](const OnnxExpression& ours, const Description& what, std::optional<double> slope = {}) {
      const std::optional<Affine> after = from_to(ours, e);
      if (after && (may_scale || after->is_identity())) found = OnnxActivation{before, what, slope, *after};
      return found.has_value();
    };
    const bool is_found = with_and_without_hyperparameters(Activations{}, formula, compare);
    if (const std::optional<double> slope = slope_below_0(formula); !is_found && slope)
      compare(*slope * OnnxExpression::z() + (1 - *slope) * relu(OnnxExpression::z()), {}, slope);
    return found;
  }
  template <class... F, class Compare>
  static bool with_and_without_hyperparameters(Types<F...>, const OnnxFormula& formula, const Compare& compare) {
    // first those without, because LeakyReLU{0} is ReLU
    return ((hyperparameter_count<F>() == 0 && compare_with<F>(formula, compare)) || ...) ||
           ((hyperparameter_count<F>() != 0 && compare_with<F>(formula, compare)) || ...);
  }
  // Whether the formula is that of an F.
  template <class F, class Compare>
  static bool compare_with(const OnnxFormula& formula, const Compare& compare) {
    [[maybe_unused]] const auto compare_all = [&](const std::vector<OnnxExpression>& ours, const F& f) {
      return std::any_of(ours.begin(), ours.end(), [&](const OnnxExpression& one) { return compare(one, describe(f)); });
    };
    if constexpr (std::is_same_v<F, Identity>) {
      return false;  // find() has compared it, because it needs to be exact
    } else if constexpr (hyperparameter_count<F>() == 0) {
      static const std::vector<OnnxExpression> ours = onnx_formulas(F{});
      return compare_all(ours, F{});
    } else {
      const std::optional<F> f = likely(std::type_identity<F>{}, formula);
      return f && compare_all(onnx_formulas(*f), *f);
    }
  }

  // The scaling and shift that make e of `ours`, if there is one.
  static std::optional<Affine> from_to(const OnnxExpression& ours, const OnnxExpression& e) {
    const auto changes = [](const OnnxExpression& of) { return of.terms().size() - (of.constant() != 0 ? 1 : 0); };
    if (changes(ours) != changes(e)) return {};
    std::optional<double> scale;
    for (const OnnxExpression::Term& term : ours.terms()) {
      if (term.factors.empty()) continue;
      const auto same = std::find_if(e.terms().begin(), e.terms().end(),
                                     [&](const OnnxExpression::Term& t) { return OnnxExpression::same_factors(t, term); });
      if (same == e.terms().end()) return {};
      const double here = same->coefficient / term.coefficient;
      if (scale && !OnnxExpression::agree(here, *scale)) return {};
      if (!scale) scale = OnnxExpression::agree(here, 1) ? 1 : here;
    }
    if (!scale || !is_finite(*scale) || *scale == 0) return {};
    const double expected = *scale * ours.constant();
    const double added = OnnxExpression::agree(e.constant(), expected) ? 0 : e.constant() - expected;
    return Affine{added == 0 ? 0 : -added / *scale, *scale};
  }

  OnnxFunction& f_;
  const OnnxExpression& expression_;
};

}  // namespace chainrule::detail
