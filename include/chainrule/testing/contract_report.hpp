#pragma once
// What a check of a contract found, for any test framework: CHECK(report), ASSERT_TRUE(report) << report.to_string(), assert(report).

#include <algorithm>
#include <chainrule/core/error.hpp>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule {

/// What testing::check_activation, check_loss, check_layer and check_optimizer say. A contract has clauses, each with a name; a clause
/// that is broken has one sentence, about the first place where it is: what was expected there and what came.
struct ContractReport {
  std::string name = {};                   ///< of what was checked: "Softplus"
  std::string contract = {};               ///< which it should keep: "an activation, in float"
  bool passed = true;                      ///< no clause is broken
  std::vector<std::string> clauses = {};   ///< the names of those that were looked at
  std::vector<std::string> broken = {};    ///< the names of those that are broken
  std::vector<std::string> failures = {};  ///< a sentence for each of these: "derivative: f'(z) is 2 at z = 1, but a central ..."

  explicit operator bool() const { return passed; }  ///< no clause is broken

  /// Whether the clause of this name is among the broken ones.
  bool is_broken(std::string_view clause) const { return std::find(broken.begin(), broken.end(), clause) != broken.end(); }

  /// Several lines where clauses are broken, else one.
  std::string to_string() const {
    const std::string count = std::to_string(clauses.size()) + " clauses";
    if (passed) return name + " keeps the contract of " + contract + ": " + count;
    std::string text = name + " BREAKS the contract of " + contract + ", " + std::to_string(failures.size()) + " of " + count + ":";
    for (const std::string& failure : failures) text += "\n  " + failure;
    return text;
  }

  /// Notes that a clause was looked at, and unless it holds a sentence that says why, from texts and numbers. Returns `holds`.
  bool clause(std::string_view clause_name, bool holds, std::initializer_list<detail::SentencePart> sentence = {}) {
    note(clause_name);
    if (!holds) fail(clause_name, sentence);
    return holds;
  }

 private:
  [[gnu::noinline]] void note(std::string_view clause_name) {
    if (std::find(clauses.begin(), clauses.end(), clause_name) == clauses.end()) clauses.emplace_back(clause_name);
  }
  [[gnu::noinline]] void fail(std::string_view clause_name, std::initializer_list<detail::SentencePart> sentence) {
    if (is_broken(clause_name)) return;
    passed = false;
    broken.emplace_back(clause_name);
    failures.push_back(std::string(clause_name) + ": " + detail::sentence(sentence));
  }
};

namespace testing {

/// "an activation, in float"
template <class Scalar>
std::string contract_of(const char* family) {
  const char* scalar = std::is_same_v<Scalar, float> ? "float" : std::is_same_v<Scalar, double> ? "double" : "long double";
  return detail::text_of(family, ", in ", scalar);
}

}  // namespace testing
}  // namespace chainrule
