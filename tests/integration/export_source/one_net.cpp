// Predicts with one exported net of 12-32-32-12 units, and computes its Jacobian unless PREDICT_ONLY is defined, on the board of
// tests/microcontroller, which prints how much stack that takes.

#include "../../microcontroller/board.hpp"
#include "control.h"

namespace {

// The largest difference of computed numbers from the expected ones, relative to the largest of these.
float largest_difference(const float* computed, const float* expected, int size) {
  float largest = 0, difference = 0;
  for (int i = 0; i < size; ++i) {
    largest = fmaxf(largest, fabsf(expected[i]));
    difference = fmaxf(difference, fabsf(computed[i] - expected[i]));
  }
  return difference / largest;
}

}  // namespace

bool learn_and_predict() {
  bool right = true;
  for (int j = 0; j < 3; ++j) {
    float y[CONTROL_OUTPUTS];
    control_predict(control_test_x[j], y);
    right = right && largest_difference(y, control_test_y[j], CONTROL_OUTPUTS) <= 1e-6f;
#if !defined(PREDICT_ONLY)
    float J[CONTROL_OUTPUTS * CONTROL_INPUTS];
    control_jacobian(control_test_x[j], J);
    right = right && largest_difference(J, control_test_J[j], CONTROL_OUTPUTS * CONTROL_INPUTS) <= 1e-6f;
#endif
  }
  board::print(right ? "passed\n" : "failed\n");
  return right;
}
