// Board functions for the machine that compiles the tests.

#include "board.hpp"

#include <cstdio>

void board::print(const char* text) { std::fputs(text, stdout); }

int main() { return learn_and_predict() ? 0 : 1; }
