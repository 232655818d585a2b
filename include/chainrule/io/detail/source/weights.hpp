#pragma once
// Writes the numbers of a network as constant arrays of C.

#include <chainrule/core/error.hpp>
#include <chainrule/io/detail/source/text.hpp>

namespace chainrule::detail {

/// Collects static const arrays of Written (float or double). Adding a number that is not finite as Written throws ValueError.
template <class Written>
class SourceWeights {
 public:
  /// Adds the array name[size], whose entry i is number(i).
  template <class Number>
  void add(const std::string& name, Index size, const Number& number) {
    text_ +=
        text_of(declaration(name), "[", size, "] = ", source_row(size, "    ", [&](Index i) { return literal(name, number(i)); }), ";\n");
    count_ += size;
  }
  template <class Derived>
  void add(const std::string& name, const Eigen::MatrixBase<Derived>& vector) {
    add(name, vector.size(), [&](Index i) { return vector(i); });
  }

  /// Adds the array name[rows][cols], whose entry [i][k] is number(i, k). C is row-major: all weights of a unit, then all of the next.
  template <class Number>
  void add_rows(const std::string& name, Index rows, Index cols, const Number& number) {
    text_ += text_of(declaration(name), "[", rows, "][", cols, "] = {\n");
    for (Index i = 0; i < rows; ++i)
      text_ +=
          text_of("    ", source_row(cols, "     ", [&](Index k) { return literal(name, number(i, k)); }), i + 1 < rows ? ",\n" : "};\n");
    count_ += rows * cols;
  }
  template <class Derived>
  void add_rows(const std::string& name, const Eigen::MatrixBase<Derived>& matrix) {
    add_rows(name, matrix.rows(), matrix.cols(), [&](Index i, Index k) { return matrix(i, k); });
  }

  /// The definitions of all arrays.
  const std::string& text() const { return text_; }
  /// How many numbers they hold together.
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
