#pragma once
// The two halves of the program: what runs, and what it runs on.

namespace board {

/// Writes a text to where somebody sees it.
void print(const char* text);

}  // namespace board

/// Called once; whether all is as expected.
bool learn_and_predict();
