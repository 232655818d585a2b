#pragma once

#include <algorithm>
#include <chainrule/core/detail/scalar_name.hpp>
#include <chainrule/core/error.hpp>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule {

/// Result of testing::check_activation, check_loss, check_layer and check_optimizer. It fits any test framework: CHECK(report),
/// ASSERT_TRUE(report) << report.to_string(), assert(report). A contract consists of named clauses. For a broken clause the report has a
/// sentence about its first violation, with the expected and the actual value.
struct ContractReport {
  std::string name = {};                   ///< name of the object checked, such as "Softplus"
  std::string contract = {};               ///< the contract checked, such as "an activation, in float"
  bool passed = true;                      ///< whether no clause is broken
  std::vector<std::string> clauses = {};   ///< names of all clauses checked
  std::vector<std::string> broken = {};    ///< names of the broken clauses
  std::vector<std::string> failures = {};  ///< a sentence for each broken clause: "derivative: f'(z) is 2 at z = 1, but a central ..."

  explicit operator bool() const { return passed; }  ///< same as `passed`

  /// Whether the clause of this name is broken.
  bool is_broken(std::string_view clause) const { return std::find(broken.begin(), broken.end(), clause) != broken.end(); }

  /// One line if all clauses hold; otherwise a further line for each broken clause.
  std::string to_string() const {
    const std::string count = std::to_string(clauses.size()) + " clauses";
    if (passed) return name + " satisfies the contract of " + contract + ": " + count;
    std::string text = name + " VIOLATES the contract of " + contract + ", " + std::to_string(failures.size()) + " of " + count + ":";
    for (const std::string& failure : failures) text += "\n  " + failure;
    return text;
  }

  /// Records the result of a check of one clause. If it does not hold, `explanation` (texts and numbers) becomes its sentence. Returns
  /// `holds`.
  bool clause(std::string_view clause_name, bool holds, std::initializer_list<detail::SentencePart> explanation = {}) {
    add(clause_name);
    if (!holds) fail(clause_name, explanation);
    return holds;
  }

 private:
  [[gnu::noinline]] void add(std::string_view clause_name) {
    if (std::find(clauses.begin(), clauses.end(), clause_name) == clauses.end()) clauses.emplace_back(clause_name);
  }
  [[gnu::noinline]] void fail(std::string_view clause_name, std::initializer_list<detail::SentencePart> explanation) {
    if (is_broken(clause_name)) return;
    passed = false;
    broken.emplace_back(clause_name);
    failures.push_back(std::string(clause_name) + ": " + detail::sentence(explanation));
  }
};

namespace testing {

/// Name of a contract, such as "an activation, in float".
template <class Scalar>
std::string contract_of(const char* family) {
  return detail::text_of(family, ", in ", detail::scalar_name<Scalar>());
}

}  // namespace testing
}  // namespace chainrule
