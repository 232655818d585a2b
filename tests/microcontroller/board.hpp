#pragma once
// The interface between the test (nets.cpp) and the board that it runs on (cortex_m4.cpp or host.cpp).

namespace board {

/// Prints a text to the terminal.
void print(const char* text);

}  // namespace board

/// The test, called once by the board. Returns whether all numbers are as expected.
bool learn_and_predict();
