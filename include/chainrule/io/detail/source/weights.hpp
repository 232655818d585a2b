#pragma once
// The numbers of a network as constant arrays of C.

#include <chainrule/core/error.hpp>
#include <chainrule/io/detail/described_layer.hpp>
#include <chainrule/io/detail/source/text.hpp>

namespace chainrule::detail {

/// Static const arrays of Written (float or double), one after the other. Throws ValueError for a number that is not finite as Written.
template <class Written>
class SourceWeights {
 public:
  /// name[size], of number(i).
  template <class Number>
  void add(const std::string& name, Index size, const Number& number) {
    text_ +=
        text_of(declaration(name), "[", size, "] = ", source_row(size, "    ", [&](Index i) { return literal(name, number(i)); }), ";\n");
    count_ += size;
  }
  template <class Scalar>
  void add(const std::string& name, const TensorOf<Scalar>& of) {
    add(name, of.size(), [&](Index i) { return of.numbers[i]; });
  }

  /// name[rows][cols], of number(i, k). In C rows lie one after the other: all weights of a unit, then all of the next.
  template <class Number>
  void add_rows(const std::string& name, Index rows, Index cols, const Number& number) {
    text_ += text_of(declaration(name), "[", rows, "][", cols, "] = {\n");
    for (Index i = 0; i < rows; ++i)
      text_ +=
          text_of("    ", source_row(cols, "     ", [&](Index k) { return literal(name, number(i, k)); }), i + 1 < rows ? ",\n" : "};\n");
    count_ += rows * cols;
  }
  template <class Scalar>
  void add_rows(const std::string& name, const TensorOf<Scalar>& of) {
    add_rows(name, of.rows, of.cols, [&](Index i, Index k) { return of.numbers[i + k * of.rows]; });
  }

  const std::string& text() const { return text_; }
  Index count() const { return count_; }

 private:
  static constexpr const char* type = sizeof(Written) == sizeof(float) ? "float" : "double";

  static std::string declaration(const std::string& name) { return text_of("static const ", type, " ", name); }

  template <class Number>
  static std::string literal(const std::string& name, Number number) {
    const Written written = static_cast<Written>(number);
    if (!std::isfinite(written))
      raise<ValueError>("to_source: ", name, " would hold ", number, ", but source code holds numbers that are finite as ", type);
    return source_literal(written);
  }

  std::string text_;
  Index count_ = 0;
};

}  // namespace chainrule::detail
