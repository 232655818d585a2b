#pragma once

#include <chainrule/testing/detail/random_data.hpp>

namespace chainrule_test {

using chainrule::testing::random_distributions;
using chainrule::testing::random_labels;
using chainrule::testing::random_matrix;

}  // namespace chainrule_test
