#pragma once
// Functions of one number z, as sums of products, with the algebra that decides whether two formulas are the same function: exporters write
// the same activation in many ways, GELU as z/2 (1 + erf(z/sqrt 2)), with the factors in another order, or as one operator.

#include <algorithm>
#include <chainrule/core/detail/checks.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

namespace chainrule::detail {

/// A function of z in a normal form: a sum of terms, each a coefficient times a product of powers of z and of functions of expressions.
/// Piecewise linear functions are sums of a constant, z, and relu(z - t) for each kink t, so max, min, |z| and clip have no other form.
/// Operations return an invalid expression where a result has no normal form, is not finite or is too long.
class OnnxExpression {
 public:
  enum class Kind { z, relu, exp, log, tanh, erf, sin, sum };
  /// relu(of)^power, exp(of)^power, ...; z^power and (of)^power for the kinds z and sum.
  struct Factor {
    Kind kind = Kind::z;
    std::shared_ptr<const OnnxExpression> of = nullptr;  ///< nullptr for z
    int power = 1;
  };
  struct Term {
    double coefficient = 0;
    std::vector<Factor> factors = {};
    bool is(Kind kind) const { return factors.size() == 1 && factors[0].kind == kind && factors[0].power == 1; }
  };
  /// A piecewise linear function: constant + slope z + the sum of change * relu(z - at) over its kinks.
  struct Pieces {
    struct Kink {
      double at = 0;
      double change = 0;
    };
    double constant = 0;
    double slope = 0;
    std::vector<Kink> kinks = {};  ///< from left to right

    double operator()(double z) const {
      double sum = constant + slope * z;
      for (const Kink& kink : kinks) sum += kink.change * (std::max)(z - kink.at, 0.0);
      return sum;
    }
  };

  /// The constant 0.
  OnnxExpression() = default;
  OnnxExpression(double constant) { add({constant, {}}); }
  static OnnxExpression z() { return of_factor({}); }
  static OnnxExpression invalid() {
    OnnxExpression none;
    none.is_valid_ = false;
    return none;
  }

  bool is_valid() const { return is_valid_; }
  const std::vector<Term>& terms() const { return terms_; }
  bool is_constant() const {
    return is_valid_ && std::all_of(terms_.begin(), terms_.end(), [](const Term& t) { return t.factors.empty(); });
  }
  /// The term without factors.
  double constant() const {
    for (const Term& term : terms_)
      if (term.factors.empty()) return term.coefficient;
    return 0;
  }

  friend OnnxExpression operator+(OnnxExpression a, const OnnxExpression& b) {
    if (!b.is_valid_) return b;
    for (const Term& term : b.terms_) a.add(term);
    return a;
  }
  friend OnnxExpression operator*(const OnnxExpression& a, const OnnxExpression& b) {
    if (!a.is_valid_ || !b.is_valid_) return invalid();
    OnnxExpression product;
    for (const Term& x : a.terms_)
      for (const Term& y : b.terms_) product.add(times(x, y));
    return product;
  }
  friend OnnxExpression operator-(const OnnxExpression& a) { return OnnxExpression(-1) * a; }
  friend OnnxExpression operator-(const OnnxExpression& a, const OnnxExpression& b) { return a + -b; }
  friend OnnxExpression operator/(const OnnxExpression& a, const OnnxExpression& b) { return a * reciprocal(b); }

  friend OnnxExpression exp(const OnnxExpression& e) {
    return function(Kind::exp, e, [](double c) { return std::exp(c); });
  }
  friend OnnxExpression log(const OnnxExpression& e) {
    return function(Kind::log, e, [](double c) { return std::log(c); });
  }
  friend OnnxExpression tanh(const OnnxExpression& e) {
    return function(Kind::tanh, e, [](double c) { return std::tanh(c); });
  }
  friend OnnxExpression erf(const OnnxExpression& e) {
    return function(Kind::erf, e, [](double c) { return std::erf(c); });
  }
  friend OnnxExpression sin(const OnnxExpression& e) {
    return function(Kind::sin, e, [](double c) { return std::sin(c); });
  }
  /// max(e, 0), for a piecewise linear e.
  friend OnnxExpression relu(const OnnxExpression& e) {
    const std::optional<Pieces> pieces = e.pieces();
    return pieces ? relu_of(*pieces) : invalid();
  }
  friend OnnxExpression max(const OnnxExpression& a, const OnnxExpression& b) { return b + relu(a - b); }
  friend OnnxExpression min(const OnnxExpression& a, const OnnxExpression& b) { return b - relu(b - a); }
  friend OnnxExpression abs(const OnnxExpression& e) { return 2 * relu(e) - e; }
  /// above where z - at is positive, else below. Valid only where the two agree at this place, because the normal form has no jumps.
  friend OnnxExpression split(double at, const OnnxExpression& below, const OnnxExpression& above) {
    const OnnxExpression left = below.of(at), right = above.of(at);
    if (!left.is_constant() || !right.is_constant() || !agree(left.constant(), right.constant())) return invalid();
    return below.of(min(z(), at)) + above.of(max(z(), at)) - left;
  }

  /// The function of another expression instead of z.
  OnnxExpression of(const OnnxExpression& argument) const {
    if (!is_valid_) return *this;
    OnnxExpression all;
    for (const Term& term : terms_) {
      OnnxExpression product = term.coefficient;
      for (const Factor& factor : term.factors) {
        const OnnxExpression base = of(factor, argument);
        OnnxExpression power = 1;
        for (int i = 0; i < std::abs(factor.power); ++i) power = power * base;
        product = product * (factor.power < 0 ? 1 / power : power);
      }
      all = all + product;
    }
    return all;
  }

  /// The function as pieces, if it is piecewise linear.
  std::optional<Pieces> pieces() const {
    if (!is_valid_) return {};
    Pieces p;
    for (const Term& term : terms_)
      if (term.factors.empty())
        p.constant = term.coefficient;
      else if (term.is(Kind::z))
        p.slope = term.coefficient;
      else if (term.is(Kind::relu))
        p.kinks.push_back({-term.factors[0].of->constant() + 0.0, term.coefficient});  // + 0.0, because -0 is no other place than 0
      else
        return {};
    std::sort(p.kinks.begin(), p.kinks.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    return p;
  }

  /// Whether two numbers agree to 6 digits, as a constant of a formula does with the same constant rounded to float by an exporter. 0
  /// agrees only with 0.
  static bool agree(double a, double b) { return std::abs(a - b) <= 1e-6 * (std::min)(std::abs(a), std::abs(b)); }
  /// Whether two products have the same factors, up to the rounding of the numbers inside.
  static bool same_factors(const Term& a, const Term& b) { return same_factors(a, b, agree); }

 private:
  static constexpr std::size_t longest = 16, largest = 64;

  // The factor, without its power, of an argument.
  static OnnxExpression of(const Factor& factor, const OnnxExpression& argument) {
    if (factor.kind == Kind::z) return argument;
    const OnnxExpression inside = factor.of->of(argument);
    switch (factor.kind) {
      case Kind::relu:
        return relu(inside);
      case Kind::exp:
        return exp(inside);
      case Kind::log:
        return log(inside);
      case Kind::tanh:
        return tanh(inside);
      case Kind::erf:
        return erf(inside);
      default:
        return inside;
    }
  }

  static OnnxExpression of_factor(Factor factor) {
    OnnxExpression e;
    e.add({1, {std::move(factor)}});
    return e;
  }

  // Whether each member of a equals one of b, and each of b one of a.
  template <class Members, class Equal>
  static bool same_members(const Members& a, const Members& b, const Equal& equal) {
    const auto all_in = [&](const Members& these, const Members& those) {
      return std::all_of(these.begin(), these.end(), [&](const auto& x) {
        return std::any_of(those.begin(), those.end(), [&](const auto& y) { return equal(x, y); });
      });
    };
    return a.size() == b.size() && all_in(a, b) && all_in(b, a);
  }
  template <class Equal>
  static bool same(const OnnxExpression& a, const OnnxExpression& b, const Equal& equal) {
    return same_members(a.terms_, b.terms_,
                        [&](const Term& x, const Term& y) { return equal(x.coefficient, y.coefficient) && same_factors(x, y, equal); });
  }
  template <class Equal>
  static bool same_factor(const Factor& a, const Factor& b, const Equal& equal) {
    return a.kind == b.kind && (a.kind == Kind::z || same(*a.of, *b.of, equal));
  }
  template <class Equal>
  static bool same_factors(const Term& a, const Term& b, const Equal& equal) {
    return same_members(a.factors, b.factors,
                        [&](const Factor& x, const Factor& y) { return x.power == y.power && same_factor(x, y, equal); });
  }
  static bool identical(double a, double b) { return a == b; }

  // Adds a term, joined with one of the same factors.
  void add(Term term) {
    const auto like = std::find_if(terms_.begin(), terms_.end(), [&](const Term& t) { return same_factors(t, term, identical); });
    if (like == terms_.end())
      terms_.push_back(std::move(term));
    else
      like->coefficient += term.coefficient;
    std::erase_if(terms_, [](const Term& t) { return t.coefficient == 0; });
    size_ = 0;
    for (const Term& t : terms_) {
      is_valid_ = is_valid_ && is_finite(t.coefficient);
      for (const Factor& factor : t.factors) size_ += 1 + (factor.of == nullptr ? 0 : factor.of->size_);
    }
    is_valid_ = is_valid_ && terms_.size() <= longest && size_ <= largest;
  }

  static Term times(const Term& a, const Term& b) {
    Term product{a.coefficient * b.coefficient, a.factors};
    for (const Factor& factor : b.factors) {
      // z and 1/z stay two factors, because 0 times 1/0 is no number
      const auto like = std::find_if(product.factors.begin(), product.factors.end(), [&](const Factor& f) {
        return (f.power > 0) == (factor.power > 0) && same_factor(f, factor, identical);
      });
      if (like == product.factors.end())
        product.factors.push_back(factor);
      else
        like->power += factor.power;
    }
    return product;
  }

  static OnnxExpression reciprocal(const OnnxExpression& e) {
    if (!e.is_valid_ || e.terms_.empty()) return invalid();
    OnnxExpression result;
    if (e.terms_.size() == 1) {
      Term term = e.terms_[0];
      term.coefficient = 1 / term.coefficient;
      for (Factor& factor : term.factors) factor.power = -factor.power;
      result.add(std::move(term));
    } else {  // the constant of the sum, or its first coefficient, is made 1
      const double scale = 1 / (e.constant() != 0 ? e.constant() : e.terms_[0].coefficient);
      const OnnxExpression scaled = scale * e;
      if (!scaled.is_valid_) return scaled;
      result.add({scale, {{Kind::sum, std::make_shared<const OnnxExpression>(scaled), -1}}});
    }
    return result;
  }

  template <class F>
  static OnnxExpression function(Kind kind, const OnnxExpression& e, const F& f) {
    if (!e.is_valid_) return e;
    if (e.is_constant()) return f(e.constant());
    return of_factor({kind, std::make_shared<const OnnxExpression>(e), 1});
  }

  static OnnxExpression of_pieces(const Pieces& p) {
    OnnxExpression e = p.constant + p.slope * z();
    for (const auto& [at, change] : p.kinks) e.add({change, {{Kind::relu, std::make_shared<const OnnxExpression>(z() - at), 1}}});
    return e;
  }

  static OnnxExpression relu_of(const Pieces& f) {
    if (f.kinks.empty() && f.slope == 0) return (std::max)(f.constant, 0.0);
    // the kinks of f and its zeros between them, from left to right, each with the slopes of f on its two sides and the value there
    struct Place {
      double at = 0, value = 0, left = 0, right = 0;
    };
    std::vector<Place> places;
    double slope = f.slope;
    const auto add_zero = [&](double low, double high, double known, double value) {  // f(known) = value on the piece from low to high
      if (slope == 0) return;
      const double zero = known - value / slope + 0.0;
      if (low < zero && zero < high) places.push_back({zero, 0, slope, slope});
    };
    const double infinity = std::numeric_limits<double>::infinity();
    if (f.kinks.empty()) {
      add_zero(-infinity, infinity, 0, f.constant);
    } else {
      add_zero(-infinity, f.kinks[0].at, f.kinks[0].at, f(f.kinks[0].at));
      for (std::size_t i = 0; i < f.kinks.size(); ++i) {
        const double at = f.kinks[i].at, value = f(at), left = slope;
        slope += f.kinks[i].change;
        places.push_back({at, value, left, slope});
        add_zero(at, i + 1 < f.kinks.size() ? f.kinks[i + 1].at : infinity, at, value);
      }
    }
    if (places.empty()) return invalid();
    // between two places f has one sign: that of their values, or of the slope where a value is 0
    const auto sign_left = [](const Place& p) { return p.value != 0 ? p.value : -p.left; };
    const auto sign_right = [](const Place& p) { return p.value != 0 ? p.value : p.right; };
    Pieces g;
    const Place& first = places.front();
    g.slope = sign_left(first) > 0 ? first.left : 0;
    g.constant = (std::max)(first.value, 0.0) - g.slope * first.at;
    double before = g.slope;
    for (const Place& place : places) {
      const double after = sign_right(place) > 0 ? place.right : 0;
      if (after != before) g.kinks.push_back({place.at, after - before});
      before = after;
    }
    return of_pieces(g);
  }

  bool is_valid_ = true;
  std::vector<Term> terms_ = {};  // no two with the same factors, none with a coefficient of 0
  std::size_t size_ = 0;          // factors, with those inside
};

}  // namespace chainrule::detail
