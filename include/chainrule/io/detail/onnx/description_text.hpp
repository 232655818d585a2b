#pragma once
// A Description in a line, and back: "Huber(delta=2)", "ClassWeighted(weight=1,weight=3,SoftmaxCrossEntropy(label_smoothing=0))". What
// it says of extents is left out, so it is for losses and activations.

#include <chainrule/bytes/decimal.hpp>
#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/core/description.hpp>

namespace chainrule::detail {

inline std::string to_text(const Description& of) {
  std::string parts;
  const auto comma = [&] { return parts.empty() ? "" : ","; };
  for (const auto& [name, value] : of.hyperparameters) append(parts, text_of(comma(), name, "=", value));
  for (const Description& part : of.parts) append(parts, text_of(comma(), to_text(part)));
  return parts.empty() ? of.kind : of.kind + "(" + parts + ")";
}

/// Reads to_text's. `place` is for errors, all ValueError.
class DescriptionText {
 public:
  DescriptionText(std::string_view text, std::string_view place) : text_{text}, place_{place} {}

  Description read() {
    Description d = description(0);
    if (at_ != text_.size()) refuse();
    return d;
  }

 private:
  static constexpr int deepest = 8;

  [[noreturn]] void refuse() const {
    raise<ValueError>(place_, ": expected a description such as Huber(delta=2), but found ", in_quotes(text_));
  }

  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view until(std::string_view ends) {
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_of(ends, at_), text_.size());
    if (at_ == begin) refuse();
    return text_.substr(begin, at_ - begin);
  }

  Description description(int depth) {
    if (depth > deepest) refuse();
    Description d;
    d.kind = until("(),=");
    if (!take('(')) return d;
    do {
      const std::size_t begin = at_;
      const std::string name(until("(),="));
      if (take('=')) {
        double value = 0;
        if (parse_number(until(",)"), value) != ParseResult::number) refuse();
        d.hyperparameters.emplace_back(name, value);
      } else {
        at_ = begin;
        d.parts.push_back(description(depth + 1));
      }
    } while (take(','));
    if (!take(')')) refuse();
    return d;
  }

  std::string_view text_;
  std::string_view place_;
  std::size_t at_ = 0;
};

}  // namespace chainrule::detail
