#pragma once
// The contract of an activation as a CHECK, and the numbers that tests of activations look at.

#include <chainrule/testing/activation_contract.hpp>

#include "support/catch.hpp"
#include "support/contract.hpp"

namespace chainrule_test {

using chainrule::ActivationFacts;
using chainrule::testing::derivative_at;
using chainrule::testing::derivatives;
using chainrule::testing::eps;
using chainrule::testing::numbers_of_every_size;
using chainrule::testing::same;
using chainrule::testing::value_at;
using chainrule::testing::values;
using chainrule::testing::Worst;

/// `count` numbers from low to high, ascending, neither end nor 0 among them.
template <class Scalar>
std::vector<Scalar> numbers_between(double low, double high, int count) {
  return chainrule::testing::numbers_between<Scalar>(low, high, small_grid && count >= 1024 ? count / 16 : count);
}

template <class Scalar, class F>
void check_activation(const F& f, ActivationFacts facts = {}) {
  facts.sparse = small_grid;
  check(chainrule::testing::check_activation<Scalar>(f, facts));
}

}  // namespace chainrule_test
