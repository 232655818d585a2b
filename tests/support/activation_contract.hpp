#pragma once
// Catch2 wrappers for chainrule/testing/activation_contract.hpp.

#include <chainrule/testing/activation_contract.hpp>

#include "support/catch.hpp"
#include "support/contract.hpp"

namespace chainrule_test {

using chainrule::ActivationProperties;
using chainrule::testing::derivative_at;
using chainrule::testing::derivatives;
using chainrule::testing::derivatives_of_order;
using chainrule::testing::eps;
using chainrule::testing::numbers_of_every_size;
using chainrule::testing::same;
using chainrule::testing::value_at;
using chainrule::testing::values;
using chainrule::testing::Worst;

/// `count` evenly spaced numbers between low and high, as in chainrule::testing; a sixteenth of them in builds with a small grid.
template <class Scalar>
std::vector<Scalar> numbers_between(double low, double high, int count) {
  return chainrule::testing::numbers_between<Scalar>(low, high, small_grid && count >= 1024 ? count / 16 : count);
}

template <class Scalar, class F>
void check_activation(const F& f, ActivationProperties properties = {}) {
  properties.coarse_grid = small_grid;
  check(chainrule::testing::check_activation<Scalar>(f, properties));
}

}  // namespace chainrule_test
