#pragma once
// One line of text made of words and numbers separated by spaces: "Standardizer 2 mean 5 -0.5 deviation 2 0.5". Numbers are written
// with as many digits as reading them back to the same bits needs.

#include <algorithm>
#include <chainrule/bytes/decimal.hpp>
#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <charconv>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace chainrule::detail {

/// Builds a line of tokens.
class TokenWriter {
 public:
  void add_word(std::string_view word) {
    if (!text_.empty()) text_ += ' ';
    text_ += word;
  }
  template <class Number>
  void add_number(Number number) {
    std::string digits;
    if constexpr (std::is_floating_point_v<Number>)
      append_shortest(digits, number);
    else
      append(digits, number);
    add_word(digits);
  }
  /// Adds any text as one token, in quotes. Bytes other than those of printable characters in UTF-8 are written as \x and two digits, a
  /// quote and a backslash behind a backslash.
  void add_text(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string token = "\"";
    while (!text.empty()) {
      const std::size_t size = printable_character(text);
      const auto byte = static_cast<unsigned char>(text[0]);
      if (size == 0) {
        token += {'\\', 'x', digits[byte / 16], digits[byte % 16]};
      } else {
        if (byte == '"' || byte == '\\') token += '\\';
        token += text.substr(0, size);
      }
      text.remove_prefix(size == 0 ? 1 : size);
    }
    add_word(token + '"');
  }
  template <class Scalar>
  void add_numbers(const Vector<Scalar>& numbers) {
    for (const Scalar number : numbers) add_number(number);
  }

  const std::string& text() const { return text_; }

 private:
  std::string text_ = {};
};

/// Reads a line of tokens from left to right. Each function throws ValueError, with what it expected and what it found, where the next
/// token is of another kind.
class TokenReader {
 public:
  /// `who` begins the error messages: "Standardizer: from_string". `text` must outlive the reader.
  TokenReader(std::string who, std::string_view text) : who_{std::move(who)}, rest_{text} {}

  /// Reads any word.
  std::string_view take_any_word() { return next(); }

  /// Reads exactly this word.
  void take_word(std::string_view word) {
    if (const std::string_view found = next(); found != word) refuse(text_of("the word \"", word, "\""), found);
  }

  template <class Number>
  Number take_number() {
    const std::string_view found = next();
    Number number{};
    if (parse_number(found, number) != ParseResult::number) refuse("a number", found);
    return number;
  }

  /// Reads a text that TokenWriter::add_text has written.
  std::string take_text() {
    skip_spaces();
    if (rest_.empty() || rest_[0] != '"') refuse("a text in quotes", next());
    const std::string_view token = rest_;
    std::string text;
    for (rest_.remove_prefix(1); !rest_.empty(); rest_.remove_prefix(1)) {
      if (rest_[0] == '"') {
        rest_.remove_prefix(1);
        return text;
      }
      if (rest_[0] != '\\') {
        text += rest_[0];
        continue;
      }
      rest_.remove_prefix(1);
      if (rest_.starts_with('x')) {
        unsigned byte = 0;
        const char* const digits = rest_.data() + 1;
        if (rest_.size() < 3 || std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) refuse("two digits behind \\x", rest_);
        text += static_cast<char>(byte);
        rest_.remove_prefix(2);
      } else if (rest_.starts_with('"') || rest_.starts_with('\\')) {
        text += rest_[0];
      } else {
        refuse("x, a quote or a backslash behind a backslash", rest_);
      }
    }
    refuse("a quote at the end of a text", token);
  }

  /// Reads how many `things` follow: at least `min`, and no more than the rest of the text has characters, so that a corrupt count cannot
  /// cause a huge allocation.
  Index take_count(const char* things, Index min = 1) {
    const std::string_view found = next();
    Index count = 0;
    const auto [end, error] = std::from_chars(found.data(), found.data() + found.size(), count);
    if (error != std::errc{} || end != found.data() + found.size() || count < min || count > static_cast<Index>(rest_.size()))
      refuse(text_of("the number of ", things), found);
    return count;
  }

  /// Reads `count` numbers, each of them at least `min`.
  template <class Scalar>
  Vector<Scalar> take_numbers(Index count, Scalar min = std::numeric_limits<Scalar>::lowest()) {
    Vector<Scalar> numbers(count);
    for (Scalar& number : numbers) {
      number = take_number<Scalar>();
      if (number < min) raise<ValueError>(who_, " expected a number of at least ", min, ", but found ", number);
    }
    return numbers;
  }

  /// Checks that no token is left.
  void expect_end() {
    if (const std::string_view found = next(); !found.empty()) refuse("the end of the text", found);
  }

 private:
  [[noreturn]] void refuse(std::string_view expected, std::string_view found) const {
    raise<ValueError>(who_, " expected ", expected, ", but found ", in_quotes(found));
  }

  void skip_spaces() { rest_.remove_prefix((std::min)(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  std::string_view next() {
    skip_spaces();
    const std::string_view token = rest_.substr(0, rest_.find_first_of(" \t\r\n"));
    rest_.remove_prefix(token.size());
    return token;
  }

  std::string who_;
  std::string_view rest_;
};

}  // namespace chainrule::detail
