// Runs the checks of check.h on the board of tests/microcontroller, whose start-up code calls learn_and_predict.

#include "../../microcontroller/board.hpp"

extern "C" {
#include "check.h"
}

namespace {

// Prints a number from 0 to 1 with nine decimals, without printf, which needs a heap.
void print_billionths(double number) {
  char text[] = "0.000000000";
  auto left = static_cast<unsigned long>(number * 1e9 + 0.5);
  for (int i = 10; i > 1; --i, left /= 10) text[i] = static_cast<char>('0' + left % 10);
  board::print(text);
}

}  // namespace

bool learn_and_predict() {
  double greatest = 0, greatest_of_jacobians = 0;
  bool right = corrupted_is_found() != 0;
  const char *worst = "", *worst_jacobian = "";
  for (int j = 0; j < number_of_nets(); ++j) {
    const char* name = nullptr;
    double difference = 0, of_jacobian = 0;
    if (net_is_right(j, &name, &difference, &of_jacobian) == 0) {
      board::print(name);
      board::print(" is off\n");
      right = false;
    }
    if (difference > greatest) {
      greatest = difference;
      worst = name;
    }
    if (of_jacobian > greatest_of_jacobians) {
      greatest_of_jacobians = of_jacobian;
      worst_jacobian = name;
    }
  }
  board::print("greatest relative difference from the library: ");
  print_billionths(greatest);
  board::print(" (");
  board::print(worst);
  board::print("), of their Jacobians: ");
  print_billionths(greatest_of_jacobians);
  board::print(" (");
  board::print(worst_jacobian);
  board::print(right ? ")\npassed\n" : ")\nfailed\n");
  return right;
}
