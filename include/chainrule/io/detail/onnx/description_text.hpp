#pragma once
// Writes a Description of a loss or an activation as one line of text, and reads it again:
//     ClassWeighted(weight=1,weight=3,SoftmaxCrossEntropy(label_smoothing=0))
// The grammar, in EBNF (number: what bytes/decimal.hpp reads):
//     description = name, [ "(", item, { ",", item }, ")" ] ;
//     item        = name, "=", number | description ;
//     name        = character, { character } ;      (* any character but "(", ")", "," and "=" *)
// Hyperparameters come before the descriptions of what is inside; extents are not written. This text stands in the metadata of ONNX models;
// model files have JSON instead (io/detail/safetensors/description_json.hpp), for which chainrule::onnx has no library.

#include <chainrule/bytes/decimal.hpp>
#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/core/description.hpp>

namespace chainrule::detail {

/// The description as text. Throws ValueError where it is nested more than max_nesting deep.
inline std::string to_text(const Description& of) {
  check_nesting(of, of.kind);
  std::string parts;
  const auto comma = [&] { return parts.empty() ? "" : ","; };
  for (const auto& [name, value] : of.hyperparameters) append(parts, text_of(comma(), name, "=", value));
  for (const Description& part : of.parts) append(parts, text_of(comma(), to_text(part)));
  return parts.empty() ? of.kind : of.kind + "(" + parts + ")";
}

/// Reads what to_text writes. Throws ValueError, in the name of `place`, for another text.
class DescriptionText {
 public:
  DescriptionText(std::string_view text, std::string_view place) : text_{text}, place_{place} {}

  Description read() {
    Description d = description(0);
    if (at_ != text_.size()) refuse();
    return d;
  }

 private:
  [[noreturn]] void refuse() const {
    raise<ValueError>(place_, ": expected a description such as Huber(delta=2), but found ", in_quotes(text_));
  }

  // Consumes the next character if it is c. Returns whether it was.
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // Consumes and returns the text before the next character that is in `ends`. Throws ValueError where it is empty.
  std::string_view until(std::string_view ends) {
    const std::size_t begin = at_;
    at_ = (std::min)(text_.find_first_of(ends, at_), text_.size());
    if (at_ == begin) refuse();
    return text_.substr(begin, at_ - begin);
  }

  // `around`: how many descriptions lie around this one
  Description description(int around) {
    if (around > max_nesting) raise<ValueError>(place_, ": the description is nested more than ", max_nesting, " deep");
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
        d.parts.push_back(description(around + 1));
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
