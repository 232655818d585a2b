// Checks exported networks in integers on the board of tests/microcontroller, and counts the instructions of their predictions and of those
// of the same networks in floats. QEMU runs with -icount shift=0, so an instruction takes one nanosecond of the board's clock, and a tick
// of SysTick, which has 25 MHz on mps2-an386, is 40 instructions.

#include <cstdint>

#include "../../microcontroller/board.hpp"
#include "control.h"
#include "digits.h"
#include "q8_control.h"
#include "q8_digits.h"

extern "C" {
#include "check.h"
}

namespace {

volatile std::uint32_t* const systick = reinterpret_cast<volatile std::uint32_t*>(0xe000e010);  // control, reload, current

void print_number(std::uint32_t number) {
  char text[11] = {};
  char* at = text + 10;
  do *--at = static_cast<char>('0' + number % 10);
  while ((number /= 10) > 0);
  board::print(at);
}

// Instructions of one call, as the mean of 100.
template <class Predict>
std::uint32_t instructions(const Predict& predict) {
  constexpr std::uint32_t calls = 100, per_tick = 40, last = 0xffffff;
  systick[1] = last;
  systick[2] = 0;
  systick[0] = 5;  // on, by the clock of the processor, without interrupts
  for (std::uint32_t i = 0; i < calls; ++i) predict(i % 3);
  const std::uint32_t ticks = last - systick[2];
  systick[0] = 0;
  return ticks * per_tick / calls;
}

// Whether integers take at most half of the instructions of floats.
bool are_twice_as_fast(const char* name, std::uint32_t of_floats, std::uint32_t of_integers) {
  board::print(name);
  board::print(": instructions of a prediction in floats ");
  print_number(of_floats);
  board::print(", in integers ");
  print_number(of_integers);
  board::print("\n");
  return of_integers > 0 && 2 * of_integers <= of_floats;
}

float y[CONTROL_OUTPUTS];
std::int8_t q[CONTROL_OUTPUTS];

}  // namespace

bool learn_and_predict() {
  const char* wrong = wrong_quantized_net();
  if (wrong != nullptr) {
    board::print(wrong);
    board::print(" has other integers than the library\n");
  }
  const bool control = are_twice_as_fast("12-32-32-12, tanh", instructions([](std::uint32_t j) { control_predict(control_test_x[j], y); }),
                                         instructions([](std::uint32_t j) { q8_control_predict_quantized(q8_control_test_x[j], q); }));
  const bool digits = are_twice_as_fast("64-32-10, ReLU", instructions([](std::uint32_t j) { digits_predict(digits_test_x[j], y); }),
                                        instructions([](std::uint32_t j) { q8_digits_predict_quantized(q8_digits_test_x[j], q); }));
  const bool passed = wrong == nullptr && control && digits;
  board::print(passed ? "passed\n" : "failed\n");
  return passed;
}
