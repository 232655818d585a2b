#pragma once
// Checks the contract of an optimizer and the messages of its errors with Catch2.

#include <algorithm>
#include <chainrule/testing/optimizer_contract.hpp>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/contract.hpp"

namespace chainrule_test {

using chainrule::Index;
using chainrule::OptimizerProperties;
using chainrule::OptimizerState;
using chainrule::Vector;
using chainrule::testing::step;
using chainrule::testing::TwoLayers;
using chainrule::testing::wave;

/// A vector of the given numbers.
template <class Scalar>
Vector<Scalar> vector(std::initializer_list<double> values) {
  Vector<Scalar> result(static_cast<Index>(values.size()));
  Index i = 0;
  for (const double value : values) result[i++] = static_cast<Scalar>(value);
  return result;
}

/// Whether all numbers equal the expected ones within a few roundings.
template <class Scalar>
bool near(const Vector<Scalar>& actual, std::initializer_list<double> expected) {
  const double tolerance = sizeof(Scalar) == 4 ? 1e-6 : 1e-14;
  Index i = 0;
  for (const double value : expected) {
    if (!(std::abs(static_cast<double>(actual[i++]) - value) <= tolerance * std::max(1.0, std::abs(value)))) return false;
  }
  return i == actual.size();
}

template <class Rule>
void check_same_bits(const Rule& rule) {
  check_clause([&](auto& report) { chainrule::testing::check_same_bits(report, rule); });
}
template <class Rule>
void check_decay(const Rule& rule) {
  check_clause([&](auto& report) { chainrule::testing::check_decay(report, rule); });
}

/// Checks that wrong states and learning rates are rejected with the right exception and message, and leave theta, the moments and the
/// step count unchanged.
template <class Rule>
void check_errors(Rule rule) {
  using chainrule::ShapeError, chainrule::ValueError;
  INFO(Rule::name);
  const std::string name{Rule::name};
  Vector<float> theta = wave(5, 1);
  const Vector<float> gradient = wave(5, 2);
  auto state = rule.template make_state<float>(5);
  step(rule, 5, theta.data(), gradient.data(), state);
  const Vector<float> after = theta;
  const Vector<float> moments = state.flat();

  const auto refused = [&](Index size, OptimizerState<float>& wrong, const char* why) {
    CHECK_THROWS_SAYING(step(rule, size, theta.data(), gradient.data(), wrong), ShapeError, name.c_str(), why, "make_state(net)");
  };
  refused(4, state, "the state was made for 5 parameters, but theta has 4");
  OptimizerState<float> state_of_7(5, 7);
  refused(5, state_of_7, "the state has 7 moments, but");
  const double rate = rule.learning_rate;
  for (const double bad : {-0.5, std::nan(""), HUGE_VAL, -HUGE_VAL, 1e39, 1e-50}) {
    rule.learning_rate = bad;
    CHECK_THROWS_SAYING(step(rule, 5, theta.data(), gradient.data(), state), ValueError, name.c_str(),
                        bad == 1e39 || bad == 1e-50 ? "which as a float is " : "learning_rate must be at least 0 and finite, got ");
  }
  rule.learning_rate = rate;

  const bool unchanged = theta == after && state.flat() == moments;
  CHECK(unchanged);
  CHECK(state.steps == 1);
  CHECK(state_of_7.steps == 0);
}

/// Checks that each value of `bad` for one hyperparameter is rejected with a message that contains `what`, and leaves theta unchanged.
template <class Rule>
void check_refused(const Rule& good, double Rule::*member, const char* what, std::initializer_list<double> bad) {
  const std::string name{Rule::name};
  Vector<float> theta = wave(5, 1);
  const Vector<float> gradient = wave(5, 2);
  auto state = good.template make_state<float>(5);
  for (const double value : bad) {
    Rule rule = good;
    rule.*member = value;
    INFO(what << " = " << value);
    CHECK_THROWS_SAYING(step(rule, 5, theta.data(), gradient.data(), state), chainrule::ValueError, name.c_str(), what);
  }
  const bool unchanged = theta == wave(5, 1);
  CHECK(unchanged);
  CHECK(state.steps == 0);
}

/// Checks the bounds of a decay factor, which must lie in [0, 1).
template <class Rule>
void check_fraction_refused(const Rule& good, double Rule::*member, const char* name) {
  check_refused(good, member, name, {-0.1, 1e-50, 1 - 1e-12, 1, 1.5, std::nan(""), HUGE_VAL});
}
/// Checks the bounds of a hyperparameter that must be at least 0 and finite.
template <class Rule>
void check_negative_refused(const Rule& good, double Rule::*member, const char* name) {
  check_refused(good, member, name, {-1e-9, std::nan(""), HUGE_VAL, 1e39, 1e-50});
}

template <class Rule>
void check_optimizer(const Rule& rule, const OptimizerProperties& properties = {}) {
  check(chainrule::testing::check_optimizer(rule, properties));
  check_errors(rule);
  if constexpr (requires { rule.weight_decay; }) check_negative_refused(rule, &Rule::weight_decay, "weight_decay");
}

}  // namespace chainrule_test
