#pragma once
// What every optimizer promises, whatever its rule.

#include <algorithm>
#include <chainrule/core/optimizer_state.hpp>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace chainrule_test {

using chainrule::Index;
using chainrule::OptimizerState;
using chainrule::Vector;

/// A vector of literals.
template <class Scalar>
Vector<Scalar> vector(std::initializer_list<double> values) {
  Vector<Scalar> result(static_cast<Index>(values.size()));
  Index i = 0;
  for (const double value : values) result[i++] = static_cast<Scalar>(value);
  return result;
}

/// Whether all numbers are those expected, but for some roundings.
template <class Scalar>
bool near(const Vector<Scalar>& actual, std::initializer_list<double> expected) {
  const double tolerance = sizeof(Scalar) == 4 ? 1e-6 : 1e-14;
  Index i = 0;
  for (const double value : expected) {
    if (!(std::abs(static_cast<double>(actual[i++]) - value) <= tolerance * std::max(1.0, std::abs(value)))) return false;
  }
  return i == actual.size();
}

/// A stand-in for a network: two layers with 20 weights and 4 biases each.
struct TwoLayers {
  using ScalarType = float;
  struct Layer {
    std::array<chainrule::TensorShape, 2> tensors() const { return {{{"weight", 4, 5, true}, {"bias", 4, 1, false}}}; }
  };
  std::tuple<Layer, Layer> layers() const { return {}; }
  Vector<float> parameters() const { return wave(48, 1); }

  static bool is_bias(Index i) { return i % 24 >= 20; }

  /// Numbers of both signs, none of them 0.
  static Vector<float> wave(Index size, float frequency) {
    Vector<float> result(size);
    for (Index i = 0; i < size; ++i) result[i] = std::sin(frequency * static_cast<float>(i + 1));
    return result;
  }
};

/// A step as plain memory, so that tests share one instance of a rule's step.
template <class Rule>
void step(const Rule& rule, Index size, float* theta, const float* gradient, OptimizerState<float>& state) {
  rule.step(chainrule::VectorView<float>(theta, size), chainrule::ConstVectorView<float>(gradient, size), state);
}

/// theta after three steps from wave(70, 1), in pieces that are optimized by themselves, so many floats behind an aligned address.
template <class Rule>
Vector<float> stepped_in_pieces(const Rule& rule, std::initializer_list<Index> sizes, Index offset) {
  Vector<float> result = TwoLayers::wave(70, 1);
  Index begin = 0;
  for (const Index size : sizes) {
    std::vector<float> room(static_cast<std::size_t>(offset + size));
    float* theta = room.data() + offset;
    std::copy_n(result.data() + begin, size, theta);
    auto state = rule.template make_state<float>(size);
    for (const float frequency : {2.0f, 3.0f, 4.0f}) step(rule, size, theta, TwoLayers::wave(70, frequency).data() + begin, state);
    std::copy_n(theta, size, result.data() + begin);
    begin += size;
  }
  return result;
}

template <class Rule>
void check_same_bits(const Rule& rule) {
  INFO(Rule::name);
  const Vector<float> whole = stepped_in_pieces(rule, {70}, 0);
  const bool moved = whole != TwoLayers::wave(70, 1) && std::isfinite(whole.sum());
  CHECK(moved);
  for (const auto& sizes : {std::initializer_list<Index>{70}, {1, 15, 16, 17, 21}, {7, 63}, {32, 16, 22}}) {
    const bool same = stepped_in_pieces(rule, sizes, 1) == whole;
    CHECK(same);
  }
}

/// theta of TwoLayers after two steps.
template <class Rule>
Vector<float> stepped(const Rule& rule) {
  Vector<float> theta = TwoLayers{}.parameters();
  auto state = rule.make_state(TwoLayers{});
  for (const float frequency : {2.0f, 3.0f}) step(rule, 48, theta.data(), TwoLayers::wave(48, frequency).data(), state);
  return theta;
}

/// Weights decay, and biases if they are asked to; what does not decay is bit for bit as without decay.
template <class Rule>
void check_decay(Rule rule) {
  INFO(Rule::name);
  rule.weight_decay = 0;
  const Vector<float> without = stepped(rule);
  rule.weight_decay = 0.5;
  const Vector<float> with = stepped(rule);
  rule.decay_biases = true;
  const Vector<float> with_biases = stepped(rule);
  int wrong = 0;
  for (Index i = 0; i < 48; ++i) {
    const bool is_bias = TwoLayers::is_bias(i);
    if ((with[i] != without[i]) == is_bias) ++wrong;
    if (with_biases[i] == without[i] || (!is_bias && with_biases[i] != with[i])) ++wrong;
  }
  CHECK(wrong == 0);
}

/// Each error by its kind and words; theta, the moments and the count of steps stay as they were.
template <class Rule>
void check_errors(Rule rule) {
  using chainrule::ShapeError, chainrule::ValueError;
  INFO(Rule::name);
  const std::string name{Rule::name};
  Vector<float> theta = TwoLayers::wave(5, 1);
  const Vector<float> gradient = TwoLayers::wave(5, 2);
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
  for (const double bad : {-0.5, std::nan(""), HUGE_VAL, -HUGE_VAL, 1e39}) {
    rule.learning_rate = bad;
    CHECK_THROWS_SAYING(step(rule, 5, theta.data(), gradient.data(), state), ValueError, name.c_str(),
                        "learning_rate must be at least 0 and finite, got ");
  }
  rule.learning_rate = rate;

  const bool unchanged = theta == after && state.flat() == moments;
  CHECK(unchanged);
  CHECK(state.steps == 1);
  CHECK(state_of_7.steps == 0);
}

/// One hyperparameter set to each of `bad` is refused in a sentence that names it, and theta stays as it is.
template <class Rule>
void check_refused(const Rule& good, double Rule::*member, const char* what, std::initializer_list<double> bad) {
  const std::string name{Rule::name};
  Vector<float> theta = TwoLayers::wave(5, 1);
  const Vector<float> gradient = TwoLayers::wave(5, 2);
  auto state = good.template make_state<float>(5);
  for (const double value : bad) {
    Rule rule = good;
    rule.*member = value;
    INFO(what << " = " << value);
    CHECK_THROWS_SAYING(step(rule, 5, theta.data(), gradient.data(), state), chainrule::ValueError, name.c_str(), what);
  }
  const bool unchanged = theta == TwoLayers::wave(5, 1);
  CHECK(unchanged);
  CHECK(state.steps == 0);
}

/// The bounds of what is kept of an average.
template <class Rule>
void check_fraction_refused(const Rule& good, double Rule::*member, const char* name) {
  check_refused(good, member, name, {-0.1, 1, 1.5, std::nan(""), HUGE_VAL});
}
/// The bounds of what may be any number from 0 on.
template <class Rule>
void check_negative_refused(const Rule& good, double Rule::*member, const char* name) {
  check_refused(good, member, name, {-1e-9, std::nan(""), HUGE_VAL, 1e39});
}

template <class Rule>
void check_optimizer(const Rule& rule) {
  STATIC_REQUIRE(chainrule::Optimizer<Rule>);
  check_same_bits(rule);
  check_errors(rule);
  if constexpr (requires { rule.weight_decay; }) {
    check_decay(rule);
    check_negative_refused(rule, &Rule::weight_decay, "weight_decay");
  }
}

}  // namespace chainrule_test
