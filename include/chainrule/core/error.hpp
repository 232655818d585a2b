#pragma once
// The exceptions of the library. Every message says who expected what and what it got. A call that throws has changed nothing.

#include <chainrule/core/detail/compatibility.hpp>
#include <concepts>
#include <cstdlib>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace chainrule {

/// Base of all exceptions that the library throws.
class Error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Extents that do not fit together: rows, columns, samples, layers.
class ShapeError : public Error {
  using Error::Error;
};

/// An invalid value: NaN, a label out of range, a target that is no probability, a negative learning rate, an argument in memory that the
/// call writes to.
class ValueError : public Error {
  using Error::Error;
};

/// A call that is not possible in the present state of its objects: backward before forward, a use of an object that was moved from.
class StateError : public Error {
  using Error::Error;
};

namespace detail {

/// Appends a text.
inline void append(std::string& text, std::string_view part) { text += part; }
/// Appends an integer in decimal.
template <std::integral T>
void append(std::string& text, T number) {
  text += std::to_string(number);
}
/// Appends a floating-point number with as few digits as identify it: 1.0000001, -1e-09, nan.
template <std::floating_point T>
void append(std::string& text, T number) {
  if (is_nan(number)) return append(text, std::string_view("nan"));
  using Written = std::conditional_t<(sizeof(T) > sizeof(double)), double, T>;
  append_shortest(text, static_cast<Written>(number));
}

/// A text or a number as a part of a message. One type for all of them, because a template for each list of parts is slow to compile.
class SentencePart {
 public:
  SentencePart(std::string_view words) : words_{words} {}
  SentencePart(const std::string& words) : words_{words} {}
  SentencePart(const char* words) : words_{words} {}
  SentencePart(std::signed_integral auto number) : whole_{number}, kind_{Kind::whole} {}
  SentencePart(std::unsigned_integral auto number) : natural_{number}, kind_{Kind::natural} {}
  SentencePart(float number) : number_{static_cast<double>(number)}, kind_{Kind::single} {}
  SentencePart(std::floating_point auto number) : number_{static_cast<double>(number)}, kind_{Kind::number} {}

  void append_to(std::string& text) const {
    switch (kind_) {
      case Kind::words:
        return append(text, words_);
      case Kind::whole:
        return append(text, whole_);
      case Kind::natural:
        return append(text, natural_);
      case Kind::single:
        return append(text, static_cast<float>(number_));
      case Kind::number:
        return append(text, number_);
    }
  }

 private:
  enum class Kind { words, whole, natural, single, number };
  std::string_view words_ = {};
  union {
    long long whole_ = 0;
    unsigned long long natural_;
    double number_;
  };
  Kind kind_ = Kind::words;
};

/// Joins the parts to one sentence.
inline std::string sentence(std::initializer_list<SentencePart> parts) {
  std::string text;
  for (const SentencePart& part : parts) part.append_to(text);
  return text;
}

/// Joins texts and numbers: text_of("layer<", 2, ">").
template <class... Parts>
std::string text_of(const Parts&... parts) {
  return sentence({SentencePart(parts)...});
}

/// Throws E with the sentence. Apart from raise, because a throw in each of its many instances is slow to compile.
template <class E>
[[noreturn, gnu::noinline, gnu::cold]] void throw_sentence([[maybe_unused]] std::initializer_list<SentencePart> parts) {
#if defined(__cpp_exceptions)
  throw E(sentence(parts));
#else
  std::abort();
#endif
}

/// Throws E with the parts joined to one message. Without exceptions (-fno-exceptions) it aborts the program.
template <class E, class... Parts>
[[noreturn, gnu::noinline, gnu::cold]] void raise(const Parts&... parts) {
#if defined(__cpp_exceptions)
  throw_sentence<E>({SentencePart(parts)...});
#else
  (static_cast<void>(parts), ...);
  std::abort();
#endif
}

/// The result of a function whose static_assert always fails, which says in a sentence what to write instead. Declared, never defined.
template <class T>
T no_result();

}  // namespace detail
}  // namespace chainrule
