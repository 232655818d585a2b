#pragma once
// Values of hyperparameters to try: all combinations of given values, or values drawn from ranges.

#include <algorithm>
#include <chainrule/bytes/decimal.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/core/types.hpp>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace chainrule {

/// The value of a hyperparameter: a number, or a text, such as the name of an activation.
class Choice {
 public:
  /// A number; true and false are 1 and 0.
  template <class Number>
  requires std::is_arithmetic_v<Number> Choice(Number number) : number_{static_cast<double>(number)} {}
  Choice(std::string text) : text_{std::move(text)}, is_text_{true} {}  ///< a text
  Choice(const char* text) : Choice(std::string(text)) {}               ///< a text

  bool is_text() const { return is_text_; }          ///< whether it is a text
  double number() const { return number_; }          ///< the number; 0 for a text
  const std::string& text() const { return text_; }  ///< the text; empty for a number
  /// The text, or the number with as few digits as identify it.
  std::string to_string() const { return is_text_ ? text_ : detail::text_of(number_); }
  bool operator==(const Choice&) const = default;  ///< whether both are the same number or the same text

 private:
  double number_ = 0;
  std::string text_;
  bool is_text_ = false;
};

/// Hyperparameters with their values, by name, which `search` tries together.
class Candidate {
 public:
  /// A name and its value.
  struct Named {
    std::string name;                               ///< such as "learning_rate"
    Choice value;                                   ///< a number or a text
    bool operator==(const Named&) const = default;  ///< whether names and values are the same
  };

  /// Takes the hyperparameters: Candidate{{{"learning_rate", 0.01}, {"hidden", 32}}}. Throws ValueError where two have one name.
  explicit Candidate(std::vector<Named> values) : values_{std::move(values)} {
    for (std::size_t i = 0; i < values_.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (values_[i].name == values_[j].name) detail::raise<ValueError>("candidate: \"", values_[i].name, "\" is there twice");
  }

  const std::vector<Named>& values() const { return values_; }  ///< all hyperparameters

  /// A number. Throws ValueError, which lists the hyperparameters, where there is none of this name, and for a text.
  double operator[](std::string_view name) const {
    const Choice& value = find(name);
    if (value.is_text()) detail::raise<ValueError>("candidate: \"", name, "\" is the text \"", value.text(), "\", not a number");
    return value.number();
  }
  /// A whole number, such as a number of units. Throws ValueError as operator[] does, and for a number with a fraction.
  Index whole(std::string_view name) const {
    const double number = (*this)[name];
    if (!(std::abs(number) < 0x1p53 && number == std::floor(number)))
      detail::raise<ValueError>("candidate: \"", name, "\" is ", number, ", not a whole number");
    return static_cast<Index>(number);
  }
  /// A text. Throws ValueError, which lists the hyperparameters, where there is none of this name, and for a number.
  const std::string& text(std::string_view name) const {
    const Choice& value = find(name);
    if (!value.is_text()) detail::raise<ValueError>("candidate: \"", name, "\" is the number ", value.number(), ", not a text");
    return value.text();
  }

  /// All names and values: "learning_rate=0.01 hidden=32".
  std::string to_string() const {
    std::string all;
    for (const Named& one : values_) all += (all.empty() ? "" : " ") + one.name + "=" + one.value.to_string();
    return all;
  }
  bool operator==(const Candidate&) const = default;  ///< whether names and values are the same

 private:
  const Choice& find(std::string_view name) const {
    std::string known;
    for (const Named& one : values_) {
      if (one.name == name) return one.value;
      known += (known.empty() ? "" : ", ") + one.name;
    }
    detail::raise<ValueError>("candidate: there is no \"", name, "\"; there are: ", known);
  }

  std::vector<Named> values_;
};

/// A hyperparameter and all values that a grid has for it.
struct GridHyperparameter {
  std::string name;            ///< such as "learning_rate"
  std::vector<Choice> values;  ///< numbers or texts
};

/// All combinations of the values, as scikit-learn's ParameterGrid; the last hyperparameter changes fastest.
/// @code{.cpp}
/// const auto candidates = grid({{"learning_rate", {0.001, 0.01}}, {"hidden", {8, 32, 128}}});  // six candidates
/// @endcode
/// Throws ValueError for no hyperparameters, for one without a value, for a name that is there twice, and for more than a million
/// combinations.
inline std::vector<Candidate> grid(const std::vector<GridHyperparameter>& hyperparameters) {
  if (hyperparameters.empty()) detail::raise<ValueError>("grid: there is no hyperparameter");
  std::uint64_t count = 1;
  for (const GridHyperparameter& one : hyperparameters) {
    if (one.values.empty()) detail::raise<ValueError>("grid: \"", one.name, "\" has no value");
    count *= (std::min)(one.values.size(), std::size_t{1} << 20);  // so that no product wraps
    if (count > 1'000'000) detail::raise<ValueError>("grid: there are more than a million combinations; draw some with random_candidates");
  }
  std::vector<Candidate> candidates;
  for (std::size_t c = 0; c < count; ++c) {
    std::vector<Candidate::Named> values(hyperparameters.size(), {"", 0});
    std::size_t rest = c;
    for (std::size_t h = hyperparameters.size(); h-- > 0; rest /= hyperparameters[h].values.size())
      values[h] = {hyperparameters[h].name, hyperparameters[h].values[rest % hyperparameters[h].values.size()]};
    candidates.emplace_back(std::move(values));
  }
  return candidates;
}

/// A range from which the value of a hyperparameter is drawn: an interval, or a list of choices {"relu", "tanh"}.
class Range {
 public:
  /// Any of these values, each as likely as the others. Throws ValueError for none.
  Range(std::initializer_list<Choice> choices) : Range(std::vector<Choice>(choices)) {}
  /// Any of these values, each as likely as the others. Throws ValueError for none.
  explicit Range(std::vector<Choice> choices) : choices_{std::move(choices)} {
    if (choices_.empty()) detail::raise<ValueError>("range: there is no choice");
  }

  /// Numbers from low to high, all equally likely. Throws ValueError unless low < high and both are finite.
  static Range uniform(double low, double high) { return Range(Kind::uniform, low, high); }
  /// Numbers from low to high whose logarithm is uniform, so that 0.001 to 0.01 is as likely as 0.01 to 0.1; rounded to four significant
  /// digits. Throws ValueError unless 0 < low < high and both and high / low are finite.
  static Range log_uniform(double low, double high) {
    if (!(low > 0)) detail::raise<ValueError>("range: log_uniform needs a low above 0, got ", low);
    if (!detail::is_finite(high / low)) detail::raise<ValueError>("range: log_uniform needs a finite high / low, got ", high, " and ", low);
    return Range(Kind::log_uniform, low, high);
  }
  /// Whole numbers from low to high, both included, all equally likely. Throws ValueError unless low < high and both are less than 2^53 in
  /// magnitude.
  static Range whole(Index low, Index high) {
    const Range range(Kind::whole, static_cast<double>(low), static_cast<double>(high));
    if (range.low_ <= -0x1p53 || range.high_ >= 0x1p53)
      detail::raise<ValueError>("range: whole needs numbers below 2^53 in magnitude, got ", low, " and ", high);
    return range;
  }

  /// Draws a value.
  Choice draw(Random& random) const {
    switch (kind_) {
      case Kind::choices:
        return choices_[static_cast<std::size_t>(random.below(choices_.size()))];
      case Kind::whole:
        return low_ + static_cast<double>(random.below(static_cast<std::uint64_t>(high_ - low_) + 1));
      case Kind::uniform:
        return std::clamp(std::fma(random.uniform(), high_ - low_, low_), low_, high_);
      case Kind::log_uniform:
        return std::clamp(with_four_digits(low_ * std::pow(high_ / low_, random.uniform())), low_, high_);
    }
    return low_;
  }

 private:
  enum class Kind { choices, uniform, log_uniform, whole };
  Range(Kind kind, double low, double high) : kind_{kind}, low_{low}, high_{high} {
    if (!(low < high && detail::is_finite(low) && detail::is_finite(high) && detail::is_finite(high - low)))
      detail::raise<ValueError>("range: low must be below high and both finite, got ", low, " and ", high);
  }

  // Rounded, because std::pow differs in the last bit from library to library, and shorter to read.
  static double with_four_digits(double number) {
    detail::parse_number(detail::printed(number, 3, 'e'), number);
    return number;
  }

  std::vector<Choice> choices_;
  Kind kind_ = Kind::choices;
  double low_ = 0, high_ = 0;
};

/// A hyperparameter and what its value is drawn from.
struct RandomHyperparameter {
  std::string name;  ///< such as "learning_rate"
  Range range;       ///< an interval or choices
};

/// Candidates whose hyperparameters are drawn independently (Bergstra and Bengio 2012, "Random search for hyper-parameter optimization").
/// @code{.cpp}
/// const auto candidates = random_candidates(20, Seed{1}, {{"learning_rate", Range::log_uniform(1e-4, 1e-1)},
///                                                         {"hidden", Range::whole(8, 128)},
///                                                         {"activation", {"relu", "tanh"}}});
/// @endcode
/// With a larger count the first candidates stay the same, and a further hyperparameter at the end changes none of the others. Throws
/// ValueError for a count below 1, for no hyperparameters, and for a name that is there twice.
inline std::vector<Candidate> random_candidates(Index count, Seed seed, const std::vector<RandomHyperparameter>& hyperparameters) {
  if (count < 1) detail::raise<ValueError>("random_candidates: the number of candidates must be at least 1, got ", count);
  if (hyperparameters.empty()) detail::raise<ValueError>("random_candidates: there is no hyperparameter");
  std::vector<Candidate> candidates;
  for (Index c = 0; c < count; ++c) {
    std::vector<Candidate::Named> values;
    for (const RandomHyperparameter& one : hyperparameters) {
      Random random{derived_seed(derived_seed(seed, static_cast<std::uint64_t>(c)), values.size())};
      values.push_back({one.name, one.range.draw(random)});
    }
    candidates.emplace_back(std::move(values));
  }
  return candidates;
}

}  // namespace chainrule
